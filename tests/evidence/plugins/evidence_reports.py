"""A pytest plugin that writes down what a session reports of each test, as lines of JSON.

The file is the one that EVIDENCE_REPORTS names. Only the process that opened it writes: not
pytest-xdist's workers, nor the children that isolation plugins fork or start, since what counts
is what reaches the session's own summary.
"""

import json
import os
from typing import TextIO

import pytest


class _Reports:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._process = os.getpid()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write one line; a test has one for each phase that is reported."""
        if os.getpid() != self._process:
            return
        line = {
            "test": str(report.nodeid),
            "when": report.when,
            "outcome": report.outcome,
            "message": report.longreprtext,
        }
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()

    def pytest_unconfigure(self) -> None:
        """Close the file."""
        if os.getpid() == self._process:
            self._stream.close()


def pytest_configure(config: pytest.Config) -> None:
    """Write reports, unless another process of this session does."""
    path = os.environ.get("EVIDENCE_REPORTS")
    if path is None:
        return
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return
    config.pluginmanager.register(_Reports(os.fdopen(file, "w", encoding="utf-8")))
