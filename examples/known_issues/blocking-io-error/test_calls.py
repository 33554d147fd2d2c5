"""Calls from the one event loop to the other."""

import asyncio

import grpc.aio

CALLS = 1_000


async def call(address: str) -> None:
    """Make the calls, one after the other."""
    async with grpc.aio.insecure_channel(address) as channel:
        say = channel.unary_unary("/echo.Echo/Say", bytes, bytes)
        for _ in range(CALLS):
            assert await say(b"hello", timeout=60) == b"hello"


def test_calls(address: str) -> None:
    """Every call is answered."""
    asyncio.run(call(address))
    print(f"\n{CALLS} calls from one event loop to another were answered")
