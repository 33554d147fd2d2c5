"""The file of what is proven has what has passed with the files as they are, and nothing else."""

import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from mkdocs_blocks.results import ProvenPage, Results

Check = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

PAGE = """\
# Two blocks

```console
$ cat data.txt
data
```

```text title="Not run: it would take all day"
Nothing.
```
"""
TEXTS = ["$ cat data.txt\ndata\n", "Nothing.\n"]
NAME = "docs/index.md"
FALSE = "# False\n\n```console\n$ echo no\nyes\n```\n"


@pytest.fixture
def results(project: Path, page: Write) -> Path:
    """A site that writes what is proven; gives the path of the file."""
    (project / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_results = results.json\n")
    (project / "data.txt").write_text("data\n")
    page(PAGE)
    page(FALSE, "false.md")
    return project / "results.json"


def proven(results: Path) -> Mapping[str, ProvenPage]:
    """Return what is still proven, of what the file says."""
    return Results.load(results).proven(results.parent, results)


@pytest.mark.parametrize("workers", [[], ["--numprocesses", "2"]], ids=["alone", "workers"])
def test_it_has_the_pages_that_pass_and_with_what(
    results: Path, check: Check, workers: list[str]
) -> None:
    """Each block in its order, with what was done with it; the page that fails is not proven."""
    assert check(*workers).returncode == 1
    read = Results.load(results)
    assert read.pages.keys() == {"docs/index.md", "docs/false.md"}
    found = proven(results)
    assert found.keys() == {"docs/index.md"}
    page = found["docs/index.md"]
    assert [
        (block.kind, block.counts_as, block.language, block.title) for block in page.blocks
    ] == [
        ("console", "run", "console", ""),
        ("excused", "excused", "text", "Not run: it would take all day"),
    ]
    assert page.shows(TEXTS)
    assert page.when.startswith("20")
    assert read.python == platform.python_version()
    assert read.packages["pytest"] == importlib.metadata.version("pytest")


def test_a_block_that_has_changed_is_not_shown_by_the_page(results: Path, check: Check) -> None:
    """Neither another text nor one more block is what has passed."""
    check()
    page = proven(results)["docs/index.md"]
    assert not page.shows([TEXTS[0].replace("data", "other"), TEXTS[1]])
    assert not page.shows([*TEXTS, TEXTS[1]])


def test_nothing_is_proven_with_another_file(
    project: Path, results: Path, page: Write, check: Check
) -> None:
    """A file that is changed or added may make any block false, but those of an empty sandbox."""
    page("---\nsandbox: empty\n---\n# Empty\n\n```console\n$ ls\n```\n", "empty.md")
    check()
    empty = {"docs/empty.md"}
    (project / "data.txt").write_text("other\n")
    assert proven(results).keys() == empty
    (project / "data.txt").write_text("data\n")
    assert proven(results).keys() == empty | {NAME}
    (project / "more.txt").write_text("more\n")
    assert proven(results).keys() == empty


def test_a_page_that_reads_another_is_proven_as_long_as_that_is_the_same(
    results: Path, page: Write, check: Check
) -> None:
    """The text of a page is an input of those that read it, and of no others."""
    page("# Reads\n\n```console\n$ head -n 1 docs/read.md\n# Read\n```\n", "reads.md")
    page("# Read\n\nProse.\n", "read.md")
    check()
    assert proven(results).keys() == {"docs/index.md", "docs/reads.md"}
    page("# Read\n\nOther prose.\n", "read.md")
    assert proven(results).keys() == {"docs/index.md"}


def test_what_was_proven_stays_until_it_is_not(results: Path, page: Write, check: Check) -> None:
    """A run over one page keeps what is known of the others; a page that fails now is out."""
    other = "# Other\n\n```console\n$ true\n```\n"
    page(other, "other.md")
    check()
    page(other.replace("true", ":"), "other.md")
    assert check("docs/other.md").returncode == 0
    assert proven(results).keys() == {"docs/index.md", "docs/other.md"}
    page(PAGE.replace("\ndata\n", "\nno data\n"))
    check("docs/index.md")
    assert proven(results).keys() == {"docs/other.md"}


def test_without_the_setting_nothing_is_written(project: Path, page: Write, check: Check) -> None:
    """A site that has not asked for the file finds none."""
    page("# Page\n\n```console\n$ true\n```\n")
    before = {path.name for path in project.iterdir()}
    assert check().returncode == 0
    assert {path.name for path in project.iterdir()} - before == {".pytest_cache"}


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    """It is not guessed at."""
    other = tmp_path / "results.json"
    other.write_text(json.dumps({"format": 0}))
    with pytest.raises(
        ValueError, match=r"^results\.json: not of format 1: run the checker again$"
    ):
        Results.load(other)
