"""The application's channel belongs to the first test's event loop; the second test has another."""

from collections.abc import Callable

import client
import pytest


@pytest.mark.asyncio
@pytest.mark.parametrize("test", [1, 2])
async def test_say(test: int, loop_number: Callable[[], int]) -> None:
    """The service gives back what it was sent."""
    print(f"\ntest {test} runs in event loop {loop_number()}")
    say = client.channel().unary_unary("/echo.Echo/Say", bytes, bytes)
    assert await say(b"hello", timeout=60) == b"hello"
    print(f"test {test} was answered")
