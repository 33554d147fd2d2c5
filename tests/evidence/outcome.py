"""Runs a process and tells how it ended: by its exit status and its signal, never by its output."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from tests.evidence.environments import bare_variables

# pytest's exit statuses: what is neither of these has run no test, or not all of them.
_PYTEST_FAILED = 1
_PYTEST_BROKE = 3

_MARK = "EVIDENCE_RUN"
"""The variable by which a process and all that it starts are known."""
_HARNESS = uuid.uuid4().hex
_stopped = threading.Event()

_CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP}
)


class Stopped(Exception):  # noqa: N818 - nobody erred
    """The harness is being stopped: what runs has no outcome."""


class Outcome(StrEnum):
    """How a process ended."""

    PASSED = "passed"
    FAILED = "failed"
    REFUSED = "refused"
    """pytest did not run the tests: a usage or collection error, an interruption, no test."""
    BROKE = "broke"
    """pytest gave up with an internal error."""
    CRASHED = "crashed"
    """Ended by a signal that means broken memory or a broken invariant."""
    HUNG = "hung"
    """Did not end in its time, and was killed."""

    @property
    def lost(self) -> bool:
        """Whether a session that ended so has no result for some of its tests."""
        return self in {Outcome.BROKE, Outcome.CRASHED, Outcome.HUNG}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One process that ended, or was made to."""

    outcome: Outcome
    signal: str
    """Such as SIGSEGV; empty when no signal ended it."""
    seconds: float
    output: str
    """Standard output and standard error, in the order in which they were written."""


def classify(status: int | None, *, pytest: bool) -> Outcome:
    """Tell an outcome from an exit status, negative for a signal and None for the deadline."""
    if status is None:
        return Outcome.HUNG
    if -status in _CRASHES:
        return Outcome.CRASHED
    if not status:
        return Outcome.PASSED
    if pytest and status == _PYTEST_BROKE:
        return Outcome.BROKE
    return Outcome.REFUSED if pytest and status > _PYTEST_FAILED else Outcome.FAILED


def run(
    command: Sequence[str | Path],
    *,
    folder: Path,
    seconds: float,
    variables: Mapping[str, str] | None = None,
    pytest: bool = False,
) -> Run:
    """Run a command in a folder, for at most so many seconds; nothing that it started outlives it.

    Standard input is closed. `pytest` says that its exit statuses are pytest's. Raises `Stopped`
    after `stop()`.
    """
    if _stopped.is_set():
        raise Stopped
    mark = f"{_HARNESS}-{uuid.uuid4().hex}"
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=bare_variables() | dict(variables or {}) | {_MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            status: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            took = time.monotonic() - started
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _kill(mark)
        if _stopped.is_set():
            raise Stopped
        output.seek(0)
        text = output.read().decode(errors="replace")
    ended_by = signal.Signals(-status).name if status is not None and status < 0 else ""
    return Run(outcome=classify(status, pytest=pytest), signal=ended_by, seconds=took, output=text)


def stop() -> None:
    """Kill all that runs, in every thread, and let nothing start any more."""
    _stopped.set()
    _kill(_HARNESS)


def _kill(mark: str) -> None:
    """Kill what has this mark or one that starts so, also what made a session of its own."""
    while left := [process for process in psutil.process_iter() if _has(process, mark)]:
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=1)


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(
            _MARK, ""
        ).startswith(mark)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
