"""The lines of a page on their way to the parser of fences, each with the place it comes from."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Origin(IntEnum):
    """Who wrote a line."""

    SOURCE = 0
    """The page's own source has it."""
    SNIPPET = 1
    """A snippet that the page names has it."""
    MADE = 2
    """A plugin, a hook or a Markdown extension has made or changed it."""


def plain(line: str) -> str:
    """Return a line as Markdown sees it: tabs are blanks, and those at its end are nothing."""
    return line.expandtabs(4).rstrip()


@dataclass(frozen=True)
class Lines:
    """Lines, the page's line of each, counted from 1, and the origin of each."""

    text: list[str]
    at: list[int]
    origin: list[Origin]

    @classmethod
    def of_source(cls, text: Sequence[str], at: Iterable[int]) -> Lines:
        """Return the lines of a source as it is."""
        return cls(list(text), list(at), [Origin.SOURCE] * len(text))

    def __len__(self) -> int:
        return len(self.text)

    def changed_to(self, after: Sequence[str]) -> Lines:
        """Return what something has made of these lines: what it left alone keeps its place.

        Tabs that became spaces, and blanks at the end of a line, do not count as a change. A line
        that is new has the place of the one before it.
        """
        if list(after) == self.text:
            return self
        before = [plain(line) for line in self.text]
        now = [plain(line) for line in after]
        shorter = min(len(before), len(now))
        head = 0
        while head < shorter and before[head] == now[head]:
            head += 1
        tail = 0
        while tail < shorter - head and before[-1 - tail] == now[-1 - tail]:
            tail += 1
        last, end = len(before) - tail, len(now) - tail
        at, origin = self.at[:head], self.origin[:head]
        matcher = difflib.SequenceMatcher(None, before[head:last], now[head:end])
        for what, b1, b2, a1, a2 in matcher.get_opcodes():
            if what == "equal":
                at += self.at[head + b1 : head + b2]
                origin += self.origin[head + b1 : head + b2]
                continue
            replaced = self.at[head + b1 : head + b2]
            for number in range(a2 - a1):
                if replaced:
                    place = replaced[min(number, len(replaced) - 1)]
                else:
                    place = at[-1] if at else (self.at[0] if self.at else 1)
                at.append(place)
                origin.append(Origin.MADE)
        at += self.at[last:]
        origin += self.origin[last:]
        return Lines(list(after), at, origin)

    def replaced(self, spans: Iterable[tuple[int, int, int]], after: Sequence[str]) -> Lines:
        """Return these lines with `after` in their place, given what was replaced by how much.

        Each span is the first line, the line after the last, and the number of new lines.
        """
        at: list[int] = []
        origin: list[Origin] = []
        done = 0
        for start, end, count in spans:
            at += self.at[done:start] + [self.at[start]] * count
            origin += self.origin[done:start] + [self.origin[start]] * count
            done = end
        at += self.at[done:]
        origin += self.origin[done:]
        if len(at) != len(after):  # the parser did more than put the fences away
            return self.changed_to(after)
        return Lines(list(after), at, origin)
