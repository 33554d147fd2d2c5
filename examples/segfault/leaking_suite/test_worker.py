"""A suite whose fixture forgets to stop its server, which a list keeps alive."""

from collections.abc import AsyncIterator, Callable

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
@pytest.mark.parametrize("number", range(24))
async def test_worker_answers(worker: int, number: int) -> None:
    """Each test has its own worker, which answers that it knows no such method."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{worker}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await channel.unary_unary(f"/any.Service/Method{number}")(b"")
    assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_late_client(late_client: Callable[[], None]) -> None:
    """A client calls the servers of the earlier tests, which should be gone."""
    late_client()
