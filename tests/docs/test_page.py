"""Which blocks and faults the checker finds on a page."""

from textwrap import dedent

import pytest
from pygments.lexers import get_lexer_by_name

from tests.docs.checker.page import FILE_LANGUAGES, LANGUAGES, Block, Kind, Site

FENCE = """\
```console
$ true
```
"""


def indented(text: str, prefix: str = "    ") -> str:
    """Return the text with a prefix before each line."""
    return "".join(f"{prefix}{line}" for line in text.splitlines(keepends=True))


def only(site: Site, text: str) -> Block:
    """Return the only block of a page without faults."""
    page = site.parse(text)
    assert page.faults == ()
    (block,) = page.blocks
    return block


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (FENCE, 1),
        ("---\ntitle: A page\n---\n\n# Title\n\n" + FENCE, 7),
        ("!!! note\n\n" + indented(FENCE), 3),
        ("??? note\n\n" + indented(FENCE), 3),
        ('=== "One"\n\n' + indented(FENCE), 3),
        ("- item\n\n" + indented(FENCE), 3),
        ('- item\n\n    === "Tab"\n\n' + indented(indented(FENCE)), 5),
        ("> quoted\n>\n" + indented(FENCE, "> "), 3),
        ("~~~console\n$ true\n~~~\n", 1),
        ("```{ .console }\n$ true\n```\n", 1),
        ('```console title="A caption" hl_lines="1"\n$ true\n```\n', 1),
        ("text\n\n````console\n$ true\n````\n", 3),
    ],
)
def test_blocks_are_found_where_the_site_shows_them(site: Site, text: str, line: int) -> None:
    """A fence is a block in quotes, lists, tabs, admonitions, with each kind of header."""
    block = only(site, text)
    assert (block.line, block.lines, block.at(0)) == (line, ("$ true",), line + 1)
    assert block.kind is Kind.CONSOLE
    assert text.split("\n")[line] == f"{block.prefix}$ true"


def test_a_fence_in_a_longer_fence_is_its_content(site: Site) -> None:
    """What a block shows as text is not run."""
    block = only(site, "````markdown\n```python\nx = 1\n```\n````\n")
    assert block.kind is Kind.MARKDOWN
    assert block.lines == ("```python", "x = 1", "```")


def test_lines_of_a_snippet_are_counted_on_the_page(site: Site) -> None:
    """A snippet's lines have the page's line of the snippet; what follows keeps its own."""
    (site.root / "code.py").write_text("a = 1\nb = 2\nc = 3\n")
    text = '# Title\n\n```python title="code.py"\n--8<-- "code.py"\n```\n\n' + FENCE
    excerpt, console = site.parse(text).blocks
    assert excerpt.lines[:3] == ("a = 1", "b = 2", "c = 3")
    assert set(excerpt.lines_at) == {4}
    assert not excerpt.literal
    assert (console.line, console.literal) == (7, True)


