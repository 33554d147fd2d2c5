"""A test that asks for the fixture event_loop."""

import asyncio

import grpc.aio
import pytest
from conftest import say


@pytest.mark.asyncio
async def test_one(event_loop: asyncio.AbstractEventLoop, address: str) -> None:
    """The loop is the one that runs."""
    async with grpc.aio.insecure_channel(address) as channel:
        assert event_loop is asyncio.get_running_loop()
        await say(channel)
