"""The list of what a site has not proven yet: written once, and only ever shorter."""

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mkdocs_blocks.baseline import NOT_TRIED, Baseline, BaselineError, Entry

Check = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

PAGE = """\
# Not proven yet

```console
$ echo right
wrong
```

```console
$ echo right
right
```

```text
nobody printed this
```
"""
NAME = "mkdocs-blocks-baseline.json"


def entries(project: Path) -> list[str]:
    """Return what the baseline file lists, each as `page: what`."""
    stored = json.loads((project / NAME).read_text())
    return [f"{page}: {e['what']}" for page, listed in stored["pages"].items() for e in listed]


def test_a_site_begins_with_what_fails(project: Path, page: Write, check: Check) -> None:
    """The command lists the failing blocks; from then on the run passes and counts them."""
    page(PAGE)
    wrote = check("--docs-baseline")
    assert wrote.returncode == 0, wrote.stdout
    assert f"{NAME}: 2 not proven yet, 0 taken out" in wrote.stdout
    assert entries(project) == [
        "docs/index.md: console: $ echo right",
        "docs/index.md: quote: nobody printed this",
    ]
    done = check()
    assert done.returncode == 0, done.stdout
    assert "docs/index.md: 1 run, 0 checked, 0 excused, 2 in the baseline" in done.stdout


def test_all_blocks_can_be_listed_without_running_any(
    project: Path, page: Write, check: Check
) -> None:
    """`--docs-baseline-all` runs nothing, then and later."""
    page(f"{PAGE}\n```console\n$ touch {project}/was-run\n```\n")
    assert check("--docs-baseline-all").returncode == 0
    assert len(entries(project)) == 4
    done = check()
    assert done.returncode == 0, done.stdout
    assert "4 in the baseline" in done.stdout
    assert not (project / "was-run").exists()


def test_what_is_new_still_fails(page: Write, check: Check) -> None:
    """A false block that the list does not have fails, beside those that it has."""
    page(PAGE)
    check("--docs-baseline")
    page(f"{PAGE}\n```console\n$ echo new\nold\n```\n")
    done = check()
    assert done.returncode == 1
    assert "docs/index.md:19: `echo new` printed something else" in done.stdout


def test_what_is_proven_now_must_leave_the_list(project: Path, page: Write, check: Check) -> None:
    """A listed block that passes fails the run, until the command has taken it out."""
    page("# One\n\n```console\n$ cat flag.txt\nraised\n```\n")
    assert check("--docs-baseline").returncode == 0
    (project / "flag.txt").write_text("raised\n")
    done = check()
    assert done.returncode == 1
    assert "docs/index.md:3: this is proven now" in done.stdout
    shrunk = check("--docs-baseline")
    assert "0 not proven yet, 1 taken out" in shrunk.stdout
    assert check().returncode == 0


def test_an_accepted_output_leaves_the_list(project: Path, page: Write, check: Check) -> None:
    """What `--bless-docs` proves is taken out at once; what still fails stays."""
    text = f"{PAGE}\n```console\n$ no_such_command\n```\n"
    path = page(text)
    check("--docs-baseline")
    done = check("--bless-docs")
    assert done.returncode == 0, done.stdout
    assert f"{NAME}: 2 not proven yet, 1 taken out" in done.stdout
    assert path.read_text() == text.replace("right\nwrong", "right\nright", 1)
    assert entries(project) == [
        "docs/index.md: console: $ no_such_command",
        "docs/index.md: quote: nobody printed this",
    ]
    assert check().returncode == 0


def test_accepting_runs_nothing_that_was_not_tried(
    project: Path, page: Write, check: Check
) -> None:
    """A command that nobody has read stays as it is, on the page and in the list."""
    path = page(f"# T\n\n```console\n$ echo new | tee {project}/was-run\nold\n```\n")
    before = path.read_text()
    check("--docs-baseline-all")
    page("# Other\n\n```console\n$ echo new\nold\n```\n", "other.md")
    done = check("--bless-docs")
    assert done.returncode == 0, done.stdout
    assert path.read_text() == before
    assert len(entries(project)) == 1
    assert not (project / "was-run").exists()


def test_what_cannot_be_written_stays_listed(project: Path, page: Write, check: Check) -> None:
    """An output that is not accepted, and a page that is only read, prove nothing."""
    path = page("# T\n\n```console\n$ echo '```'\nold\n```\n")
    other = page("# T\n\n```console\n$ echo new\nold\n```\n", "other.md")
    check("--docs-baseline")
    listed = entries(project)
    assert len(listed) == 2
    before = path.read_text(), other.read_text()
    (project / "pytest.ini").write_text("[pytest]\n")
    hook = "import pathlib\n\n\ndef pytest_runtest_teardown(item):\n"
    change = f"    page = pathlib.Path({str(other)!r})\n    page.write_text('# Changed\\n')\n"
    (project / "conftest.py").write_text(f"{hook}{change}")
    done = check("--bless-docs", "docs/other.md", "docs/index.md")
    assert "the page has changed meanwhile" in done.stdout
    assert path.read_text() == before[0]
    assert entries(project) == listed


