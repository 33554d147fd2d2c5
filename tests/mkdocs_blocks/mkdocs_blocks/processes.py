"""Starts programs, and sees to it that nothing of them is left, whatever they do.

`Supervisor` starts a small process of its own (`supervisor.py`), which starts all others by way of
keepers (`keeper.py`): it knows each child of a program, also one that has left its session and
cleared its environment, and it outlives the checker for as long as it takes to end them.
"""

import atexit
import contextlib
import ctypes
import importlib.util
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

from mkdocs_blocks import process_tree
from mkdocs_blocks.keeper import GRACE, HEADER, GoneError, receive, send
from mkdocs_blocks.process_tree import MOST_SECONDS_TO_END

MOST_BYTES = 64 * 1024 * 1024
"""How much a program may print."""

# Seconds that a keeper has beyond those of the program to say that it is ending it, and then to
# have ended it. What takes longer is a keeper that was stopped or killed by its program.
_PATIENCE = 5.0
_CHUNK = 1024 * 1024
_PATIENCE_TO_END = GRACE + MOST_SECONDS_TO_END + 10


class StartError(Exception):
    """A program could not be started; the message says why."""


class StoppedError(Exception):
    """The supervisor was closed while the program ran: what ran has no result."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A program that has ended, or was ended."""

    status: int | None
    """Its exit status, negative for a signal; None if it was ended by us."""
    output: bytes
    """What it wrote to standard output and standard error, in that order in time."""
    trouble: str = ""
    """Why it was ended: `time`, `output` (too much of it) or `supervisor` (it ended its own)."""
    left: tuple[str, ...] = ()
    """The command lines of what outlived it, or of what was ended with it; all are gone."""
    trace: bytes = b""
    """The end of what a program with a prelude has written to its descriptor for that."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A line that a service has answered."""

    line: bytes
    """Without its newline; empty when there is no answer."""
    output: bytes
    """What the service, and all below it, has written to standard error since the last answer."""
    trouble: str = ""
    """Why there is none: `time`, `output`, `ended` or `supervisor`. The service is dead then."""
    left: tuple[str, ...] = ()
    """The command lines of what was left, and was ended."""


