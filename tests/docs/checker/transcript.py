"""Commands with the output that the page shows: reading them, comparing them, rewriting them.

Wildcards: `[..]` stands for any part of a line, a line that is only `...` for any lines. They are
trycmd's, since doctest's `...` would match the dots that pytest prints.
"""

import difflib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tests.docs.checker.page import Block, Fault

ANY_LINES = "..."
ANY_TEXT = "[..]"

# What differs from run to run in the output of pytest, uv and mkdocs; written as a wildcard when
# an output is accepted.
_VOLATILE = (
    (re.compile(r"^=+ (.*) in \d+\.\d+s(?: \(.*\))? =+$"), rf"{ANY_TEXT} \1 in {ANY_TEXT}"),
    (re.compile(r"^platform .*$"), f"platform {ANY_TEXT}"),
    (re.compile(r"^(rootdir|cachedir): .*$"), rf"\1: {ANY_TEXT}"),
    (re.compile(r"\b\d+(?:\.\d+)?ms\b|\b\d+\.\d+s\b"), ANY_TEXT),
    (re.compile(r"\b0x[0-9a-f]{6,}\b"), ANY_TEXT),
    # Ports that the system chose.
    (re.compile(r"127\.0\.0\.1:\d{5}\b"), f"127.0.0.1:{ANY_TEXT}"),
)
_TOKEN = re.compile(r"\[\.\.\]|\d+|[^\W\d]+|\s+|.")

# Costs of the alignment. A replaced line must be cheaper than a dropped one, or `...` would
# swallow the line that took its place.
_ADDED, _DROPPED = 1.0, 2.0
_ALIKE = 0.5

# Lines behind a `...` that a diff shows.
_MOST_HIDDEN = 12


@dataclass(frozen=True, kw_only=True)
class Command:
    """One `$ command` of a console block; `index` is its line in the block, from 0."""

    index: int
    text: str
    output: tuple[str, ...]

    @property
    def short(self) -> str:
        """Return the command's first line, for a message."""
        first, found, _ = self.text.partition("\n")
        return f"{first} …" if found else first

    @property
    def output_index(self) -> int:
        """Return the line in the block at which the expected output starts."""
        return self.index + self.text.count("\n") + 1


def commands(block: Block) -> list[Command] | Fault:
    """Read a console block, or say why it is none."""
    found: list[tuple[int, list[str], list[str]]] = []
    for index, line in enumerate(block.lines):
        if line.startswith("$ "):
            found.append((index, [line[2:]], []))
        elif not found:
            return Fault(block.at(index), f"{line!r} stands before any command: start it with `$ `")
        elif (line == ">" or line.startswith("> ")) and not found[-1][2]:
            found[-1][1].append(line[2:])
        else:
            found[-1][2].append(line)
    return [
        Command(index=index, text="\n".join(text), output=tuple(output))
        for index, text, output in found
    ]


@lru_cache(maxsize=4096)
def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in line.rstrip().split(ANY_TEXT)))


def line_matches(expected: str, actual: str) -> bool:
    """Tell whether one line of output is what the page shows; trailing blanks do not count."""
    return _pattern(expected).fullmatch(actual.rstrip()) is not None


def first_difference(expected: Sequence[str], actual: Sequence[str]) -> int | None:
    """Return the index of the first expected line that the output lacks; None when it matches.

    `len(expected)` means that the output goes on after the last expected line.
    """
    groups: list[tuple[int, list[str]]] = [(0, [])]
    for index, line in enumerate(expected):
        if _any_lines(line):
            groups.append((index + 1, []))
        else:
            groups[-1][1].append(line)
    position = 0
    for number, (start, group) in enumerate(groups):
        first, last = number == 0, number == len(groups) - 1
        latest = len(actual) - len(group)
        if first:
            places = [0]
        elif last:
            places = [latest] if latest >= position else []
        else:
            places = list(range(position, latest + 1))
        best = 0
        for place in places:
            matched = _matched(group, actual[place : place + len(group)])
            if matched == len(group):
                position = place + matched
                break
            best = max(best, matched)
        else:
            return start + best
        if last and position != len(actual):
            return start + len(group)
    return None


def _matched(group: Sequence[str], actual: Sequence[str]) -> int:
    """Return how many lines from the start agree."""
    count = 0
    for expected, line in zip(group, actual, strict=False):
        if not line_matches(expected, line):
            break
        count += 1
    return count


def occurs(expected: Sequence[str], actual: Sequence[str]) -> int | None:
    """Return as `first_difference` does, with anything allowed before and after."""
    found = first_difference([ANY_LINES, *expected, ANY_LINES], actual)
    return None if found is None else min(max(found - 1, 0), len(expected) - 1)