def test_what_is_gone_must_leave_the_list(project: Path, page: Write, check: Check) -> None:
    """An entry of no block of its page is told by what it was, until it is taken out."""
    page(PAGE)
    check("--docs-baseline")
    page(PAGE.replace("nobody printed this", "right"))
    done = check()
    assert done.returncode == 1
    assert "- quote: nobody printed this" in done.stdout
    check("--docs-baseline")
    assert entries(project) == ["docs/index.md: console: $ echo right"]
    assert check().returncode == 0


def test_the_list_never_grows(project: Path, page: Write, check: Check) -> None:
    """Writing it again does not put in what fails since; that still fails."""
    page(PAGE)
    check("--docs-baseline")
    page(PAGE.replace("$ echo right\nright", "$ echo right\nleft"))
    again = check("--docs-baseline")
    assert again.returncode == 1
    assert len(entries(project)) == 2


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "pages": {"a": 3}}']
)
def test_a_spoilt_file_is_one_line(tmp_path: Path, text: str) -> None:
    """What is no baseline is told with what to do."""
    path = tmp_path / NAME
    path.write_text(text)
    with pytest.raises(BaselineError, match=r"mkdocs-blocks-baseline\.json: .*write"):
        Baseline(path)


def test_two_equal_blocks_are_two_entries(tmp_path: Path) -> None:
    """The list counts: of two equal entries one can be taken out."""
    entry = Entry(key="k", what="w", why=NOT_TRIED)
    baseline = Baseline(tmp_path / NAME)
    assert baseline.write({"a.md": [entry, entry], "b.md": [entry]}) == (3, 0)
    again = Baseline(tmp_path / NAME)
    assert [len(found) for found in again.entries("a.md").values()] == [2]
    assert again.write({"a.md": [entry]}) == (2, 1)
    assert list(Baseline(tmp_path / NAME).pages) == ["a.md", "b.md"]


def test_the_first_list_is_of_the_whole_site(project: Path, page: Write, check: Check) -> None:
    """Begun with a part, it could never take in the rest: that is told, and nothing is written."""
    page(PAGE)
    page(PAGE, "other.md")
    for part in (["docs/other.md"], ["-k", "quote"], ["docs/index.md:4"]):
        done = check("--docs-baseline", *part)
        assert done.returncode == pytest.ExitCode.TESTS_FAILED
        assert f"{NAME}: not written, since not all was tried: begin the list" in done.stdout
        assert not (project / NAME).exists()


def test_a_run_of_a_part_takes_out_nothing_else(project: Path, page: Write, check: Check) -> None:
    """What was not tried stays listed, on the same page and on others."""
    page(PAGE)
    page(PAGE, "other.md")
    check("--docs-baseline")
    page(PAGE.replace("right\nwrong", "right\nright"))
    listed = entries(project)
    for part in (["docs/index.md:9"], ["-k", "quote"]):
        assert "4 not proven yet, 0 taken out" in check("--docs-baseline", *part).stdout
    assert entries(project) == listed
    assert "3 not proven yet, 1 taken out" in check("--docs-baseline", "docs/index.md").stdout


def test_a_page_that_is_gone_must_leave_the_list(project: Path, page: Write, check: Check) -> None:
    """Its entries are told at its name, until they are taken out."""
    page(PAGE)
    page(PAGE, "old.md")
    check("--docs-baseline")
    (project / "docs/old.md").unlink()
    done = check()
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert f"\ndocs/old.md:1: {NAME} lists what this page no longer has" in done.stdout
    assert "2 not proven yet, 2 taken out" in check("--docs-baseline").stdout
    assert check().returncode == 0


def test_what_is_wrong_with_the_site_can_be_listed(
    project: Path, page: Write, check: Check
) -> None:
    """A fault of mkdocs.yml is an entry as any other; the counts of excuses never are."""
    with (project / "mkdocs.yml").open("a") as config:
        config.write("nav: [index.md]\nvalidation: {omitted_files: warn}\n")
    page(PAGE)
    page('# T\n\n```console title="Not run: it takes a week"\n$ true\n```\n', "other.md")
    wrote = check("--docs-baseline")
    assert wrote.returncode == 0, wrote.stdout
    assert entries(project)[-1].startswith("mkdocs.yml: navigation: the page other.md is not in")
    assert check().returncode == 0
    (project / NAME).unlink()
    (project / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_most_excused = 10\n")
    wrote = check("--docs-baseline")
    assert wrote.returncode == pytest.ExitCode.TESTS_FAILED
    assert "mkdocs.yml:1: 1 of 4 blocks are excused" in wrote.stdout
    assert len(entries(project)) == 3


def test_a_list_that_cannot_be_written_is_one_line(
    project: Path, page: Write, check: Check
) -> None:
    """The run fails, and says why."""
    folder = project / "lists"
    folder.mkdir()
    page(f"```console\n$ rmdir {shlex.quote(str(folder))}\n```\n{PAGE}")
    done = check("--docs-baseline", "-o", "mkdocs_blocks_baseline=lists/list.json")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "\nlists/list.json cannot be written: No such file or directory\n" in done.stdout
