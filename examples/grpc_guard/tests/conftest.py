"""A project for each test, in which the guard can be imported."""

import shutil

import pytest

from examples.grpc_guard.tests.suites import GUARD, LEAKING_SUITE, Suite


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A project without tests; what it is run with is this process's environment."""
    shutil.copy(LEAKING_SUITE / "conftest.py", pytester.path)
    shutil.copy(LEAKING_SUITE / "pytest.ini", pytester.path)
    monkeypatch.setenv("PYTHONPATH", str(GUARD))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Suite(pytester)