@dataclass(frozen=True)
class Step:
    """One step of an alignment: an expected line, the output lines that stand for it, or both."""

    expected: str | None
    actual: tuple[str, ...]
    same: bool


def align(expected: Sequence[str], actual: Sequence[str]) -> list[Step]:
    """Pair the expected lines with the output at the least cost, for a diff or a rewrite."""
    # cost[i][j]: of pairing expected[i:] with actual[j:]; move: the first step of the cheapest way.
    cost = [[0.0] * (len(actual) + 1) for _ in range(len(expected) + 1)]
    move = [["end"] * (len(actual) + 1) for _ in range(len(expected) + 1)]
    for i in range(len(expected), -1, -1):
        for j in range(len(actual), -1, -1):
            choices: list[tuple[float, str]] = []
            if i < len(expected):
                price = 0 if _any_lines(expected[i]) else _DROPPED
                choices.append((cost[i + 1][j] + price, "drop"))
            if j < len(actual):
                choices.append((cost[i][j + 1] + _ADDED, "add"))
            if i < len(expected) and j < len(actual):
                how, price = _pairing(expected[i], actual[j])
                rest = cost[i][j + 1] if how == "absorb" else cost[i + 1][j + 1]
                choices.append((rest + price, how))
            if choices:
                cost[i][j], move[i][j] = min(choices, key=lambda choice: choice[0])
    return list(_steps(expected, actual, move))


def _pairing(expected: str, actual: str) -> tuple[str, float]:
    """Return how one expected line can stand for one line of output, and what that costs."""
    if _any_lines(expected):
        return "absorb", 0
    if line_matches(expected, actual):
        return "same", 0
    alike = _likeness(expected, actual)
    return "replace", _DROPPED - alike if alike >= _ALIKE else math.inf


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
                yield Step(expected[i], tuple(absorbed), same=_any_lines(expected[i]))
                absorbed = []
                i += 1
            case "add":
                yield Step(None, (actual[j],), same=False)
                j += 1
            case how:
                yield Step(expected[i], (actual[j],), same=how == "same")
                i, j = i + 1, j + 1


def _any_lines(expected: str) -> bool:
    return expected.strip() == ANY_LINES


@lru_cache(maxsize=65536)
def _likeness(expected: str, actual: str) -> float:
    matcher = difflib.SequenceMatcher(None, expected, actual, autojunk=False)
    return 0.0 if matcher.quick_ratio() < _ALIKE else matcher.ratio()


def difference(expected: Sequence[str], actual: Sequence[str]) -> list[str]:
    """Return the lines of a diff: `-` the page has, `+` the run has, blank both.

    `|` marks what a line `...` stands for, the last lines of it: the cause is often among them.
    """
    lines: list[str] = []
    for step in align(expected, actual):
        if step.same:
            lines.append(f"  {step.expected}")
            if _any_lines(step.expected or ""):
                lines += [f"| {line}" for line in step.actual[-_MOST_HIDDEN:]]
            continue
        if step.expected is not None:
            lines.append(f"- {step.expected}")
        lines += [f"+ {line}" for line in step.actual]
    return lines


def accept(expected: Sequence[str], actual: Sequence[str], places: Sequence[str]) -> list[str]:
    """Return the output as the page shall show it, with the wildcards that still match.

    `places` are paths of this machine and this run, which no page shall name.
    """
    lines: list[str] = []
    for step in align(expected, actual):
        if step.same and step.expected is not None:
            lines.append(step.expected)
        elif step.actual:
            (new,) = step.actual
            lines.append(_keep_wildcards(step.expected or "", new, places))
    # What would be read as a command, or as the next line of one, must not begin like one.
    return [
        f"{ANY_TEXT}{line[1:]}" if line.startswith(("$ ", "> ")) or line == ">" else line
        for line in lines
    ]


def _keep_wildcards(expected: str, actual: str, places: Sequence[str]) -> str:
    """Return the new line with the old line's wildcards where they still stand for something."""
    old, new = _TOKEN.findall(expected), _TOKEN.findall(actual)
    line = ""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        line += ANY_TEXT if tag != "equal" and ANY_TEXT in old[i1:i2] else "".join(new[j1:j2])
    if ANY_TEXT not in line or not line_matches(line, actual):
        line = actual
        for pattern, replacement in _VOLATILE:
            line = pattern.sub(replacement, line)
    for place in places:
        line = line.replace(place, ANY_TEXT)
    return line
