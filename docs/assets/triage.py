# /// script
# requires-python = ">=3.9"
# dependencies = []
# ///
"""Tell which known issues of gRPC test suites in Python a log shows.

    python triage.py build.log
    pytest 2>&1 | python triage.py

Prints the page of each issue that fits, best first, with the lines of the log that say so. Exit status:
0 when something fits, 1 when nothing does, 2 when it was called wrongly. Nothing leaves the machine.

The same rules are in triage.js, for the browser:

1. A log is read line by line, without colours, HTML's escapes, and what CI and mail put before a line.
2. Letters are all lower, and quotes, white space and line breaks do not count: a log that was wrapped, quoted
   or escaped says what it said before. A text begins and ends where a word does.
3. An ellipsis in a text is anything within a word; with spaces around it, anything on this line or the next few.
4. Messages come before signs, and longer texts before shorter ones. Where two stand on one line, the better
   one alone counts.
5. Only where none is found: a text may have been cut short, with three dots, or the log be one line, which is
   a part of a text.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Issue(TypedDict):
    """An issue as the front matter of its page tells it."""

    id: str
    title: str
    messages: list[str]
    signs: list[str]


class Line(TypedDict):
    """A line of a log that fits, and the text that it fits."""

    source: str
    line: int
    text: str
    fits: str


class Fit(TypedDict):
    """An issue that fits; `more` counts the lines that fit and are not listed."""

    id: str
    title: str
    strength: str
    lines: list[Line]
    more: int


# Made from the front matter of the pages by `just known-issues`; the same is in triage.js.
# <issues>
ISSUES: list[Issue] = json.loads(r"""
[]
""")
# </issues>

ROW = 400  # characters of a line that are read and shown together
FEW_LINES = 400  # characters, without spaces, for which " … " may stand
WORD = 80  # characters for which "…" may stand
CUT = 16  # characters, without spaces, of a text that was cut short
SHOWN = 5  # lines of an issue
QUESTION = 4  # characters, without spaces, of a part of a text

# What a terminal is told to do; a colour also where the escape character has become text, or is lost.
CONTROLS = re.compile(
    r"(?:\x1b|\^\[|\\x1b|\\u001b|\\033)?\[[0-9]{1,3}(?:;[0-9]{1,3})*m|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]_P^X][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]"
)
ENTITIES = {
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
    "&quot;": '"',
    "&#34;": '"',
    "&#x22;": '"',
    "&apos;": "'",
    "&#39;": "'",
    "&#x27;": "'",
    "&nbsp;": " ",
}
ENTITY = re.compile("|".join(ENTITIES))
SPACE = re.compile("[\0\t\v\f\r \u00a0\ufeff]+")
# Dates of CI, with GitLab's streams; workers of xdist; GitHub's marks; containers; quoted mail and pytest's E.
PREFIX = re.compile(
    r"^ ?(?:(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]+(?:Z|[+-][0-9:]+)?|[0-9]{2}[OE][+]?"
    r"|\[[^\]]{0,40}[0-9]:[0-9]{2}:[0-9]{2}[^\]]{0,40}\]|\[gw[0-9]+\]|##\[[a-z]+\]|[A-Za-z0-9_.-]+ [|]|[>|+E]+)(?: |$))+"
)
# Quotes, backslashes with what they escape, and all that is not ASCII.
NO_LETTER = re.compile(r"\\+[nrt]?|[^!-~]|[\"'`]")
IN_WORD = re.compile("[a-z0-9_./:-]*")
ELLIPSIS = re.compile(r"( ?)…( ?)")

MESSAGE, SIGN, PART = "message", "sign", "part"
STRENGTHS = (MESSAGE, SIGN, PART)


class Row(NamedTuple):
    """A line of a log, or 400 characters of a longer one: where it stands, and as it is shown."""

    source: str
    line: int
    text: str


class Text(NamedTuple):
    """A text that points to an issue: its letters between ellipses, and how far each may reach."""

    issue: int
    strength: str
    text: str
    parts: tuple[str, ...]
    reaches: tuple[int, ...]

    @property
    def length(self) -> int:
        """How many letters it has."""
        return sum(map(len, self.parts))


class Hit(NamedTuple):
    """Where a text stands: from its first row to its last, with how many of its letters."""

    text: Text
    first: int
    last: int
    length: int

    @property
    def rank(self) -> tuple[int, int]:
        """Order by how well it fits: the smaller, the better."""
        return STRENGTHS.index(self.text.strength), -self.length


def plain(line: str) -> str:
    """Return a line as its program wrote it."""
    line = ENTITY.sub(lambda found: ENTITIES[found.group()], CONTROLS.sub("", line))
    return PREFIX.sub("", SPACE.sub(" ", line)).strip(" ")


def spelt(text: str) -> str:
    """Return the letters of a text, and spaces for all that does not count."""
    return NO_LETTER.sub(" ", text.replace("…", "...")).lower()


def letters(text: str) -> str:
    """Return the letters of a text alone."""
    return spelt(text).replace(" ", "")


def rows(log: str, source: str = "") -> Iterator[Row]:
    """Give the rows of a log; its lines count from 1."""
    for number, line in enumerate(log.split("\n"), 1):
        text = plain(line)
        for start in range(0, len(text), ROW):
            yield Row(source, number, text[start : start + ROW])


def texts(issues: list[Issue]) -> Iterator[Text]:
    """Give the messages and signs of all issues."""
    for number, issue in enumerate(issues):
        for strength, meant in ((MESSAGE, issue["messages"]), (SIGN, issue["signs"])):
            for text in meant:
                pieces = ELLIPSIS.split(text)
                gaps = zip(pieces[1::3], pieces[2::3])
                reaches = (FEW_LINES if any(gap) else WORD for gap in gaps)
                yield Text(number, strength, text, tuple(map(letters, pieces[::3])), tuple(reaches))


class Stream:
    """The letters of all rows, one after another."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.spelt = [spelt(row.text) for row in rows]
        pieces = [text.replace(" ", "") for text in self.spelt]
        self.letters = "".join(pieces)
        self.starts = [0, *accumulate(map(len, pieces))]

    def row(self, at: int) -> int:
        """Return the row that has a letter."""
        return bisect_right(self.starts, at) - 1

    def parts_words(self, at: int) -> bool:
        """Tell whether a word may begin at a letter: a row does, or no other word ends there."""
        around = self.letters[max(at - 1, 0) : at + 1]
        row = self.row(at)
        if not re.fullmatch("[a-z0-9_]{2}", around) or self.starts[row] == at:
            return True
        ahead = at - self.starts[row]
        for position, letter in enumerate(self.spelt[row]):
            if letter != " ":
                if not ahead:
                    return self.spelt[row][position - 1] == " "
                ahead -= 1
        raise AssertionError("a row has all of its letters")

    def places(self, start: str) -> Iterator[int]:
        """Give each letter at which a word, and these letters, begin."""
        at = self.letters.find(start)
        while at >= 0:
            if self.parts_words(at):
                yield at
            at = self.letters.find(start, at + 1)

    def whole(self, text: Text) -> Iterator[Hit]:
        """Give each hit of a text."""
        for at in self.places(text.parts[0]):
            end = at + len(text.parts[0])
            for part, reach in zip(text.parts[1:], text.reaches):
                found = self.letters.find(part, end, end + reach + len(part))
                if found < 0 or (reach == WORD and not IN_WORD.fullmatch(self.letters, end, found)):
                    break
                end = found + len(part)
            else:
                if self.parts_words(end):
                    yield Hit(text, self.row(at), self.row(end - 1), text.length)

    def cut(self, text: Text) -> Iterator[Hit]:
        """Give each hit of the beginning of a text, where three dots and the end of a row follow."""
        for at in self.places(text.parts[0][:CUT]) if len(text.parts[0]) > CUT else ():
            row = self.row(at)
            begun, dots, after = self.letters[at : self.starts[row + 1]].rpartition("...")
            if dots and not after and len(begun) >= CUT and text.parts[0].startswith(begun):
                yield Hit(text._replace(strength=PART), row, row, len(begun))

    def part(self, text: Text) -> Iterator[Hit]:
        """Give the hit of a text of which the only row is a part; the shorter the text, the better."""
        whole = letters(text.text)
        if len(self.spelt) == 1 and len(self.letters) >= QUESTION and self.letters in whole:
            yield Hit(text._replace(strength=PART), 0, 0, -len(whole))


