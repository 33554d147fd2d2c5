"""Wildcards that leave nothing to be held: a rule of all kinds that show an output or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mkdocs_blocks.kinds.kind import Problem
from mkdocs_blocks.transcript import ANY_LINES, only_wildcards, stands_for_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RULE = "idle-wildcard"


def idle_wildcards(
    expected: Sequence[str], what: str, *, start: int = 0, instead: str = "write a line of it"
) -> Iterator[Problem]:
    """Yield what is wrong with the wildcards of an expected text, of which `what` is the name.

    Nothing but wildcards stands for anything at all. Of two `...` in a row one is idle: perhaps
    the line has gone that they were the surroundings of. `start` is the index of the first line
    in the block; `instead` says what to do about the former.
    """
    if only_wildcards(expected):
        yield Problem(
            rule=RULE,
            message=f"{what} is nothing but wildcards, so that it may be anything: {instead}",
            index=start,
        )
        return
    before = False
    for index, line in enumerate(expected):
        if before and stands_for_lines(line):
            yield Problem(
                rule=RULE,
                message=(
                    f"`{ANY_LINES}` after `{ANY_LINES}`: write the line that stands between them, "
                    "or one of them"
                ),
                index=start + index,
            )
        before = stands_for_lines(line) or (before and not line.strip())
