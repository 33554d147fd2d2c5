"""A keeper: runs a program for the checker, and knows all that the program has started.

A keeper is a subreaper (Linux): whatever a block does with its processes, an orphan of it becomes a
child of its keeper. So what a program has left is what its keeper has for children, and no mark or
name has to be believed. `supervisor.py` forks keepers, `processes.py` has the other end of each
one's socket.

Only the standard library, and little of it: the supervisor's start waits for this.
"""

import contextlib
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from mkdocs_blocks.process_tree import Family, name_of, shown

# Descriptors of programs that have a script, high enough to be in nobody's way.
PRELUDE = 97
"""Where a program that has a prelude can read it."""
REPORT = 98
"""Where a program that has a script writes what is not for descriptors 1 and 2. It is its output
too; with a prelude it is its trace."""
SCRIPT = 99
"""Where a program that has a prelude can read its script. Without one, that is standard input."""

GRACE = 2.0
"""Seconds that a process has to vanish after the program has ended before it is left over: what
was killed by the program vanishes a moment later, and most that is still writing ends soon."""
TRACE_BYTES = 64 * 1024
"""How much of a trace is kept, of its end."""
MOST_NAMES = 10
_CHUNK = 256 * 1024
_PIPE_BYTES = 1024 * 1024
_MOST_CHUNKS = 1024
_NAMELESS = "a process that is another one each time"
_TRACE_SECONDS = 0.02

HEADER = struct.Struct("!cI")
"""Of a message: its kind, a letter, and the length of what follows."""
DEFAULT_SIGNALS = [
    number for number in signal.valid_signals() if number not in {signal.SIGKILL, signal.SIGSTOP}
]
_F_SETPIPE_SZ = 1031


class GoneError(Exception):
    """The other end of the socket is closed."""


def send(channel: socket.socket, kind: bytes, *texts: bytes) -> None:
    """Send messages of one kind; raises `GoneError` when nobody is there to read them."""
    try:
        channel.sendall(b"".join(HEADER.pack(kind, len(text)) + text for text in texts or (b"",)))
    except OSError as error:
        raise GoneError from error


def receive(channel: socket.socket) -> tuple[bytes, bytes]:
    """Wait for a message; raises `GoneError` when none can come, `TimeoutError` as the socket."""
    kind, length = HEADER.unpack(_exactly(channel, HEADER.size))
    return kind, _exactly(channel, length)