class Supervisor:
    """Runs programs and services; a context manager. Threads may share one.

    Two programs at the same time know nothing of one another. A program that was running when the
    checker died, in whichever way, is ended, and so is all that it has started.
    """

    def __init__(self, *, grace: float = GRACE, subreaper: bool = True) -> None:
        """Start the process that starts the others.

        What is left when a program has ended has `grace` seconds to vanish. Without `subreaper`,
        processes are known as on a system that has none, which tests want to see.
        """
        self._grace = grace
        self._subreaper = subreaper
        self._lock = threading.RLock()
        self._folders: set[Path] = set()
        self._idle: list[_Keeper] = []
        self._busy: set[_Keeper] = set()
        self._closed = False
        self._pid = os.getpid()
        self._root = _Root(grace, subreaper=subreaper)
        _all.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(  # noqa: PLR0913 - what a program is run with
        self,
        program: Sequence[str | Path],
        *,
        folder: Path,
        variables: Mapping[str, str],
        seconds: float,
        most_bytes: int = MOST_BYTES,
        script: bytes = b"",
        prelude: bytes = b"",
    ) -> Ended:
        """Run a program in a folder, with these variables alone, for at most so many seconds.

        Standard input is `script`, or /dev/null. What the program writes to descriptor 98 is output
        too. If there is a `prelude`, it can be read at 97 and the script at 99, standard input is
        /dev/null, and what is written to 98 is the trace.

        What it has left when it ends has a moment to vanish; then it is killed and named. Raises
        `StartError` when the program cannot be started, and `StoppedError` when the supervisor is
        or was closed.
        """
        texts = (script, prelude)
        request = _request(program, folder, variables, seconds, most_bytes, texts)
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        keeper = self._keeper()
        try:
            with _orphans_come_here(wanted=self._subreaper):
                told = keeper.converse(b"R", request, texts, seconds)
                if told.end is None:
                    self._lose(keeper, folder, began)
                    return Ended(status=None, output=told.output, trouble="supervisor")
        except StartError:
            self._put_back(keeper)
            raise
        except BaseException:
            self._drop(keeper)
            raise
        self._put_back(keeper)
        return Ended(
            status=told.end["status"],
            output=told.output,
            trouble=told.end["trouble"],
            left=tuple(told.end["left"]),
            trace=told.trace,
        )

    def serve(
        self, program: Sequence[str | Path], *, folder: Path, variables: Mapping[str, str]
    ) -> "Service":
        """Start a program that answers lines, and that lives until it is closed.

        It reads requests from standard input and writes answers to standard output; both are one
        socket. What it and all below it write to standard error is kept for the next answer.

        Raises `StartError` and `StoppedError`.
        """
        request = _request(program, folder, variables, 0, MOST_BYTES, ())
        keeper = self._keeper()
        try:
            told = keeper.converse(b"S", request, (), 0)
        except StartError:
            self._put_back(keeper)
            raise
        except BaseException:
            self._drop(keeper)
            raise
        if told.end is None:
            self._lose(keeper, folder, time.clock_gettime(time.CLOCK_MONOTONIC))
            raise StartError("its supervisor was ended")
        return Service(self, keeper, folder)

    def adopt(self, folder: Path) -> None:
        """Remove this folder when the checker ends, however it ends."""
        with self._lock:
            self._folders.add(folder)
            self._tell(b"A", folder)

    def forget(self, folder: Path) -> None:
        """Let a folder be: it is gone, or may stay."""
        with self._lock:
            self._folders.discard(folder)
            self._tell(b"F", folder)

    def remove(self, folder: Path) -> None:
        """Remove a folder while the checker goes on: it is gone when the supervisor is closed."""
        with self._lock:
            self._folders.add(folder)
            try:
                self._root.tell(b"R", os.fsencode(folder))
            except GoneError:
                process_tree.remove(str(folder))

    def close(self) -> None:
        """End all that runs, in other threads too, and remove the folders that were adopted."""
        with self._lock:
            self._closed = True
            for keeper in self._busy:
                keeper.hang_up()  # its thread closes it
            for keeper in self._idle:
                keeper.channel.close()
            self._idle.clear()
            self._root.close()
            for folder in self._folders:
                process_tree.remove(str(folder))
            self._folders.clear()
        _all.discard(self)

    # Keepers.

    def _keeper(self) -> "_Keeper":
        """Return a keeper that has nothing to do."""
        with self._lock:
            if self._closed:
                raise StoppedError
            if self._pid != os.getpid():  # forked: the sockets are the parent's
                self._pid = os.getpid()
                self._idle.clear()
                self._busy.clear()
                self._root = _Root(self._grace, subreaper=self._subreaper)
                self._folders.clear()
            keeper = self._idle.pop() if self._idle else self._fork()
            self._busy.add(keeper)
            return keeper

    def _fork(self) -> "_Keeper":
        for _ in range(2):
            # Not one that was interrupted between a question and its answer.
            if self._root.in_order:
                with contextlib.suppress(GoneError, TimeoutError):
                    return self._root.fork()
            self._root.process.kill()
            self._start_anew()
        raise StartError("the checker's supervisor does not start")

    def _start_anew(self) -> None:
        self._root.close()
        self._root = _Root(self._grace, subreaper=self._subreaper)
        for folder in self._folders:
            self._tell(b"A", folder)

    def _put_back(self, keeper: "_Keeper") -> None:
        with self._lock:
            self._busy.discard(keeper)
            if self._closed or self._pid != os.getpid():
                keeper.channel.close()
            else:
                self._idle.append(keeper)

    def _drop(self, keeper: "_Keeper") -> None:
        """End a keeper in the middle of its work, and wait until all is ended."""
        with self._lock:
            self._busy.discard(keeper)
        keeper.end()

    def _lose(self, keeper: "_Keeper", folder: Path, began: float) -> None:
        """End what a keeper has left that was killed or stopped."""
        with self._lock:
            self._busy.discard(keeper)
            keeper.channel.close()
            if self._closed:
                raise StoppedError
            try:
                self._root.settle(keeper.pid)
            except (GoneError, TimeoutError):
                # The root is gone as well: its orphans have come here, where they could.
                self._root.process.kill()
                self._start_anew()
                # Of a folder that is nobody else's, who works in it is known.
                adopted = [own for own in self._folders if folder.is_relative_to(own)]
                _end_orphans(keeper.pid, adopted, began)

    def _tell(self, kind: bytes, folder: Path) -> None:
        try:
            self._root.tell(kind, os.fsencode(folder))
        except GoneError:
            if kind == b"A" and not self._closed:
                self._start_anew()

    def _in_child(self) -> None:
        """Let go of what belongs to the process that was forked."""
        for keeper in [*self._idle, *self._busy]:
            keeper.channel.close()
        self._root.channel.close()


