"""The same leak under anyio's pytest plugin: it needs no pytest-asyncio."""

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc.aio
import pytest

started: list[grpc.aio.Server] = []


@pytest.fixture
def anyio_backend() -> str:
    """grpc.aio runs on asyncio only."""
    return "asyncio"


@pytest.fixture
async def worker(
    anyio_backend: str,  # noqa: ARG001 - lets anyio's plugin run this fixture
    new_server: Callable[[], grpc.aio.Server],
    ports: list[int],
    *,
    stopped: bool,
) -> AsyncIterator[int]:
    """Serve, and forget to stop."""
    server = new_server()
    started.append(server)
    await server.start()
    yield ports[-1]
    if stopped:
        await server.stop(None)


@pytest.mark.anyio
async def test_uses_the_worker(
    worker: int, ask: Callable[[int], Awaitable[grpc.StatusCode]]
) -> None:
    """All is well while the loop runs."""
    assert await ask(worker) is grpc.StatusCode.UNIMPLEMENTED


def test_late_client(call_again: Callable[[], None]) -> None:
    """A client calls the server of the earlier test."""
    call_again()
