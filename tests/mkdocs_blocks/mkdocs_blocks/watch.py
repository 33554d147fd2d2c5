"""Check each page when it is saved: `python -m mkdocs_blocks.watch`.

Files are watched by watchfiles, the extra `watch` of this distribution. When a page is saved, it is
checked; when another file of the project is, all pages that are not proven any more are.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from mkdocs_blocks.plugin import PAGE_SUFFIXES

_FAILURE = re.compile(r"^(\S+:\d+: .*)$", re.MULTILINE)
_TOTAL = re.compile(r"^(\d+ blocks on \d+ pages: .*)$", re.MULTILINE)


def check(root: Path, pages: Sequence[str], arguments: Sequence[str] = ()) -> str:
    """Check pages, or all without any; return one line that says what broke, or what holds."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--docs", "-q", *arguments, *pages],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return summary(done.stdout, done.returncode)


def summary(printed: str, status: int) -> str:
    """Return the one line for the output and the exit status of a run."""
    total = _TOTAL.search(printed)
    if status == 0:
        return total[1] if total else "nothing to check"
    failures = _FAILURE.findall(printed)
    if not failures:
        lines = [line for line in printed.splitlines() if line.strip()]
        return lines[-1] if lines else f"pytest ended with status {status}"
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{failures[0]}{more}"


def saved_pages(root: Path, docs: Path, paths: Iterable[str]) -> list[str]:
    """Return the pages among the files that were saved; none when another file was, too."""
    changed = {Path(path) for path in paths if Path(path).exists()}
    pages = {path for path in changed if docs in path.parents and path.suffix in PAGE_SUFFIXES}
    return [] if pages != changed else sorted(str(page.relative_to(root)) for page in pages)


def main(arguments: Sequence[str] | None = None) -> int:
    """Watch until Ctrl+C; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m mkdocs_blocks.watch", description=__doc__)
    parser.add_argument("--docs", default="docs", help="the folder of the pages (docs)")
    parser.add_argument("pytest", nargs="*", help="more arguments for pytest, after --")
    given = parser.parse_args(arguments)
    try:
        from watchfiles import watch  # noqa: PLC0415 - an extra: only who watches needs it
    except ImportError:
        parser.error("watchfiles is not installed: pip install 'pytest-mkdocs-blocks[watch]'")
    root = Path.cwd()
    docs = (root / given.docs).resolve()
    if not docs.is_dir():
        parser.error(f"there is no folder {given.docs} here: run this in the project's root")
    print(f"watching {root}; Ctrl+C ends it")  # noqa: T201 - a program for a terminal
    print(check(root, [], given.pytest), flush=True)  # noqa: T201 - the same
    # Its default filter leaves .git, virtual environments and caches out.
    for changes in watch(root, raise_interrupt=False):
        pages = saved_pages(root, docs, {path for _, path in changes})
        print(check(root, pages, given.pytest), flush=True)  # noqa: T201 - the same
    return 0


if __name__ == "__main__":
    sys.exit(main())
