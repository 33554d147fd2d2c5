"""Languages are Pygments's, with its aliases and the file names that they stand for."""

import pytest
from mkdocs_blocks.languages import close_to, lexer_of, written_in


@pytest.mark.parametrize(
    ("language", "lexer"),
    [
        ("python", "python"),
        ("py", "python"),
        ("Python3", "python"),
        ("sh", "bash"),
        ("shell", "bash"),
        ("console", "console"),
        ("shell-session", "console"),
        ("pycon", "pycon"),
        ("proto", "protobuf"),
        ("pyhton", ""),
        ("", ""),
    ],
)
def test_a_language_has_the_first_name_of_its_lexer(language: str, lexer: str) -> None:
    """Aliases count as the language, in any case; what Pygments does not know has no lexer."""
    assert lexer_of(language) == lexer


def test_what_a_misspelt_language_may_stand_for_is_proposed() -> None:
    """The closest name comes first; the site's own languages are proposed too."""
    assert close_to("pyhton")[0] == "python"
    assert close_to("jusst", ["just"])[0] == "just"
    assert close_to("zzzzzzzzz") == []
    assert close_to("mermaid") == close_to("plantuml") == []
    assert close_to("bsah")[0] == "bash"


@pytest.mark.parametrize(
    ("title", "lexer", "expected"),
    [
        ("a/b.py", "python", "python"),
        ("pyproject.toml", "ini", "toml"),
        ("tox.ini", "ini", "ini"),
        ("setup.cfg", "toml", "ini"),
        ("docs/x.yml", "json", "yaml"),
        ("Dockerfile", "text", "docker"),
        ("README.md", "markdown", "markdown"),
        ("x.proto", "protobuf", "protobuf"),
        ("x.h", "cpp", "c"),
        ("x.h", "objective-c", "objective-c"),
        # A language without files of its own may show any.
        ("x.py", "pycon", "pycon"),
        ("base.html", "django", "django"),
        ("justfile", "python", "just"),
        ("page.tmpl", "text", "django"),
        ("A caption", "console", ""),
        ("no-suffix", "python", ""),
        ("", "python", ""),
    ],
)
def test_a_file_name_stands_for_a_language(title: str, lexer: str, expected: str) -> None:
    """Pygments's patterns decide, then the block's own language; the site's patterns come first."""
    files = {"justfile": "just", "*.tmpl": "jinja"}
    assert written_in(title, lexer, files) == expected
