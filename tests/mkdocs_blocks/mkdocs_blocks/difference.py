"""What a page shows and what a run printed, side by side: for a diff, or to write the page anew."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise, takewhile

from mkdocs_blocks.terminal import look, printable, visible
from mkdocs_blocks.transcript import (
    ANY_TEXT,
    Line,
    find,
    line_matches,
    plain,
    plain_lines,
    stands_for_lines,
)

MOST_SHOWN = 60
"""Lines of a diff."""

# Lines behind a `...`, lines on each side of a difference that agree, lines of one side alone.
_MOST_HIDDEN = 12
_CONTEXT = 1 + _MOST_HIDDEN
_MOST_OF_ONE_SIDE = 24

# Lines of the page and of the output that are compared each with each: that is what takes time.
_EXPECTED_WINDOW, _ACTUAL_WINDOW = 200, 400

# Costs of the alignment. A replaced line must be cheaper than a dropped one, or `...` would
# swallow the line that took its place.
_ADDED, _DROPPED = 1.0, 2.0
_ALIKE = 0.4

# Characters of a line that are shown, those of them before the difference, and those compared.
_LONGEST = 300
_BEFORE = 100
_COMPARED = 200


@dataclass(frozen=True)
class Step:
    """One step of an alignment: an expected line, the output lines that stand for it, or both."""

    expected: str | None
    actual: Sequence[str]
    same: bool


@dataclass(frozen=True)
class Alignment:
    """The steps; `rough` when too much differs to pair all lines at the least cost."""

    steps: Sequence[Step]
    rough: bool = False


def align(expected: Sequence[str], actual: Sequence[str]) -> Alignment:
    """Pair the expected lines with the output, at the least cost where they are few.

    What agrees at the start and at the end is paired first. When more is left than 200 lines of
    the page and 400 of the output, groups between two `...` are paired with the first lines that
    they match; what is still left is dropped and added, but for a window around the difference.
    """
    head = _agreeing(expected, actual)
    most = min(len(expected), len(actual)) - head
    tail = _agreeing(expected[::-1][:most], actual[: len(actual) - most - 1 : -1])
    steps = [Step(line, [actual[n]], same=True) for n, line in enumerate(expected[:head])]
    old, new = expected[head : len(expected) - tail], actual
    if head or tail:  # the output may be long: it is not copied for nothing
        new = actual[head : len(actual) - tail]
    rough = False
    if not _are_few(old, new):
        found, place = _groups(old, new)
        steps += found
        old, new = old[len(found) :], new[place:] if place else new
        rough = not _are_few(old, new)
    steps += _windowed(old, new) if rough else _aligned(old, new)
    steps += [
        Step(line, [actual[len(actual) - tail + n]], same=True)
        for n, line in enumerate(expected[len(expected) - tail :])
    ]
    return Alignment(_anchored(steps), rough)


def _anchored(steps: Sequence[Step]) -> Sequence[Step]:
    """Return the steps with the output's first and last lines in the place of those that are gone.

    What a page shows before its first `...` and after its last one, it goes on to show: else the
    `...` would swallow the line that tells how it went now.
    """
    return _with_end(_with_end(steps, 1)[::-1], -1)[::-1]


def _with_end(steps: Sequence[Step], direction: int) -> Sequence[Step]:
    """Do so for the end; `direction` is -1 when the steps are given backwards."""
    gone = list(takewhile(lambda step: not (step.same or step.actual), reversed(steps)))[::-1]
    rest = steps[: len(steps) - len(gone)]
    if not gone or not rest or rest[-1].expected is None or not stands_for_lines(rest[-1].expected):
        return steps
    hidden = rest[-1].actual[::direction]
    shown = hidden[max(0, len(hidden) - len(gone)) :]
    hidden = hidden[: len(hidden) - len(shown)]
    return [
        *rest[:-1],
        Step(rest[-1].expected, hidden[::direction], same=True),
        *gone[: len(gone) - len(shown)],
        *(
            Step(step.expected, [line], same=False)
            for step, line in zip(gone[len(gone) - len(shown) :], shown, strict=True)
        ),
    ]


def _are_few(expected: Sequence[str], actual: Sequence[str]) -> bool:
    return len(expected) * len(actual) <= _EXPECTED_WINDOW * _ACTUAL_WINDOW


def _agreeing(expected: Sequence[str], actual: Sequence[str]) -> int:
    """Return how many lines from the start agree, up to the first `...`."""
    count = 0
    for old, new in zip(expected, actual, strict=False):
        if stands_for_lines(old) or not line_matches(old, new):
            break
        count += 1
    return count


def _groups(expected: Sequence[str], actual: Sequence[str]) -> tuple[list[Step], int]:
    """Pair groups of lines that stand between two `...`; return the output's place after them."""
    steps: list[Step] = []
    place = 0
    marks = [index for index, line in enumerate(expected) if stands_for_lines(line)]
    if marks[:1] != [0]:
        return steps, place
    printed = plain_lines(actual)
    for start, end in pairwise(marks):
        group = expected[start + 1 : end]
        found = find([Line.of(line) for line in group], printed, place).place
        if found is None:
            break
        steps.append(Step(expected[start], actual[place:found], same=True))
        steps += [Step(line, [actual[found + n]], same=True) for n, line in enumerate(group)]
        place = found + len(group)
    return steps, place


