"""A test without an event loop, after one that had its own."""

import client
import pytest


@pytest.mark.asyncio
async def test_first() -> None:
    """Any async test: when it is over, the thread has no event loop."""
    print("\nan async test has run")


def test_client() -> None:
    """A client can be made."""
    print("\nthe client is made, outside of any event loop")
    assert client.Client("127.0.0.1:1").channel is not None
