"""What bash is told so that it tells how each command of a block ended, and where a script stopped.

Both ways add nothing to what a block prints, and no path or name of the checker's to what bash says
of its own. The texts are for bash 3.2 and later.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from mkdocs_blocks.keeper import PRELUDE, REPORT, SCRIPT

CONSOLE = ("bash", "--noprofile", "--norc", "-s")
"""The program that runs the text of a `Console`, from standard input.

Not as the file of a script: bash would name that file in each of its messages.
"""
STRICT = ("bash", "--noprofile", "--norc", "-e", f"/dev/fd/{SCRIPT}")
"""The program that runs a script as it is, with `prelude` as its prelude."""


# What the next command sees of the last one is kept: `$?`, `$_`, whether the shell traces. A status
# is set by a keyword where it can be: `builtin` and `return` can be functions.
_ONE_LINE = " ".join(
    rf"""
    exec </dev/null;
    NAMEstatus=0 NAMElast= NAMEtraces= NAMEtold=;
    NAMEa() {{
        NAMEstatus=$1 NAMElast=$4 NAMEtold=1;
        case $1 in
        0) builtin printf 'NAME%s 0\n' "$2" >&{REPORT} ;;
        *) builtin printf 'NAME%s %d\n' "$3" "$1" >&{REPORT} ;;
        esac;
        case $- in *x*) NAMEtraces=1; builtin set +x ;; esac;
    }};
    NAMEb() {{
        case $NAMEtold in 1) ;; *) NAMEa "$@" "" ;; esac;
        NAMEtold=;
    }};
    NAMEc() {{
        case $NAMEtraces in 1) NAMEtraces=; builtin set -x ;; esac;
        case $-:$NAMEstatus in
        *e*:* | *:0) [[ -z '' ]] ;;
        *:1) [[ -z 1 ]] ;;
        *) builtin return "$NAMEstatus" ;;
        esac;
    }}
    """.replace("\\\\", "\\").split()
)


class Console:
    """Commands as a reader pastes them, one after the other, into one shell.

    Bash prints a mark after each command, with a token of that command's own: what a command has
    printed lies between two marks, and no other way to print one is known to it. The text is one
    line, which bash has read and parsed as a whole before the first command runs, and it is closed
    then: no command can read on, look up a token, or change by an alias what a later line means.
    """

    def __init__(self, commands: Sequence[str]) -> None:
        """Choose the tokens."""
        self._commands = commands
        self._name = f"_{secrets.token_hex(8)}"
        # After the command, within what is evaluated; and after that, for what is no command, so
        # that bash does not evaluate it to its end. Each time one for status 0 and one for all
        # others: who reads the output too, and takes a mark out of it, cannot write another one.
        self._tokens = [[secrets.token_hex(16) for _ in range(4)] for _ in commands]

    @property
    def _before(self) -> str:
        return f'{{ {self._name}c "${self._name}last"; }} 2>/dev/null; '

    @property
    def text(self) -> bytes:
        """Return what bash is to read from standard input."""
        name = self._name
        parts = [_ONE_LINE.replace("NAME", name)]
        for command, (done, failed, no_command, wrong) in zip(
            self._commands, self._tokens, strict=True
        ):
            mark = f'{{ {name}a "$?" {done} {failed} "$_"; }} 2>/dev/null'
            parts += [
                f"builtin eval {_quoted(f'{self._before}{command}{chr(10)}{mark}')}",
                f'{{ {name}b "$?" {no_command} {wrong}; }} 2>/dev/null',
            ]
        return f"{'; '.join(parts)}\n".encode(errors="surrogateescape")

    def split(self, output: bytes) -> tuple[list[tuple[bytes, int]], bytes]:
        """Return what each command that ended has printed, with its status; and what came after."""
        ended: list[tuple[bytes, int]] = []
        printed = b""
        at = 0
        for mark in _MARK.finditer(output):
            name, token, status = mark[1].decode(), mark[2].decode(), int(mark[3])
            if name != self._name:
                continue
            printed += output[at : mark.start()]
            at = mark.end()
            if len(ended) < len(self._tokens) and token in self._tokens[len(ended)]:
                which = self._tokens[len(ended)].index(token)
                if (status == 0) != (which in {0, 2}):
                    break
                if which == 2:  # evaluated without a fault, and yet not to its end
                    break
                ended.append((self._clean(printed), status))
                printed = b""
        return ended, self._clean(printed + output[at:])

    def _clean(self, printed: bytes) -> bytes:
        """Return an output without what bash has printed of the text around a command."""
        name = self._name.encode()
        if name in printed:
            printed = printed.replace(self._before.encode(), b"")
            printed = re.sub(rb"[^\n]*%s[^\n]*\n?" % name, b"", printed)
        return printed


_MARK = re.compile(rb"(_[0-9a-f]{16})([0-9a-f]{32}) (\d{1,3})\n")


def _quoted(text: str) -> str:
    """Return a text as one word on one line, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + escaped.replace("\n", "\\n").replace("\r", "\\r") + "'"


