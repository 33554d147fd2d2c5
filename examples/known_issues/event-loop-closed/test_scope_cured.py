"""Fixture and test name the event loop that they share, whatever the ini option says."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """Open one channel for all tests."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.mark.asyncio(loop_scope="session")
async def test_say(channel: grpc.aio.Channel) -> None:
    """The service gives back what it was sent."""
    assert (
        await channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60) == b"hello"
    )
    print("\nthe test was answered")
