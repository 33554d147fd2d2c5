"""A channel that the application caches."""

import functools
import os

import grpc.aio
import pytest
from conftest import say


@functools.cache
def cached() -> grpc.aio.Channel:
    """Connect, once."""
    return grpc.aio.insecure_channel(os.environ["ECHO_ADDRESS"])


@pytest.mark.asyncio
async def test_one() -> None:
    """The first test is answered."""
    await say(cached())


@pytest.mark.asyncio
async def test_two() -> None:
    """The second one too."""
    await say(cached())
