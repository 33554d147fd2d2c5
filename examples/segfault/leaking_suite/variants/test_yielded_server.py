"""A fixture yields its server and forgets its stop(): pytest keeps the value for a while."""

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc.aio
import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def worker(
    new_server: Callable[[], grpc.aio.Server], *, stopped: bool
) -> AsyncIterator[grpc.aio.Server]:
    """Serve, and forget to stop."""
    server = new_server()
    await server.start()
    yield server
    if stopped:
        await server.stop(None)


@pytest.mark.asyncio
@pytest.mark.usefixtures("worker")
async def test_uses_the_worker(
    ports: list[int], ask: Callable[[int], Awaitable[grpc.StatusCode]]
) -> None:
    """All is well while the loop runs."""
    assert await ask(ports[-1]) is grpc.StatusCode.UNIMPLEMENTED


def test_late_client(call_again: Callable[[], None]) -> None:
    """A client calls the server of the earlier test."""
    call_again()
