"""A synchronous call in an async test: it holds the event loop in which the server should run."""

import grpc
import pytest


@pytest.mark.asyncio
async def test_say(address: str, reached: list[bytes]) -> None:
    """The service gives back what it was sent."""
    with grpc.insecure_channel(address) as channel:
        grpc.channel_ready_future(channel).result(timeout=60)
        print("\nthe channel is connected")
        try:
            assert (
                channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=3) == b"hello"
            )
        finally:
            print("while the client waited, the handler was reached", len(reached), "times")