def found(log: list[Row], issues: list[Issue]) -> list[Hit]:
    """Return all hits that count: where two stand in one row, the better one alone does."""
    stream = Stream(log)
    known = list(texts(issues))
    titles = [Text(number, PART, issue["title"], (), ()) for number, issue in enumerate(issues)]
    hits = (
        [hit for text in known for hit in stream.whole(text)]
        or [hit for text in known for hit in stream.cut(text)]
        or [hit for text in [*known, *titles] for hit in stream.part(text)]
    )
    best: dict[int, tuple[int, int]] = {}
    for hit in hits:
        for row in range(hit.first, hit.last + 1):
            best[row] = min(best.get(row, hit.rank), hit.rank)
    return [hit for hit in hits if hit.rank == best[hit.first]]


def triage(log: Iterable[Row], issues: list[Issue]) -> list[Fit]:
    """Return the issues that fit, best first, each with the lines of the log that say so.

    `strength` is "message", "sign" or, where none stands in the log as a whole, "part".
    """
    log = list(log)
    by_issue: dict[int, list[Hit]] = {}
    for hit in found(log, issues):
        by_issue.setdefault(hit.text.issue, []).append(hit)
    fits: list[tuple[tuple[tuple[int, int], int, int], Fit]] = []
    for number, hits in by_issue.items():
        best = min(hits, key=lambda hit: (hit.rank, hit.first))
        lines: dict[tuple[str, int], Line] = {}
        for hit in sorted(hits, key=lambda hit: (hit.rank, hit.first)):
            source, line, text = log[hit.first]
            lines.setdefault(
                (source, line),
                {"source": source, "line": line, "text": text, "fits": hit.text.text},
            )
        fit: Fit = {
            "id": issues[number]["id"],
            "title": issues[number]["title"],
            "strength": best.text.strength,
            "lines": list(lines.values())[:SHOWN],
            "more": max(len(lines) - SHOWN, 0),
        }
        fits.append(((best.rank, best.first, number), fit))
    return [fit for _, fit in sorted(fits, key=lambda pair: pair[0])]


