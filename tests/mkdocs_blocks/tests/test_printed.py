"""Other tests of the session get what the pages' commands have printed, and only what is true."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Check = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

PAGE = """\
# Two commands

```console
$ printf 'one\\ntwo \\n'
one
...
$ ls nothing 2>/dev/null
$ echo $?
2
```

```python
print("no command")
```
"""
TEST = """\
import time

from mkdocs_blocks.printed import PrintedCommand

def commands(printed, page):
    return [command for block in printed(page) for command in block.commands]

def test_what_is_true(mkdocs_blocks_printed):
    deadline = time.monotonic() + 60
    while not commands(mkdocs_blocks_printed, "docs/index.md"):
        assert time.monotonic() < deadline
    (block,) = mkdocs_blocks_printed("docs/index.md")
    assert block.line == 3
    assert list(block.commands) == [
        PrintedCommand(text="printf 'one\\\\ntwo \\\\n'", output="one\\ntwo", status=0),
        PrintedCommand(text="ls nothing 2>/dev/null", output="", status=2),
        PrintedCommand(text="echo $?", output="2", status=0),
    ]

def test_what_is_false(mkdocs_blocks_printed):
    assert commands(mkdocs_blocks_printed, "docs/false.md") == []

def test_what_is_no_page(mkdocs_blocks_printed):
    assert commands(mkdocs_blocks_printed, "docs/nowhere.md") == []
"""
NONE = """\
def test_nothing(mkdocs_blocks_printed):
    assert list(mkdocs_blocks_printed("docs/index.md")) == []
"""


@pytest.mark.parametrize("workers", [[], ["--numprocesses", "2"]], ids=["alone", "workers"])
def test_a_test_has_what_the_commands_printed(
    project: Path, page: Write, check: Check, workers: list[str]
) -> None:
    """Each command with its status; nothing of a page with a block that is false."""
    page(PAGE)
    page("# False\n\n```console\n$ echo yes\nyes\n$ echo no\nyes\n```\n", "false.md")
    (project / "test_site.py").write_text(TEST)
    done = check("-rA", "docs", "test_site.py", *workers)
    assert "docs/false.md:7: `echo no` printed something else" in done.stdout
    assert "1 failed, 5 passed" in done.stdout


@pytest.mark.parametrize(
    ("pages", "passed"), [("docs", 3), ("docs/index.md:3", 2)], ids=["earlier", "one block"]
)
def test_what_is_not_run_has_printed_nothing(
    project: Path, page: Write, check: Check, pages: str, passed: int
) -> None:
    """Neither a page that passed earlier, nor one of which only a block is asked for."""
    page(PAGE)
    (project / "test_site.py").write_text(NONE)
    assert check("docs").returncode == 0
    done = check(pages, "test_site.py")
    assert done.returncode == 0, done.stdout
    assert f"{passed} passed" in done.stdout


def test_without_the_site_nothing_is_printed(project: Path, page: Write, checker: Check) -> None:
    """A test may ask all the same."""
    page(PAGE)
    (project / "test_site.py").write_text(NONE)
    assert checker(project, "test_site.py").returncode == 0
