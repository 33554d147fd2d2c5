"""The settings of a site: typed, in every kind of ini file, and wrong ones are one line."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Check = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

SLOW = "# Slow\n\n```console\n$ sleep 1003\n```\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\nmkdocs_blocks_seconds = 1.5\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nmkdocs_blocks_seconds = '1.5'\n"),
        ("pyproject.toml", "[tool.pytest]\nmkdocs_blocks_seconds = 1.5\n"),
        ("tox.ini", "[pytest]\nmkdocs_blocks_seconds = 1.5\n"),
    ],
)
def test_a_setting_works_in_every_ini_file(
    project: Path, page: Write, check: Check, name: str, text: str
) -> None:
    """Pytest's own ways to be configured are the checker's."""
    (project / "pytest.ini").unlink()
    (project / name).write_text(text)
    page(SLOW)
    assert "docs/index.md:4: `sleep 1003` did not end within 1.5 s" in check().stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mkdocs_blocks = perhaps", "write true or false (invalid truth value 'perhaps')"),
        ("mkdocs_blocks_config = none.yml", "there is no file none.yml in "),
        ("mkdocs_blocks_config =", "write the path of MkDocs's configuration"),
        ("mkdocs_blocks_install = uv 'sync", "write a command as for a shell, each quotation"),
        ("mkdocs_blocks_variables = X_* 'Y", "write names or patterns of variables, such as"),
        ("mkdocs_blocks_seconds = soon", "write a number above zero, such as 60 (could not"),
        ("mkdocs_blocks_seconds = 0", "write a number above zero, such as 60 (0 is none)"),
        ("mkdocs_blocks_seconds = nan", "write a number above zero, such as 60 (nan is none)"),
        ("mkdocs_blocks_types = perhaps", "write true or false (invalid truth value 'perhaps')"),
        ("mkdocs_blocks_files = *.tmpl", "write each line as `*.tmpl = jinja` ('*.tmpl' is none)"),
        ("mkdocs_blocks_fences = mermaid", "write each line as `mermaid: it is drawn` ('mermaid'"),
        ("mkdocs_blocks_soften = only-defines", "write each line as `only-defines: the reason`"),
        ("mkdocs_blocks_soften = no-such: x", "no rule is called 'no-such': write one of added-"),
        ("mkdocs_blocks_excuse =", "write the beginning of such a title, or leave the setting out"),
        ("mkdocs_blocks_shortest_reason = 1.5", "write a whole number above zero, such as 12 (inv"),
        ("mkdocs_blocks_most_excused = 120", "write a number from 0 to 100 (120 is none)"),
        ("mkdocs_blocks_most_excused = few", "write a number from 0 to 100 (could not convert"),
        ("mkdocs_blocks_baseline = docs", "write the path of a file, in a folder that is there"),
        ("mkdocs_blocks_results = docs", "write the path of a file, in a folder that is there"),
        ("mkdocs_blocks_results = no/r.json", "write the path of a file, in a folder that is the"),
        (
            f"mkdocs_blocks_results = {'x' * 300}",
            "write the path of a file, in a folder that is th",
        ),
        (f"mkdocs_blocks_config = {'x' * 300}", f"there is no file {'x' * 300} in "),
    ],
)
def test_a_wrong_value_is_one_line(
    project: Path, page: Write, check: Check, line: str, said: str
) -> None:
    """The file or `-o`, the setting and what to write; before anything is run, no traceback."""
    page("# One\n")
    setting = line.partition(" =")[0]
    for where, options in (("pytest.ini:", ()), ("-o", ("-o", re.sub(" = ?", "=", line, count=1)))):
        ini = "" if options else line
        (project / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
        done = check(*options)
        assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout
        assert f"ERROR: {where} {setting}: {said}" in done.stdout
        assert "Traceback" not in done.stdout


def test_a_wrong_type_in_toml_is_one_line(project: Path, page: Write, check: Check) -> None:
    """Where TOML has types, pytest's message about one is held to the same form."""
    (project / "pytest.ini").unlink()
    (project / "pyproject.toml").write_text("[tool.pytest]\nmkdocs_blocks_seconds = 'soon'\n")
    page("# One\n")
    assert (
        "ERROR: pyproject.toml: mkdocs_blocks_seconds: write a number above zero, such as 60 "
        "(expects a float, got str: 'soon')\n"
    ) in check().stdout


