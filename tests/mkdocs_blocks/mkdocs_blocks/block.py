"""Blocks, pages and what is wrong with them: the plain data that all other modules share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

SandboxName = Literal["project", "empty"]
"""Where the blocks of a page run: in a copy of the project, or, as its readers would without the
project, in an empty folder that gets only what the page shows."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something on a page that cannot be checked, or that is wrong as it is written."""

    line: int
    """The page's line, from 1."""
    message: str
    """What is wrong, and what to write instead."""
    rule: str
    """The name by which a site can soften it, such as `only-defines`."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block as the page's readers see it.

    Lines are counted from 1, in the page's source, front matter included.
    """

    place: int
    """The block's identity: how many blocks of the page come before it."""
    line: int
    """The line of the opening fence; of a block from a snippet, the snippet's line."""
    language: str
    """The language as it is written."""
    lexer: str
    """Pygments's first name for that language: `python` for `py`; empty when it knows none."""
    kind: str
    """The name of the kind that claims the block."""
    title: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    """The other attributes of the fence, such as `hl_lines` and `fixture`."""
    lines: tuple[str, ...] = ()
    lines_at: tuple[int, ...] = ()
    """The page's line of each line of content; those of a snippet all have the snippet's line."""
    prefix: str = ""
    """What stands before each line of content in the page: indentation, `> `."""
    literal: bool = True
    """Whether the page's own source has these lines, so that they can be rewritten there."""

    @property
    def text(self) -> str:
        """Return the content with a newline at its end."""
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def span(self) -> tuple[int, int]:
        """Return the page's lines of the two fences."""
        return self.line, self.at(len(self.lines)) + 1

    def at(self, index: int) -> int:
        """Return the page's line of the content line `index`, counted from 0."""
        if not self.lines_at:
            return self.line
        return self.lines_at[max(0, min(index, len(self.lines_at) - 1))]


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the site: its blocks and faults, each in the order of the page."""

    name: str
    """Its path below the project, with slashes: what failures begin with."""
    blocks: tuple[Block, ...] = ()
    faults: tuple[Fault, ...] = ()
    sandbox: SandboxName = "project"
    """The value of `sandbox` in its front matter."""


class BlockError(Exception):
    """A block that is not true."""

    def __init__(self, line: int, message: str, details: Sequence[str] = ()) -> None:
        """Keep the page's line, what is wrong there, and the lines that show it."""
        super().__init__(message)
        self.line = line
        self.message = message
        self.details = tuple(details)
