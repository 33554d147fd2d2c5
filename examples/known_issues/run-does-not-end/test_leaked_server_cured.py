"""The same server, stopped in its event loop."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def server() -> AsyncIterator[grpc.aio.Server]:
    """Serve on a free port."""
    server = grpc.aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield server
    await server.stop(None)
    print("\nthe server is stopped", flush=True)


@pytest.mark.asyncio
async def test_server(server: grpc.aio.Server) -> None:
    """All is well as long as the event loop runs."""
    assert server is not None
