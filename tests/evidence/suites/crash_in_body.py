"""A test crashes in its body, between two that pass."""

import os
import signal


def test_before() -> None:
    """Pass."""
    assert os.getpid()


def test_crashes() -> None:
    """Crash."""
    os.kill(os.getpid(), signal.SIGSEGV)


def test_after() -> None:
    """Pass."""
    assert os.getpid()
