"""A fixture that asks for event_loop, which pytest-asyncio had until 1.0."""

import asyncio
from collections.abc import Iterator

import grpc.aio
import pytest


@pytest.fixture
def channel(address: str, event_loop: asyncio.AbstractEventLoop) -> Iterator[grpc.aio.Channel]:
    """Open a channel in the test's event loop, and close it there."""
    channel = grpc.aio.insecure_channel(address)
    yield channel
    event_loop.run_until_complete(channel.close())


@pytest.mark.asyncio
async def test_say(channel: grpc.aio.Channel) -> None:
    """The service gives back what it was sent."""
    assert (
        await channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60) == b"hello"
    )
    print("\nthe test was answered")
