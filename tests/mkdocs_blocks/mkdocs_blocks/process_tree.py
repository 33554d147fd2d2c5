"""The processes below this one, and how to be rid of them, whatever they do.

Only the standard library, and little of it: the supervisor's start waits for this.
"""

import contextlib
import ctypes
import os
import select
import signal
import stat
import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

MOST_SECONDS_TO_END = 10.0
"""Seconds after which a process that does not die of SIGKILL is given up: the kernel holds it."""
_NAME_LENGTH = 200

PR_SET_CHILD_SUBREAPER = 36
"""The number of a setting of Linux: orphans below a process become its children."""
_WNOTHREAD = 0x20000000
"""An option of `waitpid` of Linux: only the children of this thread, which orphans become too."""


class Process:
    """A process at the moment of a look at it."""

    __slots__ = ("group", "parent", "pid", "session", "started", "zombie")

    def __init__(self, pid: int) -> None:
        """Look; raises `OSError` when there is no such process."""
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - quick, and run at start-up
            # The name, in brackets, can have brackets and blanks of its own.
            fields = file.read().rpartition(b")")[2].split()
        self.pid = pid
        self.zombie = fields[0] in {b"Z", b"X"}
        self.parent, self.group, self.session = (int(field) for field in fields[1:4])
        self.started = int(fields[19])
        """In clock ticks since the machine started."""


def pids() -> list[int]:
    """Return the numbers of all processes, the newest last."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names


def command_line(pid: int) -> str:
    """Return a process's command line as it can be shown, or its name, or nothing."""
    for name, separator in (("cmdline", b"\0"), ("comm", b"\n")):
        with contextlib.suppress(OSError), Path(f"/proc/{pid}/{name}").open("rb") as file:
            line = shown(b" ".join(file.read(8192).split(separator)).decode(errors="replace"))
            if line:
                return line
    return ""


def shown(line: str) -> str:
    """Return a command line on one line, and not longer than anyone reads."""
    text = " ".join("".join(c if c.isprintable() else " " for c in line).split())
    return text if len(text) <= _NAME_LENGTH else f"{text[:_NAME_LENGTH]}…"


def works_in(pid: int, folder: bytes) -> bool:
    """Tell whether a process's working folder, or a variable of its start, lies in a folder."""
    below = folder + b"/"
    try:
        if f"{Path(f'/proc/{pid}/cwd').readlink()}/".encode(errors="surrogateescape").startswith(
            below
        ):
            return True
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - bytes of no file
            return any(
                (entry.partition(b"=")[2] + b"/").startswith(below)
                for entry in file.read().split(b"\0")
            )
    except OSError:
        return False


