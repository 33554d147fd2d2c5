"""unittest's IsolatedAsyncioTestCase closes its loop after each test, and finds no stop()."""

from collections.abc import Awaitable, Callable
from unittest import IsolatedAsyncioTestCase

import grpc.aio
import pytest


class TestWorker(IsolatedAsyncioTestCase):
    """Keeps its server on self, as test cases do."""

    @pytest.fixture(autouse=True)
    def _from_pytest(
        self,
        new_server: Callable[[], grpc.aio.Server],
        ports: list[int],
        ask: Callable[[int], Awaitable[grpc.StatusCode]],
        *,
        stopped: bool,
    ) -> None:
        self.new_server = new_server
        self.ports = ports
        self.ask = ask
        self.stopped = stopped

    async def asyncSetUp(self) -> None:
        """Start the server."""
        self.server = self.new_server()
        await self.server.start()

    async def asyncTearDown(self) -> None:
        """Forget to stop it."""
        if self.stopped:
            await self.server.stop(None)

    async def test_serves(self) -> None:
        """All is well while the loop runs."""
        assert await self.ask(self.ports[-1]) is grpc.StatusCode.UNIMPLEMENTED


def test_late_client(call_again: Callable[[], None]) -> None:
    """A client calls the server of the earlier test."""
    call_again()
