"""A test passes, then its teardown crashes."""

import os
import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def crashing() -> Iterator[None]:
    """Crash after the test."""
    yield
    os.kill(os.getpid(), signal.SIGSEGV)


def test_before() -> None:
    """Pass."""
    assert os.getpid()


@pytest.mark.usefixtures("crashing")
def test_crashes() -> None:
    """Pass, and crash at teardown."""
    assert os.getpid()


def test_after() -> None:
    """Pass."""
    assert os.getpid()
