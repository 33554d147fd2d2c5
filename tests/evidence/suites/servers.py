"""As many tests as EVIDENCE_TESTS says, each with a server of its own, which is stopped."""

import os
from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def server() -> AsyncIterator[grpc.aio.Server]:
    """Serve, and stop."""
    server = grpc.aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield server
    await server.stop(None)


@pytest.mark.asyncio
@pytest.mark.parametrize("number", range(int(os.environ["EVIDENCE_TESTS"])))
async def test_serves(server: grpc.aio.Server, number: int) -> None:
    """Use nothing but the server's being there."""
    assert isinstance(server, grpc.aio.Server)
    assert number >= 0
