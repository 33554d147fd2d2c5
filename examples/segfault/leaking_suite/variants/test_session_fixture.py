"""A session-scoped server forgets its stop(); the registry's last health check comes too late."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import grpc.aio
import pytest
import pytest_asyncio


@pytest.fixture(scope="session")
def registry(call_again: Callable[[], None]) -> Iterator[None]:
    """Know the workers from before the first starts until after the last has gone."""
    yield
    call_again()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def worker(
    registry: None,  # noqa: ARG001 - set up first, torn down last
    new_server: Callable[[], grpc.aio.Server],
    *,
    stopped: bool,
) -> AsyncIterator[grpc.aio.Server]:
    """Serve for the whole session."""
    server = new_server()
    await server.start()
    yield server
    if stopped:
        await server.stop(None)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.usefixtures("worker")
async def test_uses_the_worker(
    ports: list[int], ask: Callable[[int], Awaitable[grpc.StatusCode]]
) -> None:
    """All is well while the loop runs."""
    assert await ask(ports[-1]) is grpc.StatusCode.UNIMPLEMENTED
