"""A fixture yields a port only: the server is freed before its loop closes, by luck."""

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc.aio
import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def worker(
    new_server: Callable[[], grpc.aio.Server], ports: list[int], *, stopped: bool
) -> AsyncIterator[int]:
    """Serve, and forget to stop."""
    server = new_server()
    await server.start()
    yield ports[-1]
    if stopped:
        await server.stop(None)


@pytest.mark.asyncio
async def test_uses_the_worker(
    worker: int, ask: Callable[[int], Awaitable[grpc.StatusCode]]
) -> None:
    """All is well while the loop runs."""
    assert await ask(worker) is grpc.StatusCode.UNIMPLEMENTED


def test_late_client(call_again: Callable[[], None]) -> None:
    """A client calls the port of the earlier test."""
    call_again()
