"""A pytest plugin that notes which share of a session is spent in the guard's own functions.

The session runs under Python's profiler. That is slower, but tells what no clock can on a machine
whose runs differ by more than the guard costs. To be loaded before the guard, so that its import
counts too; EVIDENCE_NOTES names the file.
"""

import cProfile
import os
from pathlib import Path
from types import CodeType

import pytest

_profile = cProfile.Profile()


def pytest_addoption() -> None:
    """Start: pytest calls this as soon as it has the plugin, before it imports the next one."""
    _profile.enable()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Write the share, a number from 0 to 1."""
    _profile.disable()
    Path(os.environ["EVIDENCE_NOTES"]).write_text(f"{share(_profile, 'grpc_guard.py')}\n")


def share(profile: cProfile.Profile, file_name: str) -> float:
    """Return the part of the profiled time that was spent in the functions of a file themselves.

    From the profiler's own entries: `pstats.Stats.get_stats_profile` rounds each function to a
    millisecond, and of several functions with one name it keeps the last.
    """
    entries = profile.getstats()
    own = [
        entry.inlinetime
        for entry in entries
        if isinstance(entry.code, CodeType) and Path(entry.code.co_filename).name == file_name
    ]
    return sum(own) / sum(entry.inlinetime for entry in entries)
