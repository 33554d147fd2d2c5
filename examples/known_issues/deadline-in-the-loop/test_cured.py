"""The same call, awaited: the event loop is free for the server."""

import grpc.aio
import pytest


@pytest.mark.asyncio
async def test_say(address: str, reached: list[bytes]) -> None:
    """The service gives back what it was sent."""
    async with grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        print("\nthe channel is connected")
        try:
            assert (
                await channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60)
                == b"hello"
            )
        finally:
            print("while the client waited, the handler was reached", len(reached), "times")