def test_the_setting_that_asks_is_checked_without_options(project: Path, page: Write) -> None:
    """A run that asks for nothing else is told of it too, in one line."""
    (project / "pytest.ini").write_text("[pytest]\nmkdocs_blocks = perhaps\n")
    page("# One\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: pytest.ini: mkdocs_blocks: write true or false" in done.stderr


def test_an_installed_plugin_does_nothing_until_it_is_asked(project: Path, page: Write) -> None:
    """Without `--docs` no page is collected; the setting asks too."""
    page(SLOW)
    (project / "test_one.py").write_text("def test_one():\n    assert True\n")
    quiet = subprocess.run(
        [sys.executable, "-m", "pytest", "."],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in quiet.stdout
    assert "blocks of the docs" not in quiet.stdout


def test_a_site_below_the_rootdir_is_not_passed_over(
    project: Path, page: Write, checker: Check
) -> None:
    """An ini file further up makes another folder the root: the line says what to write."""
    page("# Upper\n\n```console\n$ true\n```\n")
    below = project / "below"
    (below / "docs").mkdir(parents=True)
    (below / "mkdocs.yml").write_text("site_name: Below\n")
    (below / "docs/index.md").write_text("# Lower\n\n```console\n$ false\n```\n")
    done = checker(below, "--docs")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert (
        f"ERROR: the site of {below}/mkdocs.yml would not be checked, since pytest's rootdir is "
        f"{project}: write a pytest.ini beside that file, which may be empty\n"
    ) in done.stdout
    (below / "pytest.ini").write_text("")
    assert "docs/index.md:4: `false` exited with status 1" in checker(below, "--docs").stdout
    (below / "pytest.ini").unlink()
    (project / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_config = mkdocs.yml\n")
    assert "docs/index.md: 1 run, 0 checked" in checker(below, "--docs", "../docs").stdout


def test_the_setting_asks_for_the_site(project: Path, page: Write) -> None:
    """`mkdocs_blocks = true` checks the site in every run."""
    (project / "pytest.ini").write_text("[pytest]\nmkdocs_blocks = true\n")
    page("# One\n\n```console\n$ true\n```\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest"], cwd=project, capture_output=True, text=True, check=False
    )
    assert "docs/index.md: 1 run, 0 checked, 0 excused" in done.stdout


def test_a_softened_rule_fails_no_page(project: Path, page: Write, check: Check) -> None:
    """A fault of a rule that the site has softened is counted, with the site's reason."""
    page("# One\n\n```python\ndef f() -> None: ...\n```\n")
    assert check().returncode == 1
    (project / "pytest.ini").write_text(
        "[pytest]\nmkdocs_blocks_soften = only-defines: signatures are shown as they are\n"
    )
    done = check("-rs")
    assert done.returncode == 0, done.stdout
    assert "only-defines: signatures are shown as they are" in done.stdout


def test_a_declared_fence_is_the_sites_own(project: Path, page: Write, check: Check) -> None:
    """A language that the settings declare is neither run nor a fault."""
    page("# One\n\n```mermaid\ngraph LR; a --> b\n```\n")
    assert check().returncode == 1
    (project / "pytest.ini").write_text(
        "[pytest]\nmkdocs_blocks_fences = mermaid: the browser draws it\n"
    )
    done = check()
    assert done.returncode == 0, done.stdout
    assert "1 declared" in done.stdout


def test_an_excuse_can_be_called_otherwise(project: Path, page: Write, check: Check) -> None:
    """The beginning of the title and the least length of the reason are the site's."""
    (project / "pytest.ini").write_text(
        "[pytest]\nmkdocs_blocks_excuse = Skipped:\nmkdocs_blocks_shortest_reason = 3\n"
    )
    page('# One\n\n```console title="Skipped: big"\n$ false\n```\n')
    done = check("-rs")
    assert done.returncode == 0, done.stdout
    assert "1 excused" in done.stdout


def test_too_many_excuses_fail_the_run(project: Path, page: Write, check: Check) -> None:
    """The share that the site allows is held."""
    (project / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_most_excused = 40\n")
    page(
        "# One\n\n```console\n$ true\n```\n\n"
        '```console title="Not run: it installs a daemon"\n$ false\n```\n'
    )
    done = check()
    assert done.returncode == 1
    assert "mkdocs.yml:1: 1 of 2 blocks are excused, 50.0 %" in done.stdout