class Service:
    """A program that answers lines. Threads may share one."""

    def __init__(self, supervised_by: Supervisor, keeper: "_Keeper", folder: Path) -> None:
        """Be made by `Supervisor.serve`."""
        self._supervisor = supervised_by
        self._keeper = keeper
        self._folder = folder
        self._lock = threading.RLock()
        self._ended = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, request: bytes, *, seconds: float, most_bytes: int = MOST_BYTES) -> Answer:
        """Send a line and return the one that comes back within so many seconds.

        What is below the service when it answers, such as a process that it keeps for the next
        request, is its own. What has been left by one that is gone has a moment to vanish, and then
        is killed and named. After a trouble the service is dead, with all below it.
        """
        if b"\n" in request:
            raise ValueError("a request is one line")
        with self._lock:
            if self._ended:
                return Answer(line=b"", output=b"", trouble=self._ended)
            began = time.clock_gettime(time.CLOCK_MONOTONIC)
            text = json.dumps({"texts": 1, "seconds": seconds, "most_bytes": most_bytes}).encode()
            try:
                with _orphans_come_here(wanted=self._supervisor._subreaper):  # noqa: SLF001 - its own
                    told = self._keeper.converse(b"Q", text, (request,), seconds)
                    if told.end is None:
                        self._ended = "ended"
                        self._supervisor._lose(self._keeper, self._folder, began)  # noqa: SLF001 - its own
                        return Answer(line=b"", output=told.output, trouble="supervisor")
            except BaseException:
                self.close()
                raise
            trouble: str = told.end["trouble"]
            if trouble:
                self.close()
            return Answer(
                line=told.answer,
                output=told.output,
                trouble=trouble,
                left=tuple(told.end["left"]),
            )

    def close(self) -> None:
        """End the service and all below it."""
        if not self._ended:
            self._ended = "ended"
            self._supervisor._drop(self._keeper)  # noqa: SLF001 - two parts of one thing


def _request(  # noqa: PLR0913, PLR0917 - what a program is run with
    program: Sequence[str | Path],
    folder: Path,
    variables: Mapping[str, str],
    seconds: float,
    most_bytes: int,
    texts: Sequence[bytes],
) -> bytes:
    """Return what a keeper needs to know to start a program."""
    arguments = [str(part) for part in program]
    if any("\0" in text for text in (*arguments, str(folder), *variables, *variables.values())):
        raise StartError("a null byte cannot be handed to a program")
    return json.dumps(
        {
            "program": arguments,
            "folder": str(folder),
            "variables": dict(variables),
            "seconds": seconds,
            "most_bytes": most_bytes,
            "texts": len(texts),
        }
    ).encode()


class _Told:
    """What a keeper has told."""

    def __init__(self) -> None:
        self._output: list[bytes] = []
        self.trace = b""
        self.answer = b""
        self.end: dict[str, Any] | None = None
        """Its last word; None while there is none."""

    @property
    def output(self) -> bytes:
        return b"".join(self._output)

    def hear(self, kind: bytes, data: bytes) -> None:
        match kind:
            case b"O":
                self._output.append(data)
            case b"T":
                self.trace = data
            case b"A":
                self.answer = data
            case b"E":
                self.end = json.loads(data)
            case b"F":
                raise StartError(data.decode(errors="replace"))


