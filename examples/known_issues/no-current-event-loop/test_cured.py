"""The same tests; the client is made where it is used: in an event loop."""

import client
import pytest


@pytest.mark.asyncio
async def test_first() -> None:
    """Any async test: when it is over, the thread has no event loop."""
    print("\nan async test has run")


@pytest.mark.asyncio
async def test_client() -> None:
    """A client can be made."""
    print("\nthe client is made, in an event loop")
    assert client.Client("127.0.0.1:1").channel is not None
