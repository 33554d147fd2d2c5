"""A suite whose fixture forgets to stop its server, which a list keeps alive."""

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc.aio
import pytest
import pytest_asyncio

started: list[grpc.aio.Server] = []


@pytest_asyncio.fixture
async def worker(
    new_server: Callable[[], grpc.aio.Server], ports: list[int], *, stopped: bool
) -> AsyncIterator[int]:
    """Serve on the port given, and forget to stop unless the run applies the fix."""
    server = new_server()
    started.append(server)
    await server.start()
    yield ports[-1]
    if stopped:
        await server.stop(None)


@pytest.mark.asyncio
@pytest.mark.parametrize("session", range(24))
async def test_worker_answers(
    worker: int,
    ask: Callable[[int], Awaitable[grpc.StatusCode]],
    session: int,  # noqa: ARG001 - as many tests as a small suite has
) -> None:
    """Each test has a worker of its own, which answers."""
    assert await ask(worker) is grpc.StatusCode.UNIMPLEMENTED


def test_late_client(call_again: Callable[[], None]) -> None:
    """A client calls the servers of the earlier tests."""
    call_again()
