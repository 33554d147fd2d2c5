"""Says where a run stands that does not end: every thread's stack, 10 s after its last test."""

import faulthandler
import sys


def pytest_runtest_teardown() -> None:
    """Start the clock anew at the end of each test. It ends the process, with status 1."""
    faulthandler.dump_traceback_later(10, exit=True)


def pytest_unconfigure() -> None:
    """Write what pytest has said: in a log, which is no terminal, it would be lost."""
    sys.stdout.flush()