PRELUDE_FILE = f"/dev/fd/{PRELUDE}"
"""What BASH_ENV has to be for a script."""

_EVENTS = 5_000
# Short, and on one line: bash parses a trap each time, and counts LINENO within it. Nothing of it
# is traced where a script traces itself, and `$_` stays what it is.
_TELL = f'{{ _mkdocs_blocks "$?" "$LINENO" "$_"; }} >&{REPORT} 2>&{REPORT}'
_TELL_NEW = f"case $?$BASH_SUBSHELL:$_mkdocs_blocks_seen in (00:*:$LINENO:*) ;; (*) {_TELL} ;; esac"
prelude = rf"""
exec {PRELUDE}<&-
unset BASH_ENV
_mkdocs_blocks_n=0 _mkdocs_blocks_seen= _mkdocs_blocks_strict=
_mkdocs_blocks() {{
  builtin printf '\1%s %s %s|%s|%s\2' "$1" "$BASH_SUBSHELL" "${{BASHPID-0}}" \
    "${{BASH_LINENO[*]/%/ }}" "${{BASH_SOURCE[*]/%/|}}"
  case $_mkdocs_blocks_n in (0) exec {SCRIPT}<&- ;; esac
  case $_mkdocs_blocks_n:$-:$BASH_COMMAND in
  (*:*:set\ *) _mkdocs_blocks_n=1 _mkdocs_blocks_strict=1 ;;
  (*:*x*:*) _mkdocs_blocks_n=1 ;;
  (*:trap\ *DEBUG* | *:trap\ *RETURN*) builtin set +T ;;
  ({_EVENTS}:*) builtin trap '{_TELL_NEW}' DEBUG ;;
  esac
  case $BASH_SUBSHELL:$_mkdocs_blocks_strict in
  (0:* | *:1) ;;
  (*) builtin set +e ;;
  esac
  case $((_mkdocs_blocks_n++ < {_EVENTS})) in (0) _mkdocs_blocks_seen+=:$2: ;; esac
}}
set -T
trap '{_TELL}' ERR
trap '{_TELL}' DEBUG
""".encode()
"""Sourced by the bash of a script before the script: lets it write a trace.

A subshell goes on after a failure as a reader's does, unless the script has said `set -e` itself:
of most parts of a pipeline nobody would ever hear why they ended.

One record for each command that it is about to run, functions and subshells too; and one more for
each that has failed. In long loops the lines that have been recorded after the first commands are
not recorded again, but for the latter.
"""

_RECORD = re.compile(rb"\x01(\d+) (\d+) (\d+)\|([\d\s]*)\|([^\x01\x02]*)\x02")


@dataclass(frozen=True)
class _Event:
    """A command that was about to run."""

    status: int
    """Of the command before it. Not 0: that has failed, or a trap of the script runs."""
    level: int
    """How many subshells deep."""
    pid: int
    line: int
    """The innermost line of the script itself, which may have called what is elsewhere."""
    outermost: int
    """The line at the script's top level."""


