"""Every way in which a forked test can end."""

import os
import signal

import pytest


def test_passes() -> None:
    """Passes."""
    assert True


@pytest.mark.parametrize("number", [1, 2])
def test_each(number: int) -> None:
    """Passes, once for each number."""
    assert number


def test_fails() -> None:
    """Fails, and says why."""
    print("said before it failed")
    assert os.getpid() == 1, "it is not the first process"


def test_skips() -> None:
    """Is skipped."""
    pytest.skip("no reason")


def test_crashes() -> None:
    """Dies of a signal, as a segmentation fault does."""
    os.kill(os.getpid(), signal.SIGSEGV)