@pytest.mark.parametrize(
    ("header", "kind", "counts_as"),
    [
        ("console", Kind.CONSOLE, "run"),
        ("bash", Kind.SCRIPT, "run"),
        ("python", Kind.PYTHON, "run"),
        ('python title="new.py"', Kind.FILE, "checked"),
        ('toml title="there.toml"', Kind.EXCERPT, "checked"),
        ("text", Kind.QUOTE, "checked"),
        ("markdown", Kind.MARKDOWN, "checked"),
        ('markdown title="new.md"', Kind.FILE, "checked"),
        ('bash title="Not run: it needs a daemon of yours"', Kind.EXCUSED, "excused"),
    ],
)
def test_language_and_title_say_what_is_done(
    site: Site, header: str, kind: Kind, counts_as: str
) -> None:
    """Each kind of block is told by its header alone, and is counted as one of three."""
    (site.root / "there.toml").write_text("x = 1\n")
    block = only(site, f"```{header}\nx = 1\n```\n")
    assert block.kind is kind
    assert block.kind.counts_as == counts_as


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\n```\nx\n```\n", 2, "a fence without a language"),
        ("\n```ruby\nx\n```\n", 2, "unknown language 'ruby'"),
        ('```console exit="3"\nx\n```\n', 1, "cannot read the fence 'console exit=\"3\"'"),
        ('```{ .console norun="why" }\nx\n```\n', 1, "unknown attribute 'norun'"),
        ("```{ .console .wide }\nx\n```\n", 1, "unknown attribute '.wide'"),
        ("```{ .console #name }\nx\n```\n", 1, "unknown attribute '#name'"),
        ('```console linenums="1"\nx\n```\n', 1, "unknown attribute 'linenums'"),
        ("```python notest\nx\n```\n\n```\ny\n```\n", 1, "cannot read the fence 'python notest'"),
        ("```python fixture:x\nx\n```\n", 1, "cannot read the fence 'python fixture:x'"),
        ("# T\n\n```python\nx\n", 3, "'python' is never closed"),
        ("```python\nx\n\n" + FENCE, 1, "not closed before the next one, '```console'"),
        ("- ```python\n  x\n  ```\n", 1, "must start on a line of its own"),
        ("text\n\n    x = 1\n", 3, "a code block without a fence, 'x = 1'"),
        ("<pre>x = 1</pre>\n", 1, "a code block without a fence"),
        ("<!--\n" + FENCE + "-->\n", 2, "readers do not see this fence"),
        ("```toml\nx = 1\n```\n", 1, "which file is this?"),
        ('```python title="../x.py"\nx\n```\n', 1, "leaves the project"),
        ('```python title="/x.py"\nx\n```\n', 1, "leaves the project"),
        ('```ini title="pyproject.toml"\nx\n```\n', 1, "is not written in ini: write toml"),
        ('```python title="justfile"\nx\n```\n', 1, "is not written in python: write just"),
        ('```bash title="Not run: no"\nx\n```\n', 1, "say why the block is not run"),
        ('```bash title="Not run:"\nx\n```\n', 1, "say why the block is not run"),
        ('```bash title="not rum: it wipes the disk"\nx\n```\n', 1, "say why the block is not"),
        ("```bash\n\n```\n", 1, "an empty block"),
        ('```python\n--8<-- "missing.py"\n```\n', 2, "missing.py"),
        ('```console hl_lines="1 3"\n$ a\nb\n```\n', 1, "hl_lines names line 3 of 2"),
        ("```python\nimport os\n\ndef f():\n    assert False\n```\n", 1, "only defines things"),
        ("text\n\na [link][nowhere] too many\n", 3, "[link][nowhere] refers to a link"),
        ('- --8<-- "code.py"\n', 1, "--8<-- is shown as it is"),
        ("a note[^1]\n", 1, "[^1] refers to a link or a note"),
        ("```python\n--8<--\nx.py\n--8<--\n```\n", 2, "a snippet of several lines"),
    ],
)
def test_what_cannot_be_checked_is_a_fault(site: Site, text: str, line: int, message: str) -> None:
    """A fence that the site misreads or the checker does not know is named, with the way out."""
    fault = site.parse(text).faults[0]
    assert message in fault.message
    assert fault.line == line


def test_blocks_before_a_misread_fence_are_still_checked(site: Site) -> None:
    """A fault hides nothing that comes before it, and no fault that it causes is reported."""
    page = site.parse(FENCE + "\n```python notest\nx\n```\n\n" + FENCE)
    assert page.blocks[0].line == 1
    assert [fault.line for fault in page.faults] == [5]


def test_every_language_is_highlighted() -> None:
    """Pygments knows each language but `just`, which it shows as plain text."""
    assert FILE_LANGUAGES < LANGUAGES
    for language in LANGUAGES - {"just"}:
        assert get_lexer_by_name(language).name


def test_blocks_of_one_page_keep_their_order(site: Site) -> None:
    """The blocks come in the order of the page."""
    text = dedent("""\
        ```python
        x = 1
        ```

        !!! note

            ```bash
            true
            ```

        ```console
        $ true
        ```
        """)
    assert [block.line for block in site.parse(text).blocks] == [1, 7, 11]
