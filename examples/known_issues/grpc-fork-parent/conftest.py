"""Ends a forked test that takes too long, and says where it stands."""

import faulthandler
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """Print every thread's stack after 10 s, and end the child. Needs no plugin and no signal."""
    faulthandler.dump_traceback_later(10, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests have recorded: what a forked test prints is lost when it passes."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            terminalreporter.write_line(f"{name} {text}")
