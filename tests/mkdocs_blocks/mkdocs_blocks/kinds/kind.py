"""What every kind of block has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mkdocs_blocks.block import Block

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mkdocs_blocks.block import SandboxName
    from mkdocs_blocks.page_run import PageRun
    from mkdocs_blocks.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Fence:
    """A fence before a kind has claimed it."""

    language: str
    lexer: str
    """Pygments's first name for the language; empty when it knows none."""
    title: str
    options: Mapping[str, str]
    lines: tuple[str, ...]
    of_project: bool
    """Whether the title is that of a file of the project."""
    written_in: str
    """The lexer that the title's file name stands for; empty when it stands for none."""
    sandbox: SandboxName = "project"
    """Where the blocks of its page run."""

    @property
    def text(self) -> str:
        """Return the content with a newline at its end."""
        return "".join(f"{line}\n" for line in self.lines)

    def as_block(self, kind: str) -> Block:
        """Return the fence as a block of a kind, of a page that is not known."""
        return Block(
            place=0,
            line=0,
            language=self.language,
            lexer=self.lexer,
            kind=kind,
            lines=self.lines,
        )


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a fence cannot be checked as it is written."""

    rule: str
    message: str
    index: int | None = None
    """The line of the content, from 0, that is wrong; None: the fence's own."""


class Kind(ABC):
    """A kind of block: what it claims, how it counts, and how it is judged."""

    name: ClassVar[str]
    counts_as: ClassVar[str]
    """The word of the summary: run, checked, excused or declared."""
    fences: ClassVar[str]
    """The fences of this kind, for the table of the guide."""
    done: ClassVar[str]
    """What is done with them, for the table of the guide."""
    options: ClassVar[frozenset[str]] = frozenset()
    """Attributes that it takes beside `title`, `hl_lines` and `linenums`."""
    after_the_others: ClassVar[bool] = False
    """Whether it is judged when all other blocks of the page have been."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings of the site."""
        self.settings = settings

    @abstractmethod
    def claims(self, fence: Fence) -> bool:
        """Tell whether a fence that no earlier kind has claimed is one of these."""

    def problems(self, fence: Fence) -> Iterable[Problem]:  # noqa: ARG002 - for those that look
        """Return what is wrong with a claimed fence, before anything is run."""
        return ()

    def programs(self, block: Block) -> Sequence[str]:
        """Return what of a block is run: its text, without the outputs that it shows."""
        return [block.text] if self.counts_as == "run" else []

    @abstractmethod
    def judge(self, block: Block, page: PageRun) -> None:
        """Run or check a block; raise `BlockError` when it is not true."""
