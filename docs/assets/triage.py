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
5. What pytest says of a test that passed, was skipped or failed as expected does not count: a test may be called
   like a message.
6. Only where none is found: a text may have been cut short, with three dots; or the log is one line, which is
   a part of a text, or of what its page says of itself. A number is all of one.
"""

from __future__ import annotations

import argparse
import io
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
    description: str
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


# Made from the front matter of the pages by `just known-issues`: begin.
ISSUES: list[Issue] = json.loads(r"""
[
 {
  "id": "grpc-segfault",
  "title": "Fatal Python error: Segmentation fault … Garbage-collecting",
  "description": "A pytest run over grpc.aio dies with Fatal Python error: Segmentation fault while Garbage-collecting, exit status 139. How to tell that it is this, and the missing line.",
  "messages": [
   "Fatal Python error: Segmentation fault … Garbage-collecting",
   "Fatal Python error: Bus error … Garbage-collecting",
   "Garbage-collecting",
   "INTERNALERROR> ValueError: generator already executing"
  ],
  "signs": [
   "Fatal Python error: Segmentation fault",
   "Fatal Python error: Bus error",
   "Extension modules: … grpc._cython.cygrpc",
   "ValueError: generator already executing",
   "running the test CRASHED with signal 11",
   "Segmentation fault",
   "exit status 139",
   "exit code 139",
   "exit code -11",
   "exit value 139",
   "signal 11",
   "SIGSEGV",
   "segfault at",
   "node down: Not properly terminated"
  ]
 },
 {
  "id": "preexec-fn-child",
  "title": "epoll_wait error: Bad file descriptor, and a child ends with -6",
  "description": "Some children of a process with an open gRPC channel die of SIGABRT before they begin, when they are started with preexec_fn. The cure is start_new_session.",
  "messages": [
   "encountered epoll_wait error: Bad file descriptor",
   "Kick failed: UNKNOWN:eventfd_write"
  ],
  "signs": [
   "encountered epoll_wait error"
  ]
 },
 {
  "id": "aio-code-never-returns",
  "title": "await call.code() never returns (grpc.aio)",
  "description": "A test hangs at await call.code() or call.details(): the call was never sent, since its metadata are no text, and its deadline never comes. Await the call itself.",
  "messages": [
   "await self._cython_call.status()).code() … CancelledError",
   "TypeError: Expected str, not <class 'int'>"
  ],
  "signs": []
 },
 {
  "id": "run-does-not-end",
  "title": "The pytest run does not end after “N passed” (gRPC)",
  "description": "All tests of a gRPC suite pass and the pytest process does not end, or hangs at a test's end until CI's time-out. Three causes, told apart by the stack that faulthandler prints.",
  "messages": [
   "The executor did not finishing joining its threads within 300 seconds",
   "coroutine 'AioServer.shutdown' was never awaited"
  ],
  "signs": [
   "in _python_exit",
   "in _do_shutdown",
   "Timeout (…)!"
  ]
 },
 {
  "id": "blocking-io-error",
  "title": "BlockingIOError in PollerCompletionQueue._handle_events",
  "description": "With grpcio before 1.80 and two event loops in two threads asyncio logs BlockingIOError: [Errno 11] from PollerCompletionQueue._handle_events. Calls are answered all the same.",
  "messages": [
   "Exception in callback PollerCompletionQueue._handle_events",
   "PollerCompletionQueue._handle_events … BlockingIOError: [Errno 11] Resource temporarily unavailable"
  ],
  "signs": [
   "BlockingIOError: [Errno 11] Resource temporarily unavailable"
  ]
 },
 {
  "id": "event-loop-closed",
  "title": "RuntimeError: Event loop is closed; a different loop (grpc.aio)",
  "description": "A second async test over a grpc.aio channel fails with Event loop is closed, a first one with attached to a different loop; or event_loop is not found. Which loop owns what, and the cure.",
  "messages": [
   "RuntimeError: Event loop is closed",
   "attached to a different loop",
   "fixture 'event_loop' not found",
   "ScopeMismatch: You tried to access the function scoped fixture _function_scoped_runner",
   "ScopeMismatch: You tried to access the function scoped fixture event_loop",
   "requested an async fixture … with no plugin or hook that handled it",
   "async def functions are not natively supported."
  ],
  "signs": [
   "raise RuntimeError('Event loop is closed')",
   "attached to a different event loop",
   "is bound to a different event loop",
   "scoped fixture 'event_loop' with a"
  ]
 },
 {
  "id": "no-current-event-loop",
  "title": "There is no current event loop in thread 'MainThread' (grpc.aio)",
  "description": "A sync test that makes a grpc.aio channel or client passes alone and fails with RuntimeError after any async test. Make the client in a running event loop.",
  "messages": [
   "There is no current event loop in thread 'MainThread'"
  ],
  "signs": [
   "There is no current event loop",
   "no running event loop",
   "ResourceWarning: unclosed event loop"
  ]
 },
 {
  "id": "descriptor-pool",
  "title": "Couldn't build proto file into descriptor pool",
  "description": "Each test passes alone; together one fails with TypeError and duplicate file name: two .proto files had the same path as protoc saw it.",
  "messages": [
   "Couldn't build proto file into descriptor pool: duplicate file name",
   "Couldn't build proto file into descriptor pool"
  ],
  "signs": [
   "duplicate file name",
   "A file with this name is already in the pool",
   "File already exists in database"
  ]
 },
 {
  "id": "gencode-versions",
  "title": "VersionError: incompatible Protobuf Gencode/Runtime versions",
  "description": "pytest cannot import a generated module: protobuf or grpcio is older than the tools that generated it. How to read the message, and which side to move.",
  "messages": [
   "Detected incompatible Protobuf Gencode/Runtime versions",
   "Detected mismatched Protobuf Gencode/Runtime",
   "Runtime version cannot be older than the linked gencode version",
   "cannot import name 'runtime_version' from 'google.protobuf'",
   "The grpc package installed is at version … but the generated code",
   "Descriptors cannot be created directly"
  ],
  "signs": [
   "google.protobuf.runtime_version",
   "cannot import name 'builder' from 'google.protobuf.internal'",
   "unexpected keyword argument '_registered_method'",
   "has no attribute 'add_registered_method_handlers'"
  ]
 },
 {
  "id": "pb2-import",
  "title": "ModuleNotFoundError: No module named 'x_pb2' in x_pb2_grpc.py",
  "description": "A generated x_pb2_grpc.py imports x_pb2 as if it were at the top, and pytest does not find it. Generate from the root of the package.",
  "messages": [
   "ModuleNotFoundError: No module named '…_pb2'",
   "ModuleNotFoundError: No module named '…_pb2_grpc'"
  ],
  "signs": [
   "No module named '…_pb2'",
   "No module named '…_pb2_grpc'"
  ]
 },
 {
  "id": "connection-refused",
  "title": "failed to connect to all addresses … Connection refused",
  "description": "The first gRPC call to a server in a process of its own fails with UNAVAILABLE and Connection refused: the process runs, and does not listen yet.",
  "messages": [
   "failed to connect to all addresses … Connection refused",
   "Failed to connect to remote host: Connection refused"
  ],
  "signs": [
   "failed to connect to all addresses",
   "status = StatusCode.UNAVAILABLE",
   "terminated with (StatusCode.UNAVAILABLE"
  ]
 },
 {
  "id": "deadline-in-the-loop",
  "title": "DEADLINE_EXCEEDED from a sync stub in an async test",
  "description": "A call of a sync gRPC stub in an async test ends with DEADLINE_EXCEEDED, or never, since it holds the event loop in which the server should run.",
  "messages": [],
  "signs": [
   "terminated with (StatusCode.DEADLINE_EXCEEDED",
   "status = StatusCode.DEADLINE_EXCEEDED",
   "Deadline Exceeded"
  ]
 },
 {
  "id": "http-proxy",
  "title": "failed to connect to all addresses … HTTP proxy returned 403",
  "description": "gRPC sends calls for a server on 127.0.0.1 to the proxy of http_proxy, https_proxy or grpc_proxy: UNAVAILABLE. NO_PROXY in upper case does not help.",
  "messages": [
   "HTTP proxy returned response code",
   "HTTP proxy handshake with"
  ],
  "signs": [
   "via HTTP proxy",
   "cannot parse value of 'http_proxy'"
  ]
 },
 {
  "id": "shared-port",
  "title": "The wrong server answers under pytest-xdist; Failed to bind",
  "description": "Two gRPC servers can listen on the same port on Linux, so workers of pytest-xdist are answered by each other's servers. Port 0 is the cure, for Failed to bind to address too.",
  "messages": [
   "Failed to bind to address",
   "Failed to add port to server"
  ],
  "signs": [
   "Failed to add any wildcard listeners",
   "Address already in use"
  ]
 },
 {
  "id": "fork-noise-on-stderr",
  "title": "Other threads are currently calling into gRPC (fork_posix.cc)",
  "description": "gRPC writes a line to standard error when a process forks during a call, and a test that wants standard error empty fails. One variable silences it.",
  "messages": [],
  "signs": [
   "skipping fork() handlers",
   "All log messages before absl::InitializeLog()"
  ]
 },
 {
  "id": "forked-coverage",
  "title": "Coverage falls with --forked: only what runs at import counts",
  "description": "With pytest-forked the coverage of a gRPC suite falls to the lines that run at import, without any error. Two lines of configuration bring it back.",
  "messages": [],
  "signs": [
   "--cov … --forked",
   "--forked … --cov",
   "Required test coverage of … not reached"
  ]
 },
 {
  "id": "forked-mixed",
  "title": "previous item was not torn down properly (pytest-forked)",
  "description": "A file whose last test is forked, after one that is not, makes the next file's first test fail with AssertionError at setup. pytest-forked 1.7.5 ends it.",
  "messages": [
   "AssertionError: previous item was not torn down properly"
  ],
  "signs": [
   "previous item was not torn down properly"
  ]
 },
 {
  "id": "grpc-fork-parent",
  "title": "Forked gRPC tests hang or crash from the first one on",
  "description": "With --forked, tests hang or die of a signal since the pytest process opened a gRPC channel or started a server before the fork: which combinations do, and the way out.",
  "messages": [
   "Check failed: next_worker->state == KICKED",
   "Timeout (…)! … in add_insecure_port"
  ],
  "signs": [
   "running the test CRASHED with signal 11",
   "running the test CRASHED with signal 6",
   "EXITED with status 1"
  ]
 },
 {
  "id": "init-before-fork",
  "title": "Forked grpc.aio tests time out: init_grpc_aio() before the fork",
  "description": "Under --forked every grpc.aio channel stays unconnected, since pytest's own process has called grpc.aio.init_grpc_aio(), often in a library that was imported.",
  "messages": [],
  "signs": [
   "in watch_connectivity_state … CancelledError",
   "in channel_ready … TimeoutError",
   "skipping fork() handlers … Fatal Python error: Aborted",
   "skipping fork() handlers … Fatal Python error: Segmentation fault"
  ]
 },
 {
  "id": "pytest-forked-pytest-9.2",
  "title": "running the test EXITED with status 3 (pytest 9.2, --forked)",
  "description": "Since pytest 9.2.0 every test that is run with --forked fails with EXITED with status 3, or CRASHED with signal 0. A few lines of conftest.py make every forked test right again.",
  "messages": [
   "running the test EXITED with status 3",
   "running the test CRASHED with signal 0",
   "ValueError: unmarshallable object"
  ],
  "signs": []
 },
 {
  "id": "abandoned-call",
  "title": "server.stop(grace) takes all of its grace (grpc.aio)",
  "description": "Since grpcio 1.83 a grpc.aio stream that a test leaves after its first message runs on, and the server's stop waits for it: each such test is slower by the grace.",
  "messages": [],
  "signs": [
   "stop() takes all of its grace"
  ]
 },
 {
  "id": "aio-request-empty",
  "title": "Exception serializing message! (grpc.aio sends it empty)",
  "description": "A grpc.aio stub that is called with a request of the wrong type sends an empty message, and the call ends with OK: a test can pass for the wrong reason.",
  "messages": [
   "Exception serializing message!"
  ],
  "signs": []
 }
]
""")
# End of what `just known-issues` makes.

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
# What pytest says of a test as it ends, with a share of all or without, and of one in its summary.
AS_EXPECTED = re.compile(
    r"(?:\[ *[0-9]+%\] )?(?:PASSED|SKIPPED|XFAIL|XPASS) [^ :]+::[A-Za-z0-9_:]+(?:\[.*\])?(?: - .*)?"
    r"|[^ :]+::[A-Za-z0-9_:]+(?:\[.*\])? (?:PASSED|SKIPPED|XFAIL|XPASS)(?: \(.*\))?(?: ?\[ *[0-9]+%\])?",
    re.DOTALL,
)
NUMBER = re.compile("[0-9]+")
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


def counted(row: str) -> str:
    """Return a row as `spelt` does; nothing of it where it says that a test went as expected."""
    return "" if AS_EXPECTED.fullmatch(row) else spelt(row)


def numbered(letters: str) -> str:
    """Return letters with a space around each number, so that no part of one is taken for it."""
    return NUMBER.sub(r" \g<0> ", letters)


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
        self.spelt = [counted(row.text) for row in rows]
        pieces = [text.replace(" ", "") for text in self.spelt]
        self.letters = "".join(pieces)
        self.starts = [0, *accumulate(map(len, pieces))]
        # Where the words of a row end, for the rows that were asked for.
        self.words: dict[int, set[int]] = {}

    def row(self, at: int) -> int:
        """Return the row that has a letter."""
        return bisect_right(self.starts, at) - 1

    def spaced(self, at: int) -> bool:
        """Tell whether white space stands before a letter, in its row."""
        row = self.row(at)
        if row not in self.words:
            self.words[row] = set(accumulate(map(len, self.spelt[row].split())))
        return at - self.starts[row] in self.words[row]

    def parts_words(self, at: int) -> bool:
        """Tell whether a word may begin at a letter: a row does, or no other word ends there."""
        around = self.letters[max(at - 1, 0) : at + 1]
        if not re.fullmatch("[a-z0-9_]{2}", around):
            return True
        return self.starts[self.row(at)] == at or self.spaced(at)

    def bridged(self, reach: int, start: int, end: int) -> bool:
        """Tell whether an ellipsis may stand for these letters."""
        if reach == FEW_LINES:
            return self.parts_words(start) and self.parts_words(end)
        inside = range(start + 1, end + 1)
        in_word = IN_WORD.fullmatch(self.letters, start, end) is not None
        return in_word and not any(self.spaced(at) for at in inside)

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
                if found < 0 or not self.bridged(reach, end, found):
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
        only = len(self.spelt) == 1 and len(self.letters) >= QUESTION
        if only and numbered(self.letters) in numbered(whole):
            yield Hit(text._replace(strength=PART), 0, 0, -len(whole))


def found(log: list[Row], issues: list[Issue]) -> list[Hit]:
    """Return all hits that count."""
    stream = Stream(log)
    known = list(texts(issues))
    told = [
        Text(number, PART, text, (), ())
        for number, issue in enumerate(issues)
        for text in (issue["title"], issue["description"])
    ]
    return (
        best([hit for text in known for hit in stream.whole(text)])
        or best([hit for text in known for hit in stream.cut(text)])
        or [hit for text in [*known, *told] for hit in stream.part(text)]
    )


def best(hits: list[Hit]) -> list[Hit]:
    """Return, where two stand in one row, the better one alone."""
    ranks: dict[int, tuple[int, int]] = {}
    for hit in hits:
        for row in range(hit.first, hit.last + 1):
            ranks[row] = min(ranks.get(row, hit.rank), hit.rank)
    return [hit for hit in hits if hit.rank == ranks[hit.first]]


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
        first = min(hits, key=lambda hit: (hit.rank, hit.first))
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
            "strength": first.text.strength,
            "lines": list(lines.values())[:SHOWN],
            "more": max(len(lines) - SHOWN, 0),
        }
        fits.append(((first.rank, first.first, number), fit))
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
        yield (
            "Is it all of the output, standard error too? "
            "A process that died says more with PYTHONFAULTHANDLER=1."
        )
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
        show(json.dumps([{**fit, "page": address(fit["id"])} for fit in fits], indent=2))
    else:
        show("\n".join(report(fits)).rstrip("\n"))
    return 0 if fits else 1


def show(text: str) -> None:
    """Print a text: what standard output has no character for as `?`, nothing where nobody reads on."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # What is left in the buffer goes nowhere as well, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