def stopped_at(script: str, trace: bytes, output: bytes) -> int:
    """Return the line, from 1, at which a script stopped that did not end well; 0: not known."""
    lines = script.count("\n") + (not script.endswith("\n"))
    said = _said(output)
    if said and said[2]:
        # A syntax error at the end is told for the line after the last one.
        return max(1, min(said[0], lines))
    events = list(_events(trace))
    main = [event for event in events if event.level == 0]
    _drop_exit_trap(script, main)
    if not main:
        return said[0] if said else (_last(events) or min(1, lines))
    last = main[-1]
    if said and said[1] and not last.status:
        # An expansion failed in the head of a compound command, for which there is no event.
        return max(1, min(said[0], lines))
    before = main[-2] if last.status and len(main) > 1 else None if last.status else last
    start = 0 if before is None else events.index(before) + 1
    earlier = {event.pid for event in events[:start]}
    deeper = [event for event in events[start:] if event.level and event.pid not in earlier]
    if before is not None and before.line == last.line:
        # No compound command: what has a line before it is a job in the background.
        deeper = [
            event
            for event in deeper
            if event.line >= last.line and not re.search(r"(?<![&|<>\d])&(?![&>])", script)
        ]
    # Of a pipeline, the last part decides; it was started last.
    decides = max((event.pid for event in deeper if event.level == 1), default=0)
    at = max((n for n, event in enumerate(deeper) if event.pid == decides), default=-1)
    inner = [event for event in deeper[at + 1 :] if event.pid > decides] or deeper[: at + 1]
    if not inner:
        return _first_of(script, last.line)
    return _within(script, last.line, inner[-1].line)


def _first_of(script: str, line: int) -> int:
    """Return the first line of a command that is continued by backslashes."""
    lines = script.split("\n")
    while 1 < line <= len(lines) and re.search(r"(?<!\\)(\\\\)*\\$", lines[line - 2]):
        line -= 1
    return line


def _within(script: str, line: int, inner: int) -> int:
    """Return the line within the command at `line`.

    Bash 5.2 counts the lines of a command substitution from the last line of the command.
    """
    lines = script.split("\n")
    first = line
    while inner > line > 1 and first > 1 and "$(" not in lines[first - 1]:
        first -= 1
    actual = inner - (line - first - 1)
    if inner > line and "$(" in lines[first - 1] and first < actual < line:
        return actual
    return min(inner, len(lines))


def _last(events: Sequence[_Event]) -> int:
    return events[-1].line if events else 0


def _events(trace: bytes) -> "list[_Event]":
    own = f"/dev/fd/{SCRIPT}".encode()
    events: list[_Event] = []
    for record in _RECORD.finditer(trace):
        status, level, pid = (int(field) for field in record.groups()[:3])
        lines = [int(number) for number in record[4].split()]
        # The first is where the function of the trace is.
        sources = [source.strip() for source in record[5].split(b"|")][1:]
        if sources and sources[0] == PRELUDE_FILE.encode():
            continue  # of the trace itself, after a command has failed
        frames = [number for number, source in zip(lines, sources, strict=False) if source == own]
        if frames:
            event = _Event(status, level, pid, frames[0], frames[-1])
            # What has failed is recorded twice.
            if not (status and events and event == events[-1]):
                events.append(event)
    return events


def _said(output: bytes) -> tuple[int, bool, bool] | None:
    """Return the line of bash's own last message, whether that ended it, whether as no script."""
    found = list(
        re.finditer(rb"^/dev/fd/%d: line (\d+): (.*)$" % SCRIPT, output[-TAIL:], re.MULTILINE)
    )
    if not found:
        return None
    said = found[-1][2]
    syntax = [
        match
        for match in found
        if re.match(rb"(syntax error|unexpected (EOF|end of file)|conditional|`)", match[2])
    ]
    if syntax and found[-1] is syntax[-1]:
        # `line 3: syntax error near …` is followed by the line itself.
        return int(syntax[0][1]), True, True
    fatal = not re.search(
        rb": (command not found|No such file or directory|Permission denied|Is a directory"
        rb"|Not a directory|cannot .*|.*write error.*|.*: not found)$",
        said,
    )
    ends = not output[-TAIL:][found[-1].end() :].strip()
    return int(found[-1][1]), fatal and ends, False


TAIL = 64 * 1024


def _drop_exit_trap(script: str, main: list[_Event]) -> None:
    """Drop what ran in an EXIT trap: its lines are counted from the trap's own first one."""
    lines = script.split("\n")
    longest = 0
    for number, line in enumerate(lines):
        if re.search(r"\btrap\b", line):
            for end, later in enumerate(lines[number:], start=1):
                if re.search(r"\b(EXIT|0|SIGEXIT)\b", later):
                    longest = max(longest, end)
                    break
    if not longest:
        return
    at = len(main)
    while at > 1 and main[at - 1].outermost <= longest:
        at -= 1
    for number in range(max(at, 1), len(main)):
        if main[number].status:
            same = main[number].line == main[number - 1].line
            more = number + 1 < len(main) and main[number + 1].status
            if same and more:  # the event of the failing command itself
                continue
            del main[number:]
            return