class _Keeper:
    """The checker's end of a keeper."""

    def __init__(self, channel: socket.socket, pid: int) -> None:
        self.channel = channel
        self.pid = pid
        self._unread = bytearray()

    def converse(
        self, kind: bytes, request: bytes, texts: Sequence[bytes], seconds: float
    ) -> "_Told":
        """Ask for something and wait until it is done; raises `StartError`."""
        told = _Told()
        deadline = time.monotonic() + seconds + _PATIENCE
        try:
            self.channel.settimeout(_PATIENCE)
            send(self.channel, kind, request, *texts)
            while told.end is None:
                self.channel.settimeout(max(deadline - time.monotonic(), 0.001))
                for heard, data in self._messages():
                    if heard == b"K":
                        deadline = time.monotonic() + _PATIENCE_TO_END
                    told.hear(heard, data)
        except (GoneError, TimeoutError):
            pass
        return told

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield those that are there, after a wait for the first; a part of one stays for later."""
        try:
            data = self.channel.recv(_CHUNK)
        except TimeoutError:
            raise
        except OSError as error:
            raise GoneError from error
        if not data:
            raise GoneError
        self._unread += data
        while len(self._unread) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._unread)
            end = HEADER.size + length
            if len(self._unread) < end:
                return
            message = bytes(self._unread[HEADER.size : end])
            del self._unread[:end]
            yield kind, message

    def hang_up(self) -> None:
        """Let the keeper end what it has, and itself."""
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Let the keeper end what it has, and wait until it has."""
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + _PATIENCE_TO_END
            while True:
                self.channel.settimeout(max(deadline - time.monotonic(), 0.001))
                if not self.channel.recv(1024 * 1024):
                    break
        self.channel.close()


class _Root:
    """The checker's end of the process that starts all others."""

    def __init__(self, grace: float, *, subreaper: bool) -> None:
        self.channel, theirs = socket.socketpair()
        psutil = importlib.util.find_spec("psutil")
        at = str(Path(psutil.origin).parent.parent) if psutil and psutil.origin else "/"
        code = (
            "import sys; sys.path.append(sys.argv.pop(1)); "
            "from mkdocs_blocks.supervisor import main; main()"
        )
        with theirs:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-E", "-X", "utf8", "-c", code),
                    *(str(Path(__file__).parent.parent), str(theirs.fileno()), at, str(grace)),
                    *([] if subreaper else ["plain"]),
                ],
                cwd="/",
                env={"LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # A Ctrl-C at the terminal is the checker's alone.
                start_new_session=True,
            )
        _roots.add(self.process.pid)
        self.in_order = True

    @contextlib.contextmanager
    def _question(self) -> Iterator[None]:
        """Keep in mind that there is a question without an answer."""
        self.in_order = False
        yield
        self.in_order = True

    def fork(self) -> _Keeper:
        """Return a new keeper; raises `GoneError` and `TimeoutError`."""
        with self._question():
            self.channel.settimeout(_PATIENCE_TO_END)
            send(self.channel, b"K")
            try:
                data, rights, _, _ = socket.recv_fds(self.channel, _KEEPER.size, 1)
            except TimeoutError:
                raise
            except OSError as error:
                raise GoneError from error
            if not rights:
                raise GoneError
        _, _, pid = _KEEPER.unpack(data)
        return _Keeper(socket.socket(fileno=rights[0]), pid)

    def settle(self, keeper: int) -> None:
        """End a keeper and what it has left; raises `GoneError` and `TimeoutError`."""
        with self._question():
            self.channel.settimeout(_PATIENCE)
            send(self.channel, b"S", str(keeper).encode())
            receive(self.channel)
            self.channel.settimeout(_PATIENCE_TO_END)
            receive(self.channel)

    def tell(self, kind: bytes, data: bytes) -> None:
        """Send what needs no answer; raises `GoneError`."""
        try:
            self.channel.settimeout(_PATIENCE)
        except OSError as error:  # closed
            raise GoneError from error
        send(self.channel, kind, data)

    def close(self) -> None:
        """End the root and all that is below it; returns when it is done."""
        self.channel.close()
        try:
            self.process.wait(_PATIENCE_TO_END)
        except subprocess.TimeoutExpired:  # stopped by a block
            self.process.kill()
            self.process.wait()
        _roots.discard(self.process.pid)


_KEEPER = struct.Struct("!cII")
_roots: set[int] = set()
"""The processes of all supervisors of this process."""
_all: "weakref.WeakSet[Supervisor]" = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_all):
        each._in_child()  # noqa: SLF001 - of this module
    _roots.clear()


