"""A fixture fails after start() and before its yield, so that its clean-up never runs."""

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc.aio
import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def worker(
    new_server: Callable[[], grpc.aio.Server],
    ports: list[int],
    ask: Callable[[int], Awaitable[grpc.StatusCode]],
    *,
    stopped: bool,
) -> AsyncIterator[int]:
    """Start a server, then fail in the check that it is ready."""
    server = new_server()
    await server.start()
    try:
        assert await ask(ports[-1]) is grpc.StatusCode.OK, "this fixture fails on purpose"
    finally:
        if stopped:
            await server.stop(None)
    yield ports[-1]
    await server.stop(None)


@pytest.mark.asyncio
async def test_never_runs(worker: int, ask: Callable[[int], Awaitable[grpc.StatusCode]]) -> None:
    """The fixture's failure is this test's error."""
    assert await ask(worker) is grpc.StatusCode.UNIMPLEMENTED


def test_late_client(call_again: Callable[[], None]) -> None:
    """A client calls the server of the fixture that failed."""
    call_again()
