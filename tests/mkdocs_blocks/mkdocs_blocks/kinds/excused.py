"""Blocks that are shown and not run, with the reason that their title tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mkdocs_blocks.kinds.kind import Fence, Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs_blocks.block import Block
    from mkdocs_blocks.page_run import PageRun


class Excused(Kind):
    """A block whose title says why it is not run."""

    name = "excused"
    counts_as = "excused"
    fences = 'any, with `title="Not run: …"`'
    done = "Nothing; readers see the reason, and it is counted."

    def claims(self, fence: Fence) -> bool:
        """Claim what says that it is not run, and what only nearly says so."""
        excuse = self.settings.excuse
        # A misspelt excuse must not run the command that it wanted to excuse.
        first = excuse.split()[0].lower()
        return fence.title.startswith(excuse) or fence.title.lower().startswith(f"{first} ")

    def problems(self, fence: Fence) -> Iterator[Problem]:
        """Refuse an excuse without a reason."""
        excuse, shortest = self.settings.excuse, self.settings.shortest_reason
        reason = fence.title.removeprefix(excuse)
        if reason == fence.title or len(reason.strip()) < shortest:
            yield Problem(
                rule="no-reason",
                message=(
                    "say why the block is not run: "
                    f'title="{excuse}it installs a daemon", {shortest} characters or more'
                ),
            )

    def judge(self, block: Block, page: PageRun) -> None:  # noqa: ARG002 - nothing to judge
        """Skip the block, with its reason."""
        pytest.skip(block.title.removeprefix(self.settings.excuse))
