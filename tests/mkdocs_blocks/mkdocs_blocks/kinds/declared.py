"""Fences that the site itself turns into something else, such as diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mkdocs_blocks.kinds.kind import Fence, Kind

if TYPE_CHECKING:
    from mkdocs_blocks.block import Block
    from mkdocs_blocks.page_run import PageRun


class Declared(Kind):
    """A fence of a language that the settings declare."""

    name = "declared"
    counts_as = "declared"
    fences = "a language of the setting `mkdocs_blocks_fences`"
    done = "Nothing: the site turns it into something else, which readers see."

    def claims(self, fence: Fence) -> bool:
        """Claim the languages that the settings name."""
        return fence.language in self.settings.fences

    def judge(self, block: Block, page: PageRun) -> None:  # noqa: ARG002 - nothing to judge
        """Skip the block, with the reason of the settings."""
        pytest.skip(self.settings.fences[block.language])
