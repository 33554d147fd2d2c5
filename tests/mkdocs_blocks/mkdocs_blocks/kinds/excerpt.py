"""Excerpts: lines of a file of the project."""

from __future__ import annotations

import difflib
import tomllib
from typing import TYPE_CHECKING

from mkdocs_blocks.block import BlockError
from mkdocs_blocks.kinds.file import wrong_language
from mkdocs_blocks.kinds.kind import Fence, Kind, Problem
from mkdocs_blocks.kinds.wildcards import idle_wildcards
from mkdocs_blocks.transcript import ANY_LINES, first_difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mkdocs_blocks.block import Block
    from mkdocs_blocks.page_run import PageRun


class Excerpt(Kind):
    """A block with the title of a file of the project."""

    name = "excerpt"
    counts_as = "checked"
    fences = "any, with the title of a file of the project"
    done = (
        "An excerpt: these lines are in that file, in this order; `...` alone on a line, also "
        "after `#`, stands for lines that are left out."
    )

    def claims(self, fence: Fence) -> bool:
        """Claim what shows a file that is there already."""
        return fence.of_project

    def problems(self, fence: Fence) -> Iterator[Problem]:
        """Refuse an excerpt in a language that is not its file's, and one that shows no line."""
        yield from wrong_language(fence)
        yield from idle_wildcards(_expected(fence.lines), f"the excerpt of {fence.title}")

    def judge(self, block: Block, page: PageRun) -> None:
        """Hold the lines to the file, and the keys of TOML to its tables."""
        actual = page.project_file(block.title).splitlines()
        expected = _expected(block.lines)
        found = first_difference([ANY_LINES, *expected, ANY_LINES], actual)
        if found is not None:
            index = min(max(found - 1, 0), len(expected) - 1)
            line = expected[index]
            close = difflib.get_close_matches(line, actual, n=1, cutoff=0.5)
            raise BlockError(
                block.at(index),
                f"{block.title} has no such line here: {line.strip()!r}",
                [f"- {line}", *(f"+ {similar}" for similar in close)],
            )
        if block.lexer == "toml":
            _check_tables(
                block, [line for line in expected if line != ANY_LINES], "\n".join(actual)
            )


def _expected(lines: Sequence[str]) -> list[str]:
    """Return the lines of an excerpt, those that stand for others all in one notation."""
    expected = [
        ANY_LINES if line.strip() in {ANY_LINES, f"# {ANY_LINES}"} else line for line in lines
    ]
    while expected and not expected[-1].strip():  # a snippet brings one
        expected.pop()
    return expected


def _check_tables(block: Block, lines: Sequence[str], file: str) -> None:
    """Hold the excerpt's keys to the file's tables: the right line under a wrong table."""
    try:
        shown = tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        raise BlockError(block.line, f"the excerpt is not valid TOML: {error}") from None
    try:
        whole = tomllib.loads(file)
    except tomllib.TOMLDecodeError as error:
        raise BlockError(block.line, f"{block.title} is not valid TOML: {error}") from None
    wrong = _not_within(shown, whole)
    if wrong:
        raise BlockError(
            block.line, f"{block.title} has no {'.'.join(wrong)}, or another value there"
        )


def _not_within(shown: object, whole: object) -> list[str]:
    """Return the path of the first value that `whole` lacks; lists may leave entries out."""
    if isinstance(shown, dict) and isinstance(whole, dict):
        for key, value in shown.items():
            if key not in whole:
                return [key]
            wrong = _not_within(value, whole[key])
            if wrong:
                return [key, *(wrong if wrong != ["="] else [])]
        return []
    if isinstance(shown, list) and isinstance(whole, list):
        rest = iter(whole)
        return [] if all(any(entry == other for other in rest) for entry in shown) else ["="]
    return [] if shown == whole else ["="]
