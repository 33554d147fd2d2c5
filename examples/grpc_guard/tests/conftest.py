"""A project for each test, in which the guard can be imported."""

import shutil
import signal

import pytest

from examples.grpc_guard.tests.suites import GUARD, LEAKING_SUITE, Suite

# A job in the background of a script ignores Ctrl-C, and all that it starts: also the sessions
# whose tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A project without tests; what it is run with is this process's environment."""
    shutil.copy(LEAKING_SUITE / "conftest.py", pytester.path)
    shutil.copy(LEAKING_SUITE / "pytest.ini", pytester.path)
    monkeypatch.setenv("PYTHONPATH", str(GUARD))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Suite(pytester)
