"""What the blocks of one page share while they are judged: a sandbox, and what was printed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_blocks.acceptance import Edit, Refused, accept, rewritten
from mkdocs_blocks.block import Block, BlockError, Page
from mkdocs_blocks.memory import mark_unread
from mkdocs_blocks.python_blocks import BareCarrier, ConftestError, PythonBlocks
from mkdocs_blocks.sandbox import Sandbox
from mkdocs_blocks.site import read_text
from mkdocs_blocks.terminal import shown
from mkdocs_blocks.transcript import same_commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mkdocs_blocks.kinds import Kind
    from mkdocs_blocks.printed import PrintedBlock
    from mkdocs_blocks.processes import Ended, Supervisor
    from mkdocs_blocks.settings import Settings
    from mkdocs_blocks.transcript import Command

MOST_LINES = 60
"""Lines of an output that a failure shows at the most, from its end."""


@dataclass(kw_only=True)
class PageRun:
    """The state of one page; its sandbox is made when the first block needs it."""

    root: Path
    """The project that the sandbox is a copy of: pytest's rootdir."""
    page: Page
    pages: Sequence[str]
    """The names of all pages of the site."""
    settings: Settings
    kinds: Mapping[str, Kind]
    supervisor: Supervisor
    carrier: BareCarrier | None
    """What Python blocks of several pages share."""
    folder: Path
    """A folder of this process alone, outside of all sandboxes."""
    accepts: bool = False
    """Whether outputs that differ are accepted."""
    edits: list[Edit] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What an author should look at in accepted outputs, as `page.md:line: …`."""
    not_to_be_run: set[int] = field(default_factory=set)
    """The places of blocks that nobody has read yet: not even for the sake of a quote."""
    shown: list[Block] = field(default_factory=list)
    """The file blocks that were written into the sandbox."""
    printed: list[PrintedBlock] = field(default_factory=list)
    """What the console blocks printed that are true."""
    _sandbox: Sandbox | None = None
    _python: PythonBlocks | None = None
    _printed: dict[int, list[str]] = field(default_factory=dict)
    _judged: set[int] = field(default_factory=set)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Return the blocks of the page; `block.place` is the index."""
        return self.page.blocks

    @property
    def seconds(self) -> float:
        """Return the time that a block may take."""
        return self.settings.seconds

    @property
    def sandbox(self) -> Sandbox:
        """Return the page's sandbox."""
        if self._sandbox is None:
            self._sandbox = Sandbox(
                None if self.is_empty else self.root,
                self.supervisor,
                install=self.settings.install,
                variables=self.settings.variables,
                seconds=self.seconds,
            )
            mark_unread(self._sandbox.root, self.pages)
        return self._sandbox

    @property
    def is_empty(self) -> bool:
        """Tell whether the sandbox has nothing but what the page shows."""
        return self.page.sandbox == "empty"

    @property
    def used(self) -> Sandbox | None:
        """Return the sandbox if a block has needed one."""
        return self._sandbox

    def close(self) -> None:
        """Remove the sandbox, and end what runs in it.

        Raises `BlockError` when the `conftest.py` of the page has left a process.
        """
        left = self._python.close() if self._python is not None else ()
        self._python = None
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None
        if left:
            conftests = [file for file in self.shown if Path(file.title).name == "conftest.py"]
            line = conftests[-1].line if conftests else 0
            raise BlockError(line, f"conftest.py left a process behind: {', '.join(left)}")

    def judge(self, block: Block) -> None:
        """Run or check one block.

        Raises `BlockError` when the block is not true, `SandboxError` when it cannot be tried.
        """
        self._judged.add(block.place)
        self.kinds[block.kind].judge(block, self)

    # Files.

    def enter(self, block: Block) -> None:
        """Write the files that the blocks before this one show, those that are not there yet."""
        written = {file.place for file in self.shown}
        for earlier in self.blocks[: block.place]:
            if earlier.kind == "file" and earlier.place not in written:
                self.show(earlier)

    def show(self, block: Block) -> None:
        """Write the file of a block."""
        self.sandbox.write(block.title, block.text)
        self.shown.append(block)

    def project_file(self, name: str) -> str:
        """Return the text of a file of the project, not of the sandbox's copy."""
        try:
            return (self.root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise BlockError(0, f"{name} is not UTF-8: it cannot be shown as text") from None

    # Programs.

    def program(self, *arguments: str) -> Ended:
        """Run a program of the checker's own in the sandbox, within the time of a block."""
        return self.sandbox.program(arguments, seconds=self.seconds)

    def told(self, ended: Ended) -> str:
        """Tell how a program ended that did not end by itself, or nothing."""
        return {
            "": "",
            "time": f"did not end within {self.seconds:g} s",
            "output": "printed more than the checker keeps",
        }.get(ended.trouble, "was ended together with the checker's supervisor")

    def run_python(self, block: Block) -> None:
        """Let pytest-markdown-docs run a Python block in the sandbox."""
        if self._python is None:
            self._python = PythonBlocks(self.sandbox, self.supervisor, bare=self.carrier)
        conftests = [file.title for file in self.shown if Path(file.title).name == "conftest.py"]
        try:
            printed = self._python.run(
                block, page=self.page.name, conftests=conftests, seconds=self.seconds
            )
        except ConftestError as error:
            # It is wrong where the page shows that file, not where the block needs it.
            shown_as = {file.title: file for file in self.shown}
            if file := shown_as.get(error.title):
                error.line = file.at(error.at - 1) if error.at else file.line
            raise
        self.keep_printed(block, [printed])

    # Outputs.

    def keep_printed(self, block: Block, texts: Iterable[str]) -> list[str]:
        """Return outputs as the lines that a terminal shows, and keep them for quotes."""
        lines = [line for text in texts for line in shown(text)]
        self._printed.setdefault(block.place, []).extend(lines)
        return lines

    def all_printed(self) -> list[list[str]]:
        """Return what each block has printed; what has not been run yet is run for it."""
        known = self._judged | self.not_to_be_run
        for block in self.blocks:
            if self.kinds[block.kind].counts_as == "run" and block.place not in known:
                try:
                    self.judge(block)
                except BlockError:
                    continue  # told by its own item, when that is asked for
        return list(self._printed.values())

    def accept(self, block: Block, command: Command, printed: Sequence[str]) -> None:
        """Take an output for the page's; raise `BlockError` if it cannot be taken."""
        accepted = accept(command.expected, printed, self.sandbox.places)
        edit = Edit.of(block, command, () if isinstance(accepted, Refused) else accepted.lines)
        if isinstance(accepted, Refused):
            raise BlockError(edit.first, f"the output is not accepted: {accepted.reason}")
        self.remarks += [f"{self.page.name}:{edit.first}: {said}" for said in accepted.remarks]
        self.edits.append(edit)

    def take_remarks(self) -> list[str]:
        """Return what an author should look at in the outputs accepted since the last time."""
        taken, self.remarks = self.remarks, []
        return taken

    def rewrite(self) -> bool:
        """Write the accepted outputs into the page; tell whether there were any.

        Raises `BlockError`, and leaves the page as it is, when the new text would not have the
        same blocks with the same commands.
        """
        if not self.edits:
            return False
        path = self.root / self.page.name
        with path.open(encoding="utf-8", newline="") as stream:  # line ends as they are
            before = stream.read()
        try:
            after = rewritten(before, self.edits).encode()
        except ValueError as error:
            raise BlockError(
                self.edits[0].first, f"the page has changed meanwhile: {error}"
            ) from None
        now = read_text(self.root, self.settings, self.page.name, after, into=self.folder)
        same = len(now.blocks) == len(self.blocks) and all(map(_same, self.blocks, now.blocks))
        if not same or len(now.faults) > len(self.page.faults):
            raise BlockError(
                self.edits[0].first,
                "the new outputs would change which blocks or commands the page has: write them "
                "by hand",
            )
        try:
            path.write_bytes(after)
        except OSError as error:
            raise BlockError(
                self.edits[0].first, f"the page cannot be written: {error.strerror}"
            ) from None
        return True

    @staticmethod
    def tail(lines: str | Sequence[str]) -> list[str]:
        """Return the last lines of an output, and how many are not shown."""
        every = shown(lines) if isinstance(lines, str) else list(lines)
        hidden = len(every) - MOST_LINES
        return [f"({hidden} lines before this)", *every[-MOST_LINES:]] if hidden > 0 else every

    def named_lines(self, lines: Sequence[str]) -> Iterator[str]:
        """Yield the page's line of each line of a shown file that an output names."""
        for title, block in {block.title: block for block in self.shown}.items():
            pattern = re.compile(rf'\b{re.escape(Path(title).name)}(?::|", line )(?P<line>\d+)')
            named = {
                int(found["line"])
                for line in lines[-MOST_LINES:]
                for found in pattern.finditer(line)
            }
            for number in sorted(named):
                if number <= len(block.lines):
                    yield (
                        f"{self.page.name}:{block.at(number - 1)}: "
                        f"this is line {number} of {title}, which the output names"
                    )


def _same(before: Block, after: Block) -> bool:
    """Tell whether a block is the same but for the outputs of its commands."""
    if before.kind == after.kind == "console":
        return before.title == after.title and same_commands(before, after)
    return (before.kind, before.language, before.title, before.lines) == (
        after.kind,
        after.language,
        after.title,
        after.lines,
    )