os.register_at_fork(after_in_child=_after_fork)


# Blocks that kill their keeper and its parent, or stop them.

_running = 0
_running_lock = threading.Lock()


@contextlib.contextmanager
def _orphans_come_here(*, wanted: bool) -> Iterator[None]:
    """Be the parent of last resort for what runs now, and only now (Linux)."""
    global _running  # noqa: PLW0603 - a property of the process
    with _running_lock:
        _running += wanted
        _adopt_orphans()
    try:
        yield
    finally:
        with _running_lock:
            _running -= wanted
            _adopt_orphans()


def _adopt_orphans() -> None:
    if _prctl is not None:
        _prctl(process_tree.PR_SET_CHILD_SUBREAPER, int(_running > 0), 0, 0, 0)


_prctl = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None


def _end_orphans(keeper: int, folders: Sequence[Path], began: float) -> None:
    """Kill what is left of a program whose keeper and root are gone: as much as can be known."""
    with contextlib.suppress(OSError):
        os.kill(keeper, signal.SIGKILL)  # it may have been stopped only
    deadline = time.monotonic() + MOST_SECONDS_TO_END
    while time.monotonic() < deadline:
        found = set(_orphans_since(began)).union(*map(working_in, folders))
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for pid in found:
            with contextlib.suppress(OSError):
                os.waitpid(pid, os.WNOHANG)
        if not found:
            return


def _orphans_since(began: float) -> Iterator[int]:
    """Yield the processes that came to this one as orphans, of programs that began since then."""
    if _prctl is None:
        return
    me = process_tree.Process(os.getpid())
    ticks = os.sysconf("SC_CLK_TCK")
    # The clock of /proc goes on while the machine sleeps; this one does not.
    slept = time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    for pid in process_tree.pids():
        with contextlib.suppress(OSError):
            process = process_tree.Process(pid)
            # A program is in a session of its own; what else the checker starts is not.
            if (
                process.parent == me.pid
                and process.session != me.session
                and process.pid not in _roots
                and process.started + 1 >= (began + slept) * ticks
            ):
                yield pid


def working_in(folder: Path) -> Iterator[int]:
    """Yield the processes whose working folder, or a variable of theirs, lies in a folder."""
    name = os.fsencode(folder)
    if Path("/proc/self/environ").exists():
        for pid in process_tree.pids():
            if pid != os.getpid() and process_tree.works_in(pid, name):
                with contextlib.suppress(OSError):
                    if not process_tree.Process(pid).zombie:
                        yield pid
        return
    import psutil  # noqa: PLC0415 - heavy, and needed where there is no /proc alone

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            places = [process.cwd(), *process.environ().values()]
            if process.pid != os.getpid() and any(
                f"{place}/".startswith(f"{folder}/") for place in places
            ):
                yield process.pid


# For those that need no supervisor of their own.

_shared_lock = threading.Lock()
_shared: Supervisor | None = None
_stopped = False


def run(
    program: Sequence[str | Path],
    *,
    folder: Path,
    variables: Mapping[str, str],
    seconds: float,
    most_bytes: int = MOST_BYTES,
) -> Ended:
    """Run a program as `Supervisor.run` does, by a supervisor that all threads share.

    Raises `StoppedError` after `stop()`, in a thread that waits for a program too.
    """
    global _shared  # noqa: PLW0603 - one per process
    with _shared_lock:
        if _stopped:
            raise StoppedError
        if _shared is None:
            _shared = Supervisor()
            atexit.register(_shared.close)
        shared = _shared
    return shared.run(
        program, folder=folder, variables=variables, seconds=seconds, most_bytes=most_bytes
    )


def stop() -> None:
    """End all that `run` runs, in every thread, and let nothing start any more."""
    global _stopped  # noqa: PLW0603 - one per process
    with _shared_lock:
        _stopped = True
        if _shared is not None:
            _shared.close()


def interrupt_at_sigterm() -> Callable[[], None]:
    """Let SIGTERM do what Ctrl-C does; return what makes it as it was.

    Does nothing in a thread that is not the main one, or when SIGTERM is ignored.
    """
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or before == signal.SIG_IGN:
        return lambda: None

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)

    def restore() -> None:
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, before)

    return restore
