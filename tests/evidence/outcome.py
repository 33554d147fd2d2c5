"""Runs a process and tells how it ended: by its exit status and its signal, never by its output."""

import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mkdocs_blocks import processes

from tests.evidence.environments import bare_variables

# pytest's exit statuses: what is neither of these has run no test, or not all of them.
_PYTEST_FAILED = 1
_PYTEST_BROKE = 3

_CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP}
)


class Lost(Exception):  # noqa: N818 - nobody erred
    """A process was ended by something that says nothing of it, such as too much output."""


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
    status: int | None = None
    """The exit status, negative for a signal; None when the deadline ended it."""


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

    Standard input is closed. `pytest` says that its exit statuses are pytest's. Raises
    `processes.StoppedError` after `processes.stop()`, and `Lost` when there is no outcome.
    """
    started = time.monotonic()
    ended = processes.run(
        command,
        folder=folder,
        variables=bare_variables() | dict(variables or {}),
        seconds=seconds,
    )
    took = time.monotonic() - started
    if ended.trouble not in {"", "time"}:
        raise Lost(f"{Path(command[0]).name}: it was ended, and why is no outcome: {ended.trouble}")
    status = ended.status
    ended_by = signal.Signals(-status).name if status is not None and status < 0 else ""
    return Run(
        outcome=classify(status, pytest=pytest),
        signal=ended_by,
        seconds=took,
        output=ended.output.decode(errors="replace"),
        status=status,
    )
