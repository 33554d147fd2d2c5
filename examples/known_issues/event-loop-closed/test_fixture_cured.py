"""An async fixture runs in the test's event loop, and needs nobody to give it one."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """Open a channel in the test's event loop, and close it there."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.mark.asyncio
async def test_say(channel: grpc.aio.Channel) -> None:
    """The service gives back what it was sent."""
    assert (
        await channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60) == b"hello"
    )
    print("\nthe test was answered")
