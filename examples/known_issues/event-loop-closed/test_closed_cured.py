"""Each test closes the application's channel in its own event loop, and makes it forget it."""

from collections.abc import AsyncIterator, Callable

import client
import pytest
import pytest_asyncio


@pytest_asyncio.fixture(autouse=True)
async def fresh_channel() -> AsyncIterator[None]:
    """Leave no channel behind for the next event loop."""
    yield
    if client.channel.cache_info().currsize:
        await client.channel().close()
        client.channel.cache_clear()


@pytest.mark.asyncio
@pytest.mark.parametrize("test", [1, 2])
async def test_say(test: int, loop_number: Callable[[], int]) -> None:
    """The service gives back what it was sent."""
    print(f"\ntest {test} runs in event loop {loop_number()}")
    say = client.channel().unary_unary("/echo.Echo/Say", bytes, bytes)
    assert await say(b"hello", timeout=60) == b"hello"
    print(f"test {test} was answered")
