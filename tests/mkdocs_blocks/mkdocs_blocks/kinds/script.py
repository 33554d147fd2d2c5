"""Scripts: bash blocks that are run whole and must succeed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mkdocs_blocks.block import BlockError
from mkdocs_blocks.kinds.kind import Fence, Kind

if TYPE_CHECKING:
    from mkdocs_blocks.block import Block
    from mkdocs_blocks.page_run import PageRun

_PROMPT = re.compile(r"(?:\([^()]+\) ?)?(?:\[?\w+@[^$%]*)?[$%] ")
"""A prompt at the start of a line, perhaps after an environment, a user and a folder."""


class Script(Kind):
    """A bash block."""

    name = "script"
    counts_as = "run"
    fences = "`bash`"
    done = "A script, run with `bash -e`; it must end with status 0."

    def claims(self, fence: Fence) -> bool:
        """Claim bash that is not the file of a title."""
        return fence.lexer == "bash" and not (fence.of_project or fence.written_in == "bash")

    def judge(self, block: Block, page: PageRun) -> None:
        """Run the script; name the line at which it stopped."""
        page.enter(block)
        ran = page.sandbox.script(block.text, seconds=page.seconds)
        lines = page.keep_printed(block, [ran.text])
        line = block.at(ran.line - 1) if ran.line else block.line
        if ran.trouble:
            raise BlockError(line, f"the script {ran.trouble}", page.tail(lines))
        if ran.status:
            stopped = block.lines[ran.line - 1].strip() if ran.line else "the script"
            said = f"`{stopped}` exited with status {ran.status}"
            if any(_PROMPT.match(text) for text in ([stopped] if ran.line else block.lines)):
                said += ": a session with a prompt is written as ```console, with `$ ` before each"
                said += " command"
            raise BlockError(line, said, page.tail(lines))
