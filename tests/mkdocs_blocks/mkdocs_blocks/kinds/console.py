"""Console blocks: commands, each with the output that it prints."""

from __future__ import annotations

import re
from itertools import dropwhile, zip_longest
from typing import TYPE_CHECKING

from mkdocs_blocks.block import BlockError, Fault
from mkdocs_blocks.difference import difference
from mkdocs_blocks.kinds.file import check_options_known
from mkdocs_blocks.kinds.kind import Fence, Kind, Problem
from mkdocs_blocks.kinds.wildcards import idle_wildcards
from mkdocs_blocks.printed import PrintedBlock, PrintedCommand
from mkdocs_blocks.transcript import (
    ANY_TEXT,
    commands,
    first_difference,
    only_wildcards,
    stands_for_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mkdocs_blocks.block import Block
    from mkdocs_blocks.page_run import PageRun
    from mkdocs_blocks.transcript import Command

STATUS_QUESTION = "echo $?"
"""The command that lets the one before it fail: the reader sees the status as its output."""

# What uv says of an installation, which whoever has the packages already does not see.
_INSTALLATION = re.compile(
    r"(?:Resolved|Prepared|Installed|Uninstalled) \d+ packages? in "
    r"|\s*(?:Downloading|Downloaded|Building|Built) \S+(?: \([\d.]+ ?[KMG]?i?B\))?$"
    r"|warning: `[^`]+` is yanked"
)


class Console(Kind):
    """A console session."""

    name = "console"
    counts_as = "run"
    fences = "`console`"
    done = "Each `$ command` is run, all of a block in one shell, and prints what follows it."

    def claims(self, fence: Fence) -> bool:
        """Claim every console session."""
        return fence.lexer == "console"

    def problems(self, fence: Fence) -> Iterator[Problem]:
        """Refuse an output that may be anything, unless the page says that only its status counts.

        That status is 0: a command may fail for any reason.
        """
        if not any(ANY_TEXT in line or stands_for_lines(line) for line in fence.lines):
            return
        asked = commands(fence.as_block(self.name))
        if isinstance(asked, Fault):
            return  # told when it is run
        for command, after in zip_longest(asked, asked[1:]):
            if only_wildcards(command.expected) and after and _asks_for_success(after):
                continue
            yield from idle_wildcards(
                command.expected,
                f"the output of `{command.short}`",
                start=command.output_index,
                instead=(
                    "write a line that it prints; or, if its success is all that matters, let it "
                    f"print nothing (--quiet, >/dev/null), or let `$ {STATUS_QUESTION}` and `0` "
                    "follow"
                ),
            )

    def programs(self, block: Block) -> Sequence[str]:
        """Return the commands."""
        asked = commands(block)
        return [] if isinstance(asked, Fault) else [command.text for command in asked]

    def judge(self, block: Block, page: PageRun) -> None:
        """Run the commands in one shell and compare what each prints."""
        asked = commands(block)
        if isinstance(asked, Fault):
            raise BlockError(asked.line, asked.message)
        page.enter(block)
        session = page.sandbox.console([command.text for command in asked], seconds=page.seconds)
        printed = [page.keep_printed(block, [run.text]) for run in session.runs]
        unfinished = page.keep_printed(block, [session.unfinished])
        for number, (command, run) in enumerate(zip(asked, session.runs, strict=False)):
            may_fail = number + 1 < len(asked) and asked[number + 1].text == STATUS_QUESTION
            if run.status and not may_fail:
                raise BlockError(
                    block.at(command.index),
                    f"`{command.short}` exited with status {run.status}; "
                    f"if it should, let the next command be `$ {STATUS_QUESTION}`",
                    [*page.tail(printed[number]), *page.named_lines(printed[number])],
                )
            if page.is_empty:
                check_options_known(page, printed[number], command.expected)
            _compare(block, page, command, printed[number])
        if session.trouble:
            culprit = asked[min(len(session.runs), len(asked) - 1)]
            raise BlockError(
                block.at(culprit.index),
                f"`{culprit.short}` {session.trouble}",
                page.tail(unfinished),
            )
        page.printed.append(
            PrintedBlock(
                line=block.line,
                commands=tuple(
                    PrintedCommand(text=command.text, output="\n".join(lines), status=run.status)
                    for command, lines, run in zip(asked, printed, session.runs, strict=True)
                ),
            )
        )


def _asks_for_success(command: Command) -> bool:
    return command.text == STATUS_QUESTION and command.expected == ("0",)


def _compare(block: Block, page: PageRun, command: Command, printed: Sequence[str]) -> None:
    expected = command.expected
    differs = first_difference(expected, printed)
    if differs is not None and page.is_empty:
        printed = list(dropwhile(_INSTALLATION.match, printed))
        differs = first_difference(expected, printed)
    if differs is None:
        return
    if page.accepts and block.literal:
        page.accept(block, command, printed)
        return
    index = command.output_index + min(differs, len(expected) - 1) if expected else command.index
    elsewhere = "; it is not accepted, since the page's own source does not have this block: "
    raise BlockError(
        block.at(index),
        f"`{command.short}` printed something else"
        + (f"{elsewhere}mend it where it is written" if page.accepts else "")
        + " (- the page, + the run)",
        [*difference(expected, printed), *page.named_lines(printed)],
    )
