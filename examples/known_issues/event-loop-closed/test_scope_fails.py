"""A fixture of the session that shall run in an event loop of the test: the ini option says so."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio


@pytest_asyncio.fixture(scope="session")
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """Open one channel for all tests."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.mark.asyncio
async def test_say(channel: grpc.aio.Channel) -> None:
    """The service gives back what it was sent."""
    assert (
        await channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60) == b"hello"
    )
    print("\nthe test was answered")
