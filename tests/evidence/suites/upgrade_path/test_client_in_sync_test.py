"""A client that is made in a sync test, after an async one."""

import grpc.aio
import pytest


@pytest.mark.asyncio
async def test_one() -> None:
    """An async test has run."""


def test_two(address: str) -> None:
    """The client is made."""
    assert grpc.aio.insecure_channel(address) is not None
