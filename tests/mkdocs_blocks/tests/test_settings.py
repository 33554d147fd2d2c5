"""The settings of a site: typed, in every kind of ini file, and wrong ones are one line."""

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
        ("mkdocs_blocks_seconds = soon", "mkdocs_blocks_seconds: could not convert"),
        ("mkdocs_blocks_seconds = 0", "mkdocs_blocks_seconds: write a number above zero"),
        ("mkdocs_blocks_most_excused = 120", "mkdocs_blocks_most_excused: write a number from 0"),
        ("mkdocs_blocks_soften = only-defines", "mkdocs_blocks_soften: write each line as"),
        ("mkdocs_blocks_soften = no-such-rule: x", "mkdocs_blocks_soften: no rule is called 'no-s"),
        ("mkdocs_blocks_types = perhaps", "mkdocs_blocks_types: "),
        ("mkdocs_blocks_config = none.yml", "mkdocs_blocks_config: there is no file none.yml"),
        ("mkdocs_blocks_excuse =", "mkdocs_blocks_excuse: write something"),
    ],
)
def test_a_wrong_value_is_one_line(
    project: Path, page: Write, check: Check, line: str, said: str
) -> None:
    """The file, the setting and what to write; before anything is run, and no traceback."""
    (project / "pytest.ini").write_text(f"[pytest]\n{line}\n")
    page("# One\n")
    done = check()
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"pytest.ini: {said}" in done.stdout
    assert "Traceback" not in done.stdout


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
