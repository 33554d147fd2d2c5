"""A fixture of its own named event_loop, for the session, and a channel of the session."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import grpc.aio
import pytest
import pytest_asyncio
from conftest import say


@pytest.fixture(scope="session")
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop of the session, as it was written for 0.21."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest_asyncio.fixture(scope="session")
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """Connect, once."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.mark.asyncio
async def test_one(channel: grpc.aio.Channel) -> None:
    """The first test is answered."""
    await say(channel)


@pytest.mark.asyncio
async def test_two(channel: grpc.aio.Channel) -> None:
    """The second one too."""
    await say(channel)
