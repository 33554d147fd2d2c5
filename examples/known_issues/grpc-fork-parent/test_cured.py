"""The same server, started in a fixture: that runs in the child, whatever its scope."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable

import grpc.aio
import pytest
import pytest_asyncio

PARENT = os.getpid()


@pytest_asyncio.fixture
async def address() -> AsyncIterator[str]:
    """Serve on a free port."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.mark.asyncio
async def test_serves(address: str, record_property: Callable[[str, object], None]) -> None:
    """The client is connected."""
    record_property("the test ran in a child:", os.getpid() != PARENT)
    async with grpc.aio.insecure_channel(address) as channel:
        await asyncio.wait_for(channel.channel_ready(), timeout=60)
