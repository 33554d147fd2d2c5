"""One conversion of Markdown to HTML by the site's own parser, watched from the inside."""

# ruff: noqa: ANN401 - the parsers that are watched have no types

from __future__ import annotations

import re
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from mkdocs_blocks.block import Fault
from mkdocs_blocks.fences import (
    FENCE_LIKE,
    Fence,
    FencedCode,
    FencesSeen,
    Shown,
    Superfences,
    parser_of,
    prose_of,
    replaced,
    shown_in,
)
from mkdocs_blocks.lines import Lines, Origin, plain
from mkdocs_blocks.links import LinksSeen, line_of_target, tagged
from mkdocs_blocks.snippets import Snippets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_REFERENCE = re.compile(r"\[[^\[\]\n]+\]\[[^\[\]\n]*\]|\[\^[^\[\]\n]+\]|-+8<-+")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")


class Conversion:
    """What happens to the lines of a text on their way to HTML.

    After `convert`, `lines` are those that the parser of fences saw, `fences` what it found in
    them, `prose` the lines without fences.
    """

    def __init__(self, lines: Lines, tell: Callable[[int], None] | None = None) -> None:
        """Take the lines before the first preprocessor.

        With `tell`, the links are watched too: it is called with the line of each.
        """
        self.lines = lines
        self.prose = lines
        self.found = FencesSeen(seen=lines.text, after=lines.text, fences=[], spans=[])
        self.html = ""
        self.shown = Shown({}, [])
        self.snippets: Snippets | None = None
        self.links: LinksSeen | None = None
        self._tell = tell
        self._watcher: Superfences | FencedCode | None = None
        self._searched: Counter[str] = Counter()

    def convert(self, md: Any, convert: Callable[[str], str]) -> str:
        """Let the parser `md` convert the lines with its own `convert`; return the HTML."""
        text = "\n".join(self.lines.text)
        with ExitStack() as stack:
            self._watch(md, stack)
            html = convert(text)
        self.html = self.links.finish(html) if self.links is not None else html
        self.shown = shown_in(self.html)
        return self.html

    def _watch(self, md: Any, stack: ExitStack) -> None:
        parser = parser_of(md)
        if self._tell is not None:
            self.links = LinksSeen(self._tell, self._search)
            self.links.watch(md, stack)
        for step in list(md.preprocessors):
            if parser is not None and step is parser[0]:
                self._watcher = parser[1]
                running = self._fences(step.run, parser[1])
                stack.enter_context(replaced(step, "run", running))
                return
            if parser is not None and Superfences.reads(step):
                continue  # `preserve_tabs` puts fences away, and back before they are read
            running = self._snippets(step) if Snippets.reads(step) else self._other(step.run)
            stack.enter_context(replaced(step, "run", running))

    def _other(self, run: Callable[[list[str]], list[str]]) -> Callable[[list[str]], list[str]]:
        def running(lines: list[str]) -> list[str]:
            if len(lines) != len(self.lines):  # fences are away
                return run(lines)
            after = run(lines)
            self.lines = self.lines.changed_to(after)
            return after

        return running

    def _snippets(self, step: Any) -> Callable[[list[str]], list[str]]:
        run = step.run
        self.snippets = snippets = Snippets(step)

        def running(_: list[str]) -> list[str]:
            with replaced(step, "run", run):
                self.lines = snippets.put_in(self.lines)
            return list(self.lines.text)

        return running

    def _fences(
        self, run: Callable[[list[str]], list[str]], watcher: Superfences | FencedCode
    ) -> Callable[[list[str]], list[str]]:
        def running(lines: list[str]) -> list[str]:
            self.found = watcher.run(run, lines)
            self.lines = self.lines.changed_to(self.found.seen)
            self.prose = self.lines.replaced(self.found.spans, self.found.after)
            return self.found.after if self.links is None else tagged(self.prose)

        return running

    def _search(self, target: str) -> int:
        """Return the line of a target that has no tag, the next one each time."""
        self._searched[target] += 1
        return line_of_target(target, self.prose, self._searched[target] - 1)

    def shows(self, fence: Fence) -> bool:
        """Tell whether readers see a fence; what the site makes of its own ones may be anything."""
        return fence.custom or fence.number in self.shown.fences

    # What is wrong.

    def faults(self) -> Iterator[Fault]:
        """Yield what the site does not show as it is meant."""
        escaped: set[int] = set()
        broken: set[int] = set()
        if self.snippets is not None:
            yield from self.snippets.faults
            escaped = self.snippets.escaped
            broken = {fault.line for fault in self.snippets.faults}
        yield from self._unread()
        yield from self._not_as_shown()
        yield from self._unresolved(escaped | broken)

    def _unread(self) -> Iterator[Fault]:
        """Yield a fault for each fence-like line that is part of no fence."""
        if self._watcher is None:
            return
        covered = {n for fence in self.found.fences for n in range(fence.start, fence.end)}
        swapped = False
        for index, line in enumerate(self.lines.text):
            found = FENCE_LIKE.match(line)
            if found is None or index in covered:
                continue
            if swapped and not found["info"].strip():
                continue  # the end of one that was told already
            swapped = True
            yield Fault(
                line=self.lines.at[index], message=self._watcher.refusal(line), rule="unread-fence"
            )

    def _not_as_shown(self) -> Iterator[Fault]:
        """Yield a fault for each code block of the HTML that is no fence, and the reverse."""
        unseen = set()
        for fence in self.found.fences:
            if not self.shows(fence):
                unseen.add(self.lines.text[fence.start].strip())
                yield Fault(
                    line=self.lines.at[fence.start],
                    message="readers do not see this fence as a code block",
                    rule="unseen-fence",
                )
        after = 0
        for text in self.shown.others:
            first = text.split("\n", 1)[0].strip()
            if first in unseen:
                continue  # the same fence, shown as it is written
            index = self._prose_line(first, after)
            if index is None:
                line = self._first_line
                message = (
                    f"a code block that no line of this page has, {first!r}: a Markdown extension "
                    "makes it, and it is not checked"
                )
            else:
                after, line = index + 1, self.prose.at[index]
                message = f"a code block without a fence, {first!r}: write it as a fence"
            yield Fault(line=line, message=message, rule="no-fence")

    def _prose_line(self, first: str, after: int) -> int | None:
        """Return the index of the line that a code block outside of fences begins with."""
        whole = first.split()
        for fits in (
            lambda line: line.split() == whole,
            lambda line: first in line,
        ):
            for start in (after, 0):
                for index in range(start, len(self.prose)):
                    if fits(self.prose.text[index]):
                        return index
        return None

    def _unresolved(self, but: set[int]) -> Iterator[Fault]:
        """Yield a fault for each `[text][name]` and `[^note]` that is shown as it was written."""
        if not any(sign in self.html for sign in ("][", "[^", "8&lt;")):
            return
        after: Counter[str] = Counter()
        for shown in _REFERENCE.findall(prose_of(self.html)):
            index = next(
                (
                    index
                    for index in range(after[shown], len(self.prose))
                    if shown in _CODE_SPAN.sub("", self.prose.text[index])
                ),
                None,
            )
            if index is None:
                if self._is_escaped(shown):
                    continue
                line = self._first_line
            else:
                after[shown] = index + 1
                line = self.prose.at[index]
            if line in but:
                continue
            if "8<" in shown:
                message = f"{shown} is shown as it is: a snippet needs a line of its own"
            else:
                message = f"{shown} refers to a link or a note that this page does not define"
            yield Fault(line=line, message=message, rule="unresolved")

    def _is_escaped(self, shown: str) -> bool:
        """Tell whether the text says with backslashes that it means just this."""
        pattern = re.compile("".join(rf"\\?{re.escape(character)}" for character in shown))
        return any("\\" in line and pattern.search(line) for line in self.prose.text)

    @property
    def _first_line(self) -> int:
        return self.lines.at[0] if self.lines.at else 1


def is_made(lines: Lines, start: int, end: int) -> bool:
    """Tell whether one of these lines was made by a plugin, a hook or an extension."""
    return any(origin is Origin.MADE for origin in lines.origin[start:end])


def is_literal(lines: Lines, start: int, end: int, source: Sequence[str]) -> bool:
    """Tell whether the page's own source has these lines, one after the other, as they are."""
    first = lines.at[start]
    if lines.at[start:end] != list(range(first, first + end - start)):
        return False
    if any(origin is not Origin.SOURCE for origin in lines.origin[start:end]):
        return False
    own = source[first - 1 : first - 1 + end - start]
    return [plain(line) for line in own] == [plain(line) for line in lines.text[start:end]]