def _exactly(channel: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        try:
            part = channel.recv(min(length - len(data), 4 * _CHUNK))
        except TimeoutError:
            raise
        except OSError as error:
            raise GoneError from error
        if not part:
            raise GoneError
        data += part
    return bytes(data)


class _Program:
    """A program that a keeper has started."""

    def __init__(self, arguments: Sequence[str], most_bytes: int) -> None:
        self.pid = 0
        self.line = shown(" ".join(arguments))
        self.most_bytes = most_bytes
        self.printed = 0
        self.tail = bytearray()
        self.answered = bytearray()
        self.requests = -1
        self.readers: dict[int, Callable[[bytes], None]] = {}
        """What is done with what can be read from a descriptor."""
        self.trace = -1

    @property
    def too_much(self) -> bool:
        return max(self.printed, len(self.answered)) > self.most_bytes

    def read(self, fd: int) -> bool:
        """Read what there is now; return whether there may be more."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if data:
            self.readers[fd](data)
        else:
            del self.readers[fd]
            os.close(fd)
        return bool(data)

    def keep_trace(self, data: bytes) -> None:
        self.tail += data
        if len(self.tail) > 2 * TRACE_BYTES:
            del self.tail[:-TRACE_BYTES]

    def close(self) -> None:
        for fd in self.readers:
            os.close(fd)
        self.readers.clear()


class Keeper:
    """Runs one program at a time, or one service, and leaves nothing of it."""

    def __init__(self, channel: socket.socket, family: Family, grace: float = GRACE) -> None:
        """Serve the checker's end of `channel`."""
        self._grace = grace
        self._channel = channel
        self._family = family
        self._service: _Program | None = None
        self._held: bytearray | None = None
        """What a service prints while nobody waits for its answer."""

    def work(self) -> None:
        """Do what is asked until the other end closes; then end all that is left."""
        try:
            while True:
                while not self._wait(self._service, None):
                    pass
                kind, data = receive(self._channel)
                request = json.loads(data)
                texts = [receive(self._channel)[1] for _ in range(request["texts"])]
                if kind == b"R":
                    self._run(request, texts)
                elif kind == b"S":
                    self._serve(request)
                else:
                    self._ask(request, texts[0])
        except GoneError:
            pass
        finally:
            self._family.end()

    def _wait(self, program: _Program | None, seconds: float | None) -> bool:
        """Wait for something to happen, and take what the program has written.

        Returns whether the checker has something to say, which is never while a program runs:
        then it is that the checker is gone.
        """
        poll = select.poll()
        watched = {self._channel.fileno(), self._family.wake}
        if program is not None:
            watched |= program.readers.keys()
            if program.trace in watched:
                # Not at each of its small records: its pipe is large.
                watched.discard(program.trace)
                seconds = _TRACE_SECONDS if seconds is None else min(seconds, _TRACE_SECONDS)
        for fd in watched:
            poll.register(fd, select.POLLIN)
        timeout = None if seconds is None else max(0, int(seconds * 1000) + 1)
        ready = {fd for fd, _ in poll.poll(timeout)}
        if self._family.wake in ready:
            self._family.reap()
        if program is not None:
            for fd in [*program.readers]:
                if fd in ready or fd == program.trace:
                    program.read(fd)
        return self._channel.fileno() in ready

    def _drain(self, program: _Program) -> None:
        """Take what has been written until now, without waiting for more."""
        for fd in [*program.readers]:
            for _ in range(_MOST_CHUNKS):  # somebody may be writing without end
                if program.too_much or not program.read(fd):
                    break

    def _print(self, program: _Program, fd: int, data: bytes) -> None:
        """Hand output on to the checker, as much as it is to have."""
        if program.printed > 0 and len(data) >= _PIPE_BYTES // 16:  # it was full, as pipes are
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, _F_SETPIPE_SZ, _PIPE_BYTES)
        room = program.most_bytes - program.printed
        program.printed += len(data)
        if room > 0 and self._held is not None:
            self._held += data[:room]
        elif room > 0:
            send(self._channel, b"O", data[:room])

    def _run(self, request: Mapping[str, Any], texts: Sequence[bytes]) -> None:
        program = self._start(request, texts)
        if program is None:
            return
        ended = self._family.ended
        deadline = time.monotonic() + request["seconds"]
        trouble = ""
        while program.pid not in ended:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                trouble = "time"
            elif self._wait(program, seconds):
                raise GoneError
            if program.too_much:
                trouble = "output"
            if trouble:
                break
        left: list[str] = []
        if trouble:
            send(self._channel, b"K")
            left = self._names(program, self._family.members())
        else:
            self._drain(program)
            left = self._outlived(program)
            trouble = "output" if program.too_much else ""
        # Not what is printed while it is ended.
        self._drain(program)
        status = None if trouble else ended[program.pid]
        gone = not (trouble or left) or self._family.end()
        self._finish(program, trouble, status, left)
        ended.clear()
        if not gone:
            raise GoneError  # a keeper whose children do not die can tell nothing of the next

    def _outlived(self, program: _Program, spare: Collection[int] = ()) -> list[str]:
        """Give what the program has left its time to vanish; return what is still there."""
        deadline = time.monotonic() + self._grace
        # A child's end wakes; a grandchild's does not, nor one that is no child at all.
        looks = not self._family.subreaper
        wait = 0.001 if looks else self._grace
        told = False
        while not program.too_much:
            if looks:
                self._family.reap()
            if not (
                self._family.any_left(spare)
                if looks
                else self._family.reap(orphans=bool(spare))
            ):
                return []
            if time.monotonic() > deadline:
                return self._names(program, self._family.members(spare)) or [_NAMELESS]
            if not told:
                told = True
                send(self._channel, b"K")
            if self._wait(program, wait):
                raise GoneError
            wait = min(2 * wait, 0.05) if looks else self._grace
        return []

    def _names(self, program: _Program, members: Iterable[int]) -> list[str]:
        """Return how processes are to be called, the oldest first."""
        names: list[str] = []
        for pid in sorted(members):
            if pid == program.pid or len(names) == MOST_NAMES:
                continue
            line = name_of(pid, plain=not self._family.subreaper)
            if line == program.line:
                line = f"{line.split()[0].rpartition('/')[2]} (forked)"
            if line:
                names.append(line)
        return names

    def _finish(
        self, program: _Program, trouble: str, status: int | None, left: Sequence[str]
    ) -> None:
        program.close()
        told = {"status": status, "trouble": trouble, "left": left}
        if program.tail:
            send(self._channel, b"T", bytes(program.tail[-TRACE_BYTES:]))
        send(self._channel, b"E", json.dumps(told).encode())

    # Services.

    def _serve(self, request: Mapping[str, Any]) -> None:
        self._service = self._start(request, (), service=True)
        if self._service is not None:
            self._held = bytearray()
            send(self._channel, b"E", b"{}")

    def _ask(self, request: Mapping[str, Any], line: bytes) -> None:
        """Let the service answer; what is left of that, and not its own child, is ended."""
        service = self._service
        left: list[str] = []
        answer = b""
        trouble = "ended"
        if self._held:
            send(self._channel, b"O", bytes(self._held))
        self._held = None
        if service is not None:
            service.most_bytes = request["most_bytes"]
            service.answered.clear()
            trouble = self._answer(service, line, time.monotonic() + request["seconds"])
            if not trouble:
                self._drain(service)
                left = self._outlived(service, {service.pid})
                trouble = "output" if service.too_much else ""
                answer = bytes(service.answered).partition(b"\n")[0]
                if left and not self._family.end({service.pid}):
                    trouble = "ended"
            if trouble:
                send(self._channel, b"K")
                left = self._names(service, self._family.members())
                self._drain(service)
                self._family.end()
            service.printed = 0
            self._held = bytearray()
        told = {"trouble": trouble, "left": left}
        send(self._channel, b"A", b"" if trouble else answer)
        send(self._channel, b"E", json.dumps(told).encode())

    def _answer(self, service: _Program, line: bytes, deadline: float) -> str:
        """Hand a line over and wait for one; return what went wrong."""
        rest = memoryview(line + b"\n")
        while True:
            if b"\n" in service.answered and not rest:
                return ""
            if service.requests not in service.readers or service.pid in self._family.ended:
                return "ended"
            if rest:
                with contextlib.suppress(OSError):
                    rest = rest[os.write(service.requests, rest) :]
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                return "time"
            if service.too_much:
                return "output"
            # What does not fit into the socket at once is tried again soon.
            if self._wait(service, min(seconds, 0.01) if rest else seconds):
                raise GoneError

    # Starting.

    def _start(
        self, request: Mapping[str, Any], texts: Sequence[bytes], *, service: bool = False
    ) -> _Program | None:
        """Start a program in a session of its own; None, and the checker is told, if it cannot."""
        program = _Program(request["program"], request["most_bytes"])
        variables: dict[str, str] = request["variables"]
        if not self._family.subreaper:
            variables[self._family.mark] = "1"
        output, writing = os.pipe()
        program.readers[output] = lambda data: self._print(program, output, data)
        ends = {0: os.open(os.devnull, os.O_RDONLY), 1: writing, 2: writing}
        script, prelude = (*texts, b"", b"")[:2]
        if prelude:
            ends |= {PRELUDE: _text(prelude), SCRIPT: _text(script)}
            program.trace, ends[REPORT] = os.pipe()
            program.readers[program.trace] = program.keep_trace
            with contextlib.suppress(OSError):
                fcntl.fcntl(program.trace, _F_SETPIPE_SZ, _PIPE_BYTES)
        elif script:
            os.close(ends[0])
            ends |= {0: _text(script), REPORT: writing}
        if service:
            os.close(ends[0])
            ours, theirs = socket.socketpair()
            program.requests = ours.detach()
            program.readers[program.requests] = program.answered.extend
            ends[0] = ends[1] = theirs.detach()
        for fd in program.readers:
            os.set_blocking(fd, False)
        try:
            os.chdir(request["folder"])

            def start() -> int:
                return _spawn(request["program"], variables, ends)

            program.pid = self._family.start_apart(start) if service else start()
        except (OSError, ValueError) as error:
            what = error.strerror if isinstance(error, OSError) else None
            send(self._channel, b"F", (what or str(error)).encode())
            program.close()
            return None
        finally:
            for fd in {*ends.values()}:
                os.close(fd)
            os.chdir("/")
        self._family.sessions.add(program.pid)
        return program


def _text(text: bytes) -> int:
    """Return a descriptor from which a text can be read, that has no name anywhere."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("text")
    else:
        import tempfile  # noqa: PLC0415 - heavy, and needed here alone

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    written = 0
    while written < len(text):
        written += os.write(fd, text[written:])
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _spawn(arguments: Sequence[str], variables: Mapping[str, str], ends: Mapping[int, int]) -> int:
    """Start a program with these descriptors, and the signals of one that a reader starts."""
    path = arguments[0]
    if "/" not in path:
        for folder in variables.get("PATH", os.defpath).split(os.pathsep):
            path = f"{folder or '.'}/{arguments[0]}"
            if os.access(path, os.X_OK) and os.path.isfile(path):  # noqa: PTH113 - quick
                break
        else:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return os.posix_spawn(
        path,
        list(arguments),
        variables,
        file_actions=[(os.POSIX_SPAWN_DUP2, theirs, fd) for fd, theirs in ends.items()],
        setsid=True,
        setsigmask=(),
        setsigdef=DEFAULT_SIGNALS,
    )
