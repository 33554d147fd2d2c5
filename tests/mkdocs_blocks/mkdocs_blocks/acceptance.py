"""Accepting what a command prints now: the lines that the page shall show, written into its source.

The author's wildcards stay where they still stand for something. None is ever added: a line that
will differ in the next run, or that the page cannot hold, is for the author to decide.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mkdocs_blocks.block import Block
from mkdocs_blocks.difference import Step, align
from mkdocs_blocks.transcript import (
    ANY_LINES,
    ANY_TEXT,
    PROMPT,
    Command,
    is_continuation,
    line_matches,
    only_wildcards,
    stands_for_lines,
)

# What differs from run to run, and what it is.
_VOLATILE = (
    (re.compile(r"\b\d{4}-\d\d-\d\d\b(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?"), "a date"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b"), "a time of day"),
    (
        re.compile(r"\b(?:in )?\d+(?:\.\d+)?(?: ?ms| ?[µu]s| seconds)\b|\b(?:in )?\d+\.\d+ ?s\b"),
        "a time",
    ),
    (re.compile(r"(?:\b127\.0\.0\.1|\blocalhost|\[::1?\]|\b0\.0\.0\.0):\d{5}\b"), "a port"),
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "an address"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "an identifier"),
    (re.compile(r"\b(?:pid|PID)[ =:]+\d+\b"), "a process"),
    (re.compile(r"^platform .* -- Python .*$"), "a platform"),
    (re.compile(r"^(?:rootdir|cachedir): .*$"), "a folder"),
)
_TOKEN = re.compile(r"\[\.\.\]|\d+|[^\W\d]+|\s+|.")

# Characters of the longest line that a page should show, and parts of a line that are compared to
# find what its wildcards stand for.
_LONGEST = 10_000
_MOST_TOKENS = 500

# What begins or ends a block, or names a file to be put there (pymdownx.snippets).
_FENCE_OR_SNIPPET = re.compile(r"\s*(?:`{3,}|~{3,}|;*-+8<-+)")

# Unicode's categories of what a page cannot hold: controls, surrogates, other line ends.
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The lines that the page shall show, and what the author should look at."""

    lines: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    """A sentence each; a line is that of the new output, from 1."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why an output cannot be accepted, and what to do by hand."""

    reason: str


@dataclass(frozen=True)
class _New:
    """A line for the page, and whether it is one that the page had."""

    text: str
    wildcards: int
    """How many of its `[..]` are the author's."""
    kept: bool


def accept(
    expected: Sequence[str], actual: Sequence[str], places: Sequence[str]
) -> Accepted | Refused:
    """Return the output as the page shall show it, or why the author has to write it.

    What is accepted matches `actual`, has only wildcards that `expected` has, and can stand in a
    console block. `places` are paths of this machine and this run, which no page shall name.
    """
    alignment = align(expected, actual)
    has_wildcards = any(stands_for_lines(line) or ANY_TEXT in line for line in expected)
    if alignment.rough and has_wildcards:
        return Refused(
            reason="too much of the output is new to tell what its wildcards stand for: "
            f"take them out and accept it again, or write `{ANY_LINES}` for most of its lines"
        )
    lines, remarks = _new_lines(alignment.steps)
    for number, line in enumerate(lines, start=1):
        for reason in _unfit(line, number, places):
            return Refused(reason=reason)
        if not line.kept:
            remarks += _remarks(line.text, number)
    accepted = tuple(line.text for line in lines)
    if only_wildcards(accepted) and not only_wildcards(expected):
        return Refused(
            reason="only wildcards would be left, and they prove nothing: "
            "write the line that shows what the command did"
        )
    return Accepted(lines=accepted, remarks=tuple(remarks))


def _new_lines(steps: Sequence[Step]) -> tuple[list[_New], list[str]]:
    """Return the lines for the page, and what is lost by them of what the author wrote."""
    lines: list[_New] = []
    remarks: list[str] = []
    has_any_lines = any(step.expected and stands_for_lines(step.expected) for step in steps)
    for step in steps:
        if step.same and step.expected is not None:
            lines.append(_New(step.expected, step.expected.count(ANY_TEXT), kept=True))
        elif step.expected is None:
            lines += [_New(line, 0, kept=False) for line in step.actual]
        elif step.actual:
            lines.append(_keep_wildcards(step.expected, step.actual[0]))
            if lines[-1].wildcards < step.expected.count(ANY_TEXT):
                remarks.append(f"line {len(lines)} has lost a wildcard of `{step.expected}`")
        elif has_any_lines or ANY_TEXT in step.expected:
            remarks.append(f"before line {len(lines) + 1}, `{step.expected}` is gone")
    return lines, remarks


def _keep_wildcards(expected: str, actual: str) -> _New:
    """Return the new line with the old line's wildcards where they still stand for something."""
    if len(actual) > _LONGEST:
        return _New(actual, 0, kept=False)
    old, new = _TOKEN.findall(expected), _TOKEN.findall(actual)
    if ANY_TEXT in new or ANY_TEXT not in old or max(len(old), len(new)) > _MOST_TOKENS:
        return _New(actual, 0, kept=False)
    line = ""
    wildcards = 0
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            line += "".join(new[j1:j2])
        else:
            kept = _keep_wildcard(old[i1:i2], new[j1:j2])
            wildcards += kept is not None
            line += "".join(new[j1:j2]) if kept is None else kept
    if not wildcards or not line_matches(line, actual):
        return _New(actual, 0, kept=False)
    return _New(line, wildcards, kept=False)


