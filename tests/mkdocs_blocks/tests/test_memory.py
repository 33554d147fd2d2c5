"""A page that has passed is not run again; whatever it depends on makes it run again."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Check = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

PAGE = """\
# What it depends on

Prose.

```python title="shown.py"
VALUE = 1
```

```console
$ cat data.txt
data
$ python -c "import shown; print(shown.VALUE)"
1
```

```python
import shown

assert shown.VALUE == 1
```
"""
EARLIER = "4 proven earlier"


@pytest.fixture
def proven(project: Path, page: Write, check: Check) -> Path:
    """A site whose two pages have passed once."""
    (project / "data.txt").write_text("data\n")
    page(PAGE)
    page("# Other\n\n```console\n$ true\n```\n", "other.md")
    done = check()
    assert done.returncode == 0, done.stdout
    assert "proven earlier" not in done.stdout
    return project


@pytest.mark.usefixtures("proven")
def test_nothing_is_run_again_when_nothing_has_changed(check: Check) -> None:
    """The blocks are counted as proven earlier, with the time; the run passes."""
    done = check()
    assert done.returncode == 0, done.stdout
    assert EARLIER in done.stdout
    assert "the earliest of the earlier proofs is of 20" in done.stdout


def test_what_workers_have_run_is_kept_too(proven: Path, page: Write, check: Check) -> None:
    """A page that passed in a process of pytest-xdist is not run again, by any process."""
    (proven / "data.txt").write_text("more\n")
    page(PAGE.replace("\ndata\n", "\nmore\n"))
    assert "proven earlier" not in check("--numprocesses", "2").stdout
    assert EARLIER in check("--numprocesses", "2").stdout
    assert EARLIER in check().stdout


@pytest.mark.usefixtures("proven")
def test_prose_is_no_input(page: Write, check: Check) -> None:
    """An edit of a sentence leaves the proof, and moves no block away from it."""
    page(PAGE.replace("Prose.", "Other prose.\n\nAnd more."))
    done = check()
    assert done.returncode == 0, done.stdout
    assert EARLIER in done.stdout


@pytest.mark.parametrize("given", [{"CI": "true"}, {}], ids=["CI", "--fresh"])
@pytest.mark.usefixtures("proven")
def test_all_can_be_run(check: Check, given: dict[str, str]) -> None:
    """With `--fresh`, and where CI is set, all is run."""
    done = check(*([] if given else ["--fresh"]), **given)
    assert done.returncode == 0, done.stdout
    assert "proven earlier" not in done.stdout


@pytest.mark.usefixtures("proven")
def test_a_changed_block_is_run(page: Write, check: Check) -> None:
    """Another expected output is another page, and false."""
    page(PAGE.replace("\n1\n```", "\n2\n```"))
    done = check()
    assert "docs/index.md:13: " in done.stdout
    assert done.returncode == 1


@pytest.mark.usefixtures("proven")
def test_a_failure_is_not_forgotten(page: Write, check: Check) -> None:
    """A page that fails is run again and fails again."""
    page(PAGE.replace("\n1\n```", "\n2\n```"))
    check()
    assert check().returncode == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [("data.txt", "other\n"), ("pytest.ini", "[pytest]\nmarkers = x\n"), ("new.txt", "")],
)
def test_a_file_of_the_project_is_an_input(
    proven: Path, check: Check, name: str, text: str
) -> None:
    """A file that is changed or added is noticed by every page."""
    (proven / name).write_text(text)
    assert "proven earlier" not in check().stdout


def test_a_shown_snippet_is_an_input(proven: Path, page: Write, check: Check) -> None:
    """What a snippet puts into a block is that block's text."""
    (proven / "part.txt").write_text("$ echo one\none\n")
    page('# Snippet\n\n```console\n--8<-- "part.txt"\n```\n', "snippet.md")
    check()
    (proven / "part.txt").write_text("$ echo one\ntwo\n")
    done = check()
    assert "docs/snippet.md:" in done.stdout
    assert done.returncode == 1


def test_a_setting_is_an_input(proven: Path, check: Check) -> None:
    """Another setting may judge otherwise."""
    (proven / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_most_excused = 50\n")
    assert "proven earlier" not in check().stdout


def test_a_visible_variable_is_an_input(proven: Path, check: Check) -> None:
    """Of the environment counts what blocks can see."""
    (proven / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_variables = FLAVOUR\n")
    check(FLAVOUR="sweet")
    assert EARLIER in check(FLAVOUR="sweet", TASTE="none").stdout
    assert "proven earlier" not in check(FLAVOUR="sour").stdout


@pytest.mark.usefixtures("proven")
def test_a_tool_is_an_input(page: Write, check: Check, tmp_path: Path) -> None:
    """A program that a command names counts with its state."""
    tool = tmp_path / "bin" / "greet"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho hello\n")
    tool.chmod(0o755)
    path = f"{tool.parent}:{Path(sys.executable).parent}:/usr/bin:/bin"
    page("# Tool\n\n```console\n$ greet\nhello\n```\n", "tool.md")
    assert check(PATH=path).returncode == 0
    assert "docs/tool.md: 0 run, 0 checked, 0 excused, 1 proven" in check(PATH=path).stdout
    tool.write_text("#!/bin/sh\necho goodbye\n")
    done = check(PATH=path)
    assert "docs/tool.md:5: `greet` printed something else" in done.stdout


def test_a_page_that_is_read_is_an_input(proven: Path, page: Write, check: Check) -> None:
    """The prose of a page counts for the pages whose blocks have read it, and for no other."""
    (proven / "read.py").write_text(
        "import pathlib\n"
        "print([p.read_text()[:7] for p in pathlib.Path('do' + 'cs').glob('ot*')])\n"
    )
    page("# Reader\n\n```console\n$ python read.py\n['# Other']\n```\n", "reader.md")
    assert check().returncode == 0
    assert "docs/reader.md: 0 run, 0 checked, 0 excused, 1 proven" in check().stdout
    page("# Changed\n\n```console\n$ true\n```\n", "other.md")
    done = check()
    assert "docs/reader.md:5: `python read.py` printed something else" in done.stdout
    assert EARLIER in done.stdout


def test_a_page_that_an_output_names_is_no_input(page: Write, check: Check) -> None:
    """Only what is run can read: the name of a page may stand in what it prints."""
    page("# Other\n", "other.md")
    page("# T\n\n```console\n$ printf '%s.md\\n' other\nother.md\n```\n")
    assert check().returncode == 0
    page("# Changed\n", "other.md")
    assert "docs/index.md: 0 run, 0 checked, 0 excused, 1 proven earlier" in check().stdout


def test_a_part_of_a_page_proves_no_page(page: Write, check: Check) -> None:
    """Blocks that were asked for alone do not stand for the others."""
    page("# Two\n\n```console\n$ true\n```\n\n```console\n$ echo right\nwrong\n```\n")
    assert check("docs/index.md:3").returncode == 0
    assert check().returncode == 1


def test_an_installed_sandbox_without_a_lock_is_always_run(
    project: Path, page: Write, check: Check
) -> None:
    """Without exact versions nobody knows what an installation would bring."""
    (project / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_install = true\n")
    page("# One\n\n```console\n$ true\n```\n")
    check()
    assert "proven earlier" not in check().stdout
    (project / "requirements.txt").write_text("")
    check()
    assert "1 proven earlier" in check().stdout