def _windowed(expected: Sequence[str], actual: Sequence[str]) -> list[Step]:
    """Align the lines around the first difference; all others are hidden, dropped or added."""
    start = 0
    if stands_for_lines(expected[0]):
        group = list(expected[1:])
        marks = [index for index, line in enumerate(group) if stands_for_lines(line)]
        lines = [Line.of(line) for line in group[: marks[0] if marks else None]]
        found = find(lines, plain_lines(actual), 0)
        start = found.nearest - _ACTUAL_WINDOW // 2 if found.most else len(actual)
        start = max(0, min(start, len(actual) - _ACTUAL_WINDOW))
    stop = start + _ACTUAL_WINDOW
    steps = _aligned(expected[:_EXPECTED_WINDOW], actual[start:stop])
    if start:  # `...` comes first, since it costs nothing
        steps[0] = Step(expected[0], [*actual[:start], *steps[0].actual], same=True)
    steps += [Step(line, [], same=False) for line in expected[_EXPECTED_WINDOW:]]
    last = steps[-1]
    if last.expected is not None and stands_for_lines(last.expected):
        steps[-1] = Step(last.expected, [*last.actual, *actual[stop:]], same=True)
    elif actual[stop:]:
        steps.append(Step(None, actual[stop:], same=False))
    return steps


def _aligned(expected: Sequence[str], actual: Sequence[str]) -> list[Step]:
    """Pair two short texts at the least cost; any two, when one of them is empty."""
    if not expected:
        return [Step(None, actual, same=False)] if actual else []
    pairing = _Pairing(expected, actual)
    # cost[i][j]: of pairing expected[i:] with actual[j:]; move: the first step of the cheapest way.
    cost = [[0.0] * (len(actual) + 1) for _ in range(len(expected) + 1)]
    move = [["end"] * (len(actual) + 1) for _ in range(len(expected) + 1)]
    for i in range(len(expected), -1, -1):
        for j in range(len(actual), -1, -1):
            # The first of the cheapest ways: a line is dropped before others are added.
            best, way = math.inf, "end"
            if i < len(expected):
                best = cost[i + 1][j] + (0 if pairing.lines[i] is None else _DROPPED)
                way = "drop"
            if j < len(actual) and cost[i][j + 1] + _ADDED < best:
                best, way = cost[i][j + 1] + _ADDED, "add"
            if i < len(expected) and j < len(actual):
                how, price = pairing.price(i, j)
                price += cost[i][j + 1] if how == "absorb" else cost[i + 1][j + 1]
                if price < best:
                    best, way = price, how
            if way != "end":
                cost[i][j], move[i][j] = best, way
    return list(_steps(expected, actual, move))


class _Pairing:
    """How the lines of two short texts can stand for each other."""

    def __init__(self, expected: Sequence[str], actual: Sequence[str]) -> None:
        self.lines = [None if stands_for_lines(line) else Line.of(line) for line in expected]
        self._printed = [plain(line) for line in actual]
        self._old = [_letters(line.replace(ANY_TEXT, "")) for line in expected]
        self._new = [_letters(line) for line in actual]

    def price(self, i: int, j: int) -> tuple[str, float]:
        """Return how an expected line can stand for a line of output, and what that costs."""
        line = self.lines[i]
        if line is None:
            return "absorb", 0
        if line.matches(self._printed[j]):
            return "same", 0
        old, new = self._old[i], self._new[j]
        # Of a line with wildcards, what it has must be there; the rest may be what they stand for.
        whole = len(old) if len(line.parts) > 1 else (len(old) + len(new)) / 2
        alike = len(old & new) / whole if whole else 0.0
        return "replace", _DROPPED - alike if alike >= _ALIKE else math.inf


