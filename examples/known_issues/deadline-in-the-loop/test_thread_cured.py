"""The same synchronous call, in a thread: for code under test that has no other kind."""

import asyncio

import grpc
import pytest


@pytest.mark.asyncio
async def test_say(address: str, reached: list[bytes]) -> None:
    """The service gives back what it was sent."""
    with grpc.insecure_channel(address) as channel:
        grpc.channel_ready_future(channel).result(timeout=60)
        print("\nthe channel is connected")
        say = channel.unary_unary("/echo.Echo/Say", bytes, bytes)
        try:
            assert await asyncio.to_thread(say, b"hello", timeout=60) == b"hello"
        finally:
            print("while the client waited, the handler was reached", len(reached), "times")
