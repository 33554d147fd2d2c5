"""A sync fixture that asks for the fixture event_loop."""

import asyncio
from collections.abc import Iterator

import grpc.aio
import pytest
from conftest import say


@pytest.fixture
def channel(event_loop: asyncio.AbstractEventLoop, address: str) -> Iterator[grpc.aio.Channel]:
    """Connect, and close in the loop that is asked for."""
    channel = grpc.aio.insecure_channel(address)
    yield channel
    event_loop.run_until_complete(channel.close())


@pytest.mark.asyncio
async def test_one(channel: grpc.aio.Channel) -> None:
    """The first test is answered."""
    await say(channel)


@pytest.mark.asyncio
async def test_two(channel: grpc.aio.Channel) -> None:
    """The second one too."""
    await say(channel)