def _adopt_orphans() -> bool:
    """Make this process the parent of every orphan below it; False where that cannot be."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


class _Look:
    """One look at who is below whom."""

    def __init__(self, known: dict[int, bool], outside: Collection[int]) -> None:
        self.known = known
        """Whether a process is one of ours."""
        self.processes: dict[int, Process] = {}
        self._outside = outside

    def is_mine(self, pid: int) -> bool | None:
        """Tell whether a process is one of ours; None when it is gone, or its parent is."""
        if pid <= 1 or pid in self._outside:
            return False
        if pid in self.known:
            return self.known[pid]
        for _ in range(2):  # a parent that is gone by now: then there is a new one
            try:
                self.processes[pid] = Process(pid)
            except OSError:
                return None
            mine = self.is_mine(self.processes[pid].parent)
            if mine is not None:
                self.known[pid] = mine
                return mine
        return None


class Family:
    """All processes below this one."""

    def __init__(self, psutil_at: str, *, plain: bool) -> None:
        """Become their subreaper; where that cannot be, psutil is imported from `psutil_at`."""
        self.me = os.getpid()
        self.subreaper = not plain and _adopt_orphans()
        self._psutil_at = psutil_at
        self.mark = f"MKDOCS_BLOCKS_{os.urandom(8).hex()}"
        """The variable by which processes are known where there is no subreaper. Each keeper has
        a name of its own, so that the marks of one run within another add up."""
        self.sessions: set[int] = set()
        self._outside: set[int] = set()
        """Processes that were seen not to be below this one."""
        self.ended: dict[int, int] = {}
        """The children that have ended, with their exit status; negative: the signal."""
        self.wake, writing = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(writing, False)
        signal.signal(signal.SIGCHLD, _nothing)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def reap(self, *, orphans: bool = False) -> bool:
        """Take note of the children that have ended; return whether any is left.

        `orphans`: of those alone that were not started by `start_apart`; only for a subreaper.
        """
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | (_WNOTHREAD if orphans else 0))
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self.ended[pid] = os.waitstatus_to_exitcode(status)

    @staticmethod
    def start_apart(start: Callable[[], int]) -> int:
        """Start a child by a thread of its own; what is orphaned is a child of the main one.

        So whether a child that lives on has left something is known without a look at all processes
        of the machine. The thread stays: its children would become the main thread's.
        """
        import threading  # noqa: PLC0415 - heavy, and needed here alone

        started: list[int | BaseException] = []
        done = threading.Event()

        def work() -> None:
            try:
                started.append(start())
            except BaseException as error:  # noqa: BLE001 - raised in the other thread
                started.append(error)
            done.set()
            if isinstance(started[0], int):
                threading.Event().wait()

        threading.Thread(target=work, daemon=True).start()
        done.wait()
        if isinstance(started[0], BaseException):
            raise started[0]
        return started[0]

    def members(self, spare: Collection[int] = ()) -> list[int]:
        """Return the processes below this one, but for `spare` and what is below those."""
        return [pid for pid, _ in self._walk(spare) if pid]

    def any_left(self, spare: Collection[int] = ()) -> bool:
        """Tell whether there is one, or may be: one that has moved on while it was looked at."""
        return any(True for _ in self._walk(spare))

    def end(self, spare: Collection[int] = ()) -> bool:
        """Kill all below this one but for `spare`, until none is left; False if one does not die.

        Whoever forks and exits to escape, in a session of its own each time, is overtaken: a
        process that was seen to be nobody's is not looked at again, so that each round is quick,
        and begins with the newest.
        """
        deadline = time.monotonic() + MOST_SECONDS_TO_END
        while True:
            if not self.reap() and self.subreaper:
                return True
            found = moved = False
            for pid, group in self._walk(spare):
                moved |= not pid
                found |= bool(pid)
                if pid:
                    _kill(pid, group)
            if not found and not moved and (spare or not self.subreaper):
                self.reap()
                return True
            if time.monotonic() > deadline:
                return False
            if not moved:
                select.select([self.wake], [], [], 0.02)

    def _walk(self, spare: Collection[int]) -> Iterator[tuple[int, int]]:
        """Yield the living processes below this one with their groups, the newest first.

        A process that is gone by the time it is looked at, so that it may have moved on, is 0.
        """
        if not self.subreaper:
            yield from self._marked(spare)
            return
        numbers = pids()
        self._outside.intersection_update(numbers)
        look = _Look({self.me: True, **dict.fromkeys(spare, False)}, self._outside)
        for pid in reversed(numbers):
            if pid == self.me or pid in spare or pid in self._outside:
                continue
            mine = look.is_mine(pid)
            if mine is None:
                yield 0, 0
            elif mine and not look.processes[pid].zombie:
                yield pid, look.processes[pid].group
        if not spare:
            # Nobody from outside becomes one of ours.
            self._outside.update(pid for pid, mine in look.known.items() if not mine)

    def _marked(self, spare: Collection[int]) -> Iterator[tuple[int, int]]:
        """Yield what is below this process as far as can be told without a subreaper."""
        if self._psutil_at not in sys.path:
            sys.path.append(self._psutil_at)
        import psutil  # noqa: PLC0415 - heavy, and needed here alone

        mine, spared = {self.me}, set(spare)
        for process in psutil.process_iter():  # in the order of their numbers
            with contextlib.suppress(psutil.Error, OSError):
                pid, parent = process.pid, process.ppid()
                if pid == self.me or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                if parent in spared or pid in spared:
                    spared.add(pid)
                elif (
                    parent in mine
                    or os.getsid(pid) in self.sessions
                    or self.mark in process.environ()
                ):
                    mine.add(pid)
                    yield pid, 0


def _nothing(*_: object) -> None:
    """Handle a signal that need only end a wait."""


def _kill(pid: int, group: int) -> None:
    # First all at one blow: none of them has the time to fork, or to complain of the others' end.
    # Groups of ours are in sessions of ours: nobody else can be in them.
    if group > 1 and group != os.getpgrp():
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def remove(folder: str) -> None:
    """Remove a folder and all in it, also what its owner may not write to."""
    import shutil  # noqa: PLC0415 - heavy, and needed at the end alone

    if not os.path.lexists(folder):
        return
    if os.path.islink(folder):  # noqa: PTH114 - names may be no text
        os.unlink(folder)  # noqa: PTH108 - as above
        return
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        for at, names, _ in os.walk(folder):
            for path in (at, *(os.path.join(at, name) for name in names)):  # noqa: PTH118 - as above
                with contextlib.suppress(OSError):
                    if stat.S_ISDIR(os.lstat(path).st_mode):
                        os.chmod(path, 0o700)  # noqa: PTH101 - as above
        shutil.rmtree(folder, ignore_errors=True)


def name_of(pid: int, *, plain: bool) -> str:
    """Return what a process is to be called; `plain`: there may be no /proc."""
    if not plain:
        return command_line(pid)
    import psutil  # noqa: PLC0415 - heavy, and needed here alone

    with contextlib.suppress(psutil.Error):
        return shown(" ".join(psutil.Process(pid).cmdline()))
    return ""