def _keep_wildcard(old: Sequence[str], new: Sequence[str]) -> str | None:
    """Return what is left of a replaced part of a line if its wildcard still stands for something.

    As much that is not a wildcard as the page had around it, the line has again: a wildcard that
    swallowed `passed` would hide that it is `failed` now.
    """
    if old.count(ANY_TEXT) != 1:
        return None
    before = list(old).index(ANY_TEXT)
    after = len(old) - before - 1
    if len(new) <= before + after:
        return None
    return "".join([*new[:before], ANY_TEXT, *new[len(new) - after :]])


def _unfit(line: _New, number: int, places: Sequence[str]) -> Iterator[str]:
    """Yield why a line cannot stand in the page, and what to do by hand."""
    text = line.text
    the_line = f"line {number} of the output"
    by_hand = f"put `{ANY_TEXT}` there by hand"
    if number == 1 and is_continuation(text):
        yield f"{the_line} begins with `>`, as a command that goes on does: {by_hand}"
    if line.kept:
        return
    if len(text) > _LONGEST:
        yield f"{the_line} has {len(text)} characters: write what a reader needs of it by hand"
    if text.startswith(PROMPT):
        yield f"{the_line} begins with `{PROMPT}`, as a command does: {by_hand}"
    if stands_for_lines(text):
        yield f"{the_line} is `{ANY_LINES}`, which the page would read as any lines: {by_hand}"
    if text.count(ANY_TEXT) != line.wildcards:
        yield f"{the_line} has `{ANY_TEXT}`, which the page would read as any text: {by_hand}"
    if _FENCE_OR_SNIPPET.match(text):
        yield f"{the_line} begins like a fence or the mark of a snippet: {by_hand}"
    if not text.isprintable() and any(unicodedata.category(c) in _UNFIT for c in text):
        yield f"{the_line} has a control character: {by_hand}"
    if any(_names(text, place) for place in places if place):
        yield f"{the_line} names a folder of this run: {by_hand}"


def _names(text: str, place: str) -> bool:
    return re.search(rf"{re.escape(place.rstrip('/'))}(?![\w-])", text) is not None


def _remarks(text: str, number: int) -> Iterator[str]:
    """Yield what the author should look at in a new line."""
    for pattern, what in _VOLATILE:
        found = pattern.search(text)
        if found:
            yield (
                f"line {number} differs from run to run, it has {what}: `{found[0]}`: "
                f"put `{ANY_TEXT}` there"
            )
            return
    if any(unicodedata.category(c) == "Cf" for c in text):
        yield f"line {number} has characters that the eye does not see"


# Writing.


@dataclass(frozen=True, kw_only=True)
class Edit:
    """New lines for the output of one command. Lines of the page count from 1."""

    command: int
    """The page's line of the command's prompt; what stands before it, stands before each line."""
    first: int
    """The first line of the old output, or where it would be."""
    last: int
    """The last line of the old output; `first - 1` when there is none."""
    lines: tuple[str, ...]

    @classmethod
    def of(cls, block: Block, command: Command, lines: Sequence[str]) -> "Edit":
        """Return the edit that gives a command of a block these lines as its output."""
        start = block.at(command.index)
        first = start + command.output_index - command.index
        return cls(
            command=start,
            first=first,
            last=first + len(command.expected) - 1,
            lines=tuple(lines),
        )


def rewritten(source: str, edits: Sequence[Edit]) -> str:
    """Return a page's source with the accepted outputs in it; all else is as it was.

    `source` is the page as its bytes decode: with its byte order mark, and with its line endings
    (`open(…, newline="")`). New lines are indented, quoted and ended as the command before them.
    Raises `ValueError` when an edit's command is not where it says, since the page has changed.
    """
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", source)
    unended = bool(lines) and not _ending(lines[-1])
    if unended:
        lines[-1] += _ending(lines[0]) or "\n"
    for edit in sorted(set(edits), key=lambda edit: edit.first, reverse=True):
        command = lines[edit.command - 1] if edit.command <= len(lines) else ""
        prefix, prompt, _ = command.partition(PROMPT)
        if not prompt or edit.last > len(lines):
            raise ValueError(f"line {edit.command} is no longer the command that was run")
        old = lines[edit.first - 1 : edit.last]
        new = [f"{prefix}{line}".rstrip(" \t") for line in edit.lines]
        start = _agreeing(old, new)
        end = _agreeing(old[start:][::-1], new[start:][::-1])
        old, new = old[start : len(old) - end], new[start : len(new) - end]
        endings = [*map(_ending, old), *[_ending(command)] * len(new)]
        place = edit.first - 1 + start
        lines[place : place + len(old)] = [
            line + ending for line, ending in zip(new, endings, strict=False)
        ]
    if unended:
        lines[-1] = lines[-1].rstrip("\r\n")
    return "".join(lines)


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _agreeing(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many lines from the start are the same, but for their endings."""
    count = 0
    for before, after in zip(old, new, strict=False):
        if before.rstrip(" \t\r\n").expandtabs() != after.expandtabs():
            break
        count += 1
    return count