def address(issue: str) -> str:
    """Return where the page of an issue is: on the site of SITE_URL, or in the repository."""
    site = os.environ.get("SITE_URL", "").rstrip("/")
    return f"{site}/known-issues/{issue}/" if site else f"docs/known-issues/{issue}.md"


def decoded(log: bytes) -> str:
    """Return the text of a log, which on Windows may be UTF-16."""
    wide = log.startswith((b"\xff\xfe", b"\xfe\xff"))
    return log.decode("utf-16" if wide else "utf-8", errors="replace")


def report(fits: list[Fit]) -> Iterator[str]:
    """Give the lines that tell a reader what fits."""
    for fit in fits:
        yield fit["title"] if fit["strength"] == MESSAGE else f"Perhaps: {fit['title']}"
        yield f"  {address(fit['id'])}"
        for line in fit["lines"]:
            place = f"{line['source']}:{line['line']}" if line["source"] else f"line {line['line']}"
            yield f"  {place}: {line['text']}"
        if fit["more"]:
            yield f"  and {fit['more']} more"
        yield ""
    if not fits:
        yield "Nothing that we know fits."
        yield "Is it the whole log, from the first failure on? A process that died says more with PYTHONFAULTHANDLER=1."
        yield f"All messages: {address('triage')}"


def main(arguments: list[str] | None = None) -> int:
    """Read logs, print what fits; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("logs", nargs="*", type=Path, metavar="LOG", help="standard input if none")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    log: list[Row] = []
    try:
        for path in options.logs:
            log += rows(decoded(path.read_bytes()), str(path))
        if not options.logs:
            if sys.stdin.isatty():
                print("Paste the log; Ctrl+D ends it.", file=sys.stderr)
            log += rows(decoded(sys.stdin.buffer.read()))
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    if not log:
        parser.error("the log is empty: does it have standard error, too (2>&1)?")
    fits = triage(log, ISSUES)
    if options.json:
        print(json.dumps([{**fit, "page": address(fit["id"])} for fit in fits], indent=2))
    else:
        print("\n".join(report(fits)).rstrip("\n"))
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(main())
