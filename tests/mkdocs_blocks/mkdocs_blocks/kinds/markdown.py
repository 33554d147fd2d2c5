"""Blocks about blocks: what they show must itself be a page that can be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mkdocs_blocks.kinds.kind import Fence, Kind

if TYPE_CHECKING:
    from mkdocs_blocks.block import Block
    from mkdocs_blocks.page_run import PageRun


class Markdown(Kind):
    """A page's source, shown as a block."""

    name = "markdown"
    counts_as = "checked"
    fences = "`markdown`"
    done = "Its own fences must be ones that can be checked; they are not run."

    def claims(self, fence: Fence) -> bool:
        """Claim Markdown that is not the file of a title."""
        return fence.lexer == "markdown"

    def judge(self, block: Block, page: PageRun) -> None:
        """Do no more: what is wrong inside of the block is a fault of its page already."""
