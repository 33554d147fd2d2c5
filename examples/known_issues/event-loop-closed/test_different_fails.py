"""A channel of the session's event loop, and a test that runs in an event loop of its own."""

from collections.abc import AsyncIterator, Callable

import grpc.aio
import pytest
import pytest_asyncio


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def channel(address: str, loop_number: Callable[[], int]) -> AsyncIterator[grpc.aio.Channel]:
    """Open one channel for all tests."""
    async with grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        print(f"\nthe channel is open in event loop {loop_number()}")
        yield channel


@pytest.mark.asyncio
async def test_say(channel: grpc.aio.Channel, loop_number: Callable[[], int]) -> None:
    """The service gives back what it was sent."""
    print(f"the test runs in event loop {loop_number()}")
    assert (
        await channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60) == b"hello"
    )
    print("the test was answered")