def _letters(line: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters in the first part of a line."""
    text = f" {look(line[:_COMPARED])} "
    return frozenset(a + b for a, b in pairwise(text)) if text.strip() else frozenset()


def _steps(
    expected: Sequence[str], actual: Sequence[str], move: Sequence[Sequence[str]]
) -> Iterator[Step]:
    i = j = 0
    absorbed: list[str] = []
    while move[i][j] != "end":
        match move[i][j]:
            case "absorb":
                absorbed.append(actual[j])
                j += 1
            case "drop":
                yield Step(expected[i], absorbed, same=stands_for_lines(expected[i]))
                absorbed = []
                i += 1
            case "add":
                yield Step(None, [actual[j]], same=False)
                j += 1
            case how:
                yield Step(expected[i], [actual[j]], same=how == "same")
                i, j = i + 1, j + 1


# The diff.


def difference(expected: Sequence[str], actual: Sequence[str]) -> list[str]:
    """Return at most 60 lines of a diff, from before the first difference on.

    `-` the page has, `+` the run has, blank both; `|` marks what a line `...` stands for, the last
    lines of it: the cause is often among them. `?` says that two lines differ in what the eye does
    not see; there it is spelled out. A long line is cut around its difference.
    """
    lines: list[str] = []
    agreeing: list[str] = []
    dropped: list[Sequence[str]] = []
    added: list[Sequence[str]] = []
    seen = False

    def end_of_difference() -> None:
        lines.extend([*_some(dropped, "- "), *_some(added, "+ ")])
        dropped.clear()
        added.clear()

    for step in align(expected, actual).steps:
        if step.same and step.expected is not None:
            end_of_difference()
            agreeing.append(f"  {_cut(step.expected)}")
            if stands_for_lines(step.expected):
                hidden = step.actual[-_MOST_HIDDEN:]
                agreeing += [f"| {_cut(line)}" for line in hidden]
            continue
        if agreeing:
            lines += _context(agreeing, after_a_difference=seen)
            agreeing = []
        seen = True
        if step.expected is not None and step.actual:
            end_of_difference()
            lines += _replaced(step.expected, step.actual[0])
        elif step.expected is not None:
            dropped.append([step.expected])
        else:
            added.append(step.actual)
    end_of_difference()
    lines += agreeing[:_CONTEXT]
    if len(lines) > MOST_SHOWN:
        hidden_lines = len(lines) - MOST_SHOWN + 1
        lines = [*lines[: MOST_SHOWN - 1], f"({hidden_lines} more lines of the difference)"]
    return lines


def _context(agreeing: Sequence[str], *, after_a_difference: bool) -> list[str]:
    """Return the lines that agree before a difference, but for those far from one."""
    first = _CONTEXT if after_a_difference else 0
    hidden = len(agreeing) - first - _CONTEXT
    if hidden <= 1:
        return list(agreeing)
    return [*agreeing[:first], f"({hidden} lines that agree)", *agreeing[-_CONTEXT:]]


def _some(groups: Sequence[Sequence[str]], mark: str) -> list[str]:
    """Return lines of one side, those in the middle only counted when they are many."""
    half = _MOST_OF_ONE_SIDE // 2
    hidden = sum(map(len, groups)) - 2 * half
    lines = chain.from_iterable(groups)
    if hidden <= 1:
        return [f"{mark}{_cut(line)}" for line in lines]
    backwards = chain.from_iterable(map(reversed, reversed(groups)))
    return [
        *(f"{mark}{_cut(line)}" for line in islice(lines, half)),
        f"{mark}({hidden} more lines)",
        *(f"{mark}{_cut(line)}" for line in [*islice(backwards, half)][::-1]),
    ]


def _replaced(expected: str, actual: str) -> list[str]:
    """Return two lines that stand for each other, cut around their difference."""
    old, new = plain(expected), plain(actual)
    at = _agreeing_characters(old, new)
    if Line.of(look(old)).matches(look(new)):
        return [
            f"- {_cut(old, at, visible)}",
            f"+ {_cut(new, at, visible)}",
            "? these differ in characters that the eye does not see, spelled out here",
        ]
    return [f"- {_cut(old, at)}", f"+ {_cut(new, at)}"]


def _agreeing_characters(old: str, new: str) -> int:
    """Return how many characters from the start are the same."""
    most = min(len(old), len(new))
    start = 0
    while start < most and old[start : start + _LONGEST] == new[start : start + _LONGEST]:
        start += _LONGEST
    while start < most and old[start] == new[start]:
        start += 1
    return min(start, most)


def _cut(line: str, at: int = 0, spell: Callable[[str], str] = printable) -> str:
    """Return a line that can be read: of a long one, the part around a place."""
    if len(line) <= _LONGEST:
        return spell(line)
    start = max(0, min(at - _BEFORE, len(line) - _LONGEST))
    left, right = start, len(line) - start - _LONGEST
    return "".join(
        (
            f"({left} characters) … " if left else "",
            spell(line[start : start + _LONGEST]),
            f" … ({right} more characters)" if right else "",
        )
    )
