"""What can be typed after `pytest`, and where: each way works, or says in one line what to do."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
Check = Callable[..., Done]
Write = Callable[..., Path]

PAGE = "# T\n\n```console\n$ echo one\none\n```\n\n```console\n$ echo two\ntwo\n```\n"
OTHER = "# T\n\n```python\nassert 1 == 2\n```\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two pages, one of them false, in a folder with an odd name; nothing changes it."""
    root = tmp_path_factory.mktemp("arguments") / "Größe & Maß 'x'"
    (root / "docs").mkdir(parents=True)
    (root / "mkdocs.yml").write_text("site_name: A site\n")
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "docs/page.md").write_text(PAGE)
    (root / "docs/other page.md").write_text(OTHER)
    return root


@pytest.mark.parametrize(
    ("arguments", "counted"),
    [
        (["docs/page.md", "docs/page.md"], "2 blocks on 1 pages: 2 run"),
        (["docs/page.md:9", "docs/page.md"], "2 blocks on 1 pages: 2 run"),
        (["docs/page.md:9", "docs"], "3 blocks on 2 pages: 1 failed, 2 run"),
        (["docs/page.md:4", "docs/page.md:9"], "2 blocks on 1 pages: 2 run"),
        (["docs/page.md::3-console"], "1 blocks on 1 pages: 1 run"),
        (["-k", "console"], "2 blocks on 1 pages: 2 run"),
        (["-x", "docs/other page.md"], "1 blocks on 1 pages: 1 failed, 0 run"),
        (["-p", "no:cacheprovider"], "3 blocks on 2 pages: 1 failed, 2 run"),
        (["-o", "cache_dir=mkdocs.yml"], "3 blocks on 2 pages: 1 failed, 2 run"),
        (["--import-mode=importlib", "--rootdir=."], "3 blocks on 2 pages: 1 failed, 2 run"),
        (["-n", "2", "--dist=loadfile"], "3 blocks on 2 pages: 1 failed, 2 run"),
        (["-n", "2", "--dist=each"], "3 blocks on 2 pages: 1 failed, 2 run"),
    ],
)
def test_what_is_asked_for_is_run(
    checker: Check, root: Path, arguments: Sequence[str], counted: str
) -> None:
    """No more and no less, in whatever way it is said, and each block is counted once."""
    done = checker(root, "--docs", "--fresh", *arguments)
    assert f"\n{counted}, 0 checked, 0 excused (0%)\n" in done.stdout
    assert done.returncode == ("failed" in counted)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["docs/page.md:99"], "docs/page.md:99: no block stands there: they stand at 3-6, 8-11"),
        (["docs/page.md:3", "docs/page.md:7"], "docs/page.md:7: no block stands there: they"),
        (["-n", "2", "docs/page.md:99"], "docs/page.md:99: no block stands there: they stand at"),
        (["-n", "2", "docs/no.md"], "there is no page docs/no.md"),
        (["docs/no.md:3"], "there is no page docs/no.md"),
        (["--docs-seconds=0"], "--docs-seconds: write a number above zero"),
        (["-o", "mkdocs_blocks_baseline=docs"], "-o mkdocs_blocks_baseline: write the path of a"),
        (["-o", "mkdocs_blocks_baseline=docs/page.md"], "page.md: cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    checker: Check, root: Path, arguments: Sequence[str], said: str
) -> None:
    """It says what is there, or what to write; nothing is run."""
    done = checker(root, "--docs", *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"\n{done.stdout}".count(f"\nERROR: {said}") == 1
    assert "Traceback" not in done.stdout
    assert "blocks of the docs" not in done.stdout


def test_collecting_runs_nothing_and_writes_nothing(checker: Check, root: Path) -> None:
    """The items are named, and no baseline is begun with them."""
    done = checker(root, "--docs-baseline", "--collect-only", "-q")
    assert done.returncode == 0
    assert {line for line in done.stdout.splitlines() if "::" in line} == {
        *("docs/other page.md::3-python", "docs/page.md::3-console", "docs/page.md::8-console")
    }
    assert not (root / "mkdocs-blocks-baseline.json").exists()


def test_the_last_failures_can_be_run_alone(checker: Check, root: Path) -> None:
    """`--lf` is pytest's own, and knows blocks."""
    checker(root, "--docs", "--fresh")
    done = checker(root, "--docs", "--lf")
    assert "1 blocks on 1 pages: 1 failed, 0 run" in done.stdout


def test_a_folder_without_a_site_is_told(tmp_path: Path, checker: Check) -> None:
    """Where pytest looks, and what to do."""
    done = checker(tmp_path, "--docs")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: there is no mkdocs.yml in {tmp_path}, which is pytest's rootdir: run" in (
        done.stdout
    )


def test_a_site_without_a_folder_of_pages_is_told(project: Path, check: Check) -> None:
    """At its line of mkdocs.yml."""
    (project / "docs").rmdir()
    done = check()
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: mkdocs.yml:1: docs_dir: The path" in done.stdout


def test_pages_that_lie_beside_the_project_are_told(project: Path, checker: Check) -> None:
    """A sandbox has a copy of the project: what lies outside of it, no block would find."""
    (project / "site").mkdir()
    (project / "site/mkdocs.yml").write_text("site_name: A site\ndocs_dir: ../docs\n")
    (project / "site/pytest.ini").write_text("[pytest]\n")
    done = checker(project / "site", "--docs")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: mkdocs.yml: {project / 'docs'} is not below {project / 'site'}" in done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_site_without_blocks_says_so(page: Write, check: Check, workers: Sequence[str]) -> None:
    """Nothing was checked: neither the status nor the last lines look like success."""
    page("# Home\n")
    done = check(*workers)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "\n0 blocks on 1 pages of mkdocs.yml: nothing was checked\n" in done.stdout


def test_a_site_in_a_folder_of_a_repository(tmp_path: Path, checker: Check) -> None:
    """Its sandbox has that folder, as git has it, and nothing of what lies around it."""
    root = tmp_path / "repository" / "site"
    (root / "docs").mkdir(parents=True)
    (root / "mkdocs.yml").write_text("site_name: A site\n")
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / ".gitignore").write_text("ignored.txt\n")
    (root / "ignored.txt").write_text("")
    (root.parent / "outside.txt").write_text("")
    (root / "docs/page.md").write_text(
        "# T\n\n```console\n$ ls\ndocs\nmkdocs.yml\npytest.ini\n$ ls ../outside.txt\n"
        "ls: [..]\n$ echo $?\n2\n```\n"
    )
    subprocess.run(["git", "init", "--quiet", root.parent], check=True)
    done = checker(root, "--docs")
    assert done.returncode == 0, done.stdout
