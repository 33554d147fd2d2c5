"""Quotes: lines that some command of the page has printed."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from mkdocs_blocks.block import BlockError
from mkdocs_blocks.kinds.kind import Fence, Kind, Problem
from mkdocs_blocks.kinds.wildcards import idle_wildcards
from mkdocs_blocks.transcript import occurs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs_blocks.block import Block
    from mkdocs_blocks.page_run import PageRun

# Lines of output that are looked at for one that is nearly the quoted one.
_MOST_COMPARED = 2000


class Quote(Kind):
    """A text block, or one that shows a difference."""

    name = "quote"
    counts_as = "checked"
    fences = "`text`, `diff`"
    done = "A quote: some block of the page has printed these lines."
    after_the_others = True

    def claims(self, fence: Fence) -> bool:
        """Claim what programs print, unless it is the file of a title."""
        return fence.lexer in {"text", "diff"} and not (
            fence.of_project or fence.written_in == fence.lexer
        )

    def problems(self, fence: Fence) -> Iterator[Problem]:
        """Refuse a quote of nothing."""
        return idle_wildcards(fence.lines, "the quote")

    def judge(self, block: Block, page: PageRun) -> None:
        """Look for the lines in what the blocks of the page have printed."""
        printed = page.all_printed()
        wrong = [occurs(block.lines, lines) for lines in printed]
        if None in wrong:
            return
        reached = max((index for index in wrong if index is not None), default=0)
        seen = [line for lines in printed for line in lines[-_MOST_COMPARED:]]
        close = difflib.get_close_matches(block.lines[reached], seen[-_MOST_COMPARED:], n=1)
        raise BlockError(
            block.at(reached),
            f"no command of this page printed {block.lines[reached]!r} here",
            [f"+ {line}" for line in close],
        )
