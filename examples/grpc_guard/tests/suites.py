"""Suites to be run with and without the guard, each in a project and a process of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

GUARD = Path(__file__).parents[1]
LEAKING_SUITE = GUARD.parent / "segfault" / "leaking_suite"

# Most suites begin so. The registry, which is torn down after the last event loop, calls the
# servers again; the list keeps them.
HEAD = """
import asyncio, contextlib, gc, threading, unittest
import grpc.aio, pytest, pytest_asyncio

kept = []

@pytest.fixture(scope="session", autouse=True)
def registry(call_again):
    yield
    call_again()

async def serve(new_server):
    server = new_server()
    kept.append(server)
    await server.start()
    return server

def cancel_all(loop):
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
"""

PYTEST_ASYNCIO = """
@pytest_asyncio.fixture(scope="{scope}", loop_scope="{scope}")
async def worker(new_server):
    await serve(new_server)
    yield

@pytest.mark.asyncio(loop_scope="{scope}")
class TestWorker:
    async def test_first(self, worker):
        pass

    async def test_last(self, worker):
        pass
"""

LEAK = """
def test_leaks(new_server):
    asyncio.run(serve(new_server))
"""


@dataclass(frozen=True)
class Suite:
    """A project with pytest's ini file, and a conftest that brings the servers and the client."""

    pytester: pytest.Pytester

    @property
    def root(self) -> Path:
        """The folder of the project."""
        return self.pytester.path

    def write(self, source: str, name: str = "test_it.py") -> None:
        """Write a file of tests."""
        (self.root / name).write_text(source)

    def configure(self, source: str) -> None:
        """Add to the conftest."""
        with (self.root / "conftest.py").open("a") as conftest:
            conftest.write(source)

    def leak(self) -> None:
        """Add the suite of the pages: 24 tests leak a server each, one calls them all."""
        shutil.copy(LEAKING_SUITE / "test_worker.py", self.root)

    def run(self, *options: str) -> pytest.RunResult:
        """Run the tests under the guard, in a process of its own."""
        return self._run("-p", "grpc_guard", *options)

    def run_plainly(self, *options: str) -> pytest.RunResult:
        """Run the tests without the guard, or with it as the project itself has it."""
        return self._run(*options)

    def dies(self) -> bool:
        """Tell whether the session is killed, or hangs, without the guard."""
        watchdog = ("-o", "faulthandler_timeout=4", "-o", "faulthandler_exit_on_timeout=true")
        try:
            result = self._run(*watchdog)
        except self.pytester.TimeoutExpired:  # so deep that not even faulthandler ends it
            return True
        return int(result.ret) < 0 or "Timeout (" in result.stderr.str()

    def _run(self, *options: str) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess("-p", "no:cacheprovider", *options, timeout=60)
