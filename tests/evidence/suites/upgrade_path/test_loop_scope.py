"""Fixture and mark say the scope of their loop."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio
from conftest import say


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """Connect, once."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.mark.asyncio(loop_scope="session")
async def test_one(channel: grpc.aio.Channel) -> None:
    """The first test is answered."""
    await say(channel)


@pytest.mark.asyncio(loop_scope="session")
async def test_two(channel: grpc.aio.Channel) -> None:
    """The second one too."""
    await say(channel)
