"""A client that takes the first message of a stream and cancels the rest."""

import asyncio
import contextlib
import gc

import grpc.aio
import pytest


async def first(channel: grpc.aio.Channel) -> bytes:
    """Give the first message."""
    call = channel.unary_stream("/echo.Echo/Watch", bytes, bytes)(b"")
    try:
        async for message in call:
            return message
    finally:
        call.cancel()
    raise AssertionError("no message")


@pytest.mark.asyncio
async def test_first(channel: grpc.aio.Channel, ended: asyncio.Event) -> None:
    """The client takes what it wants."""
    assert await first(channel) == b"hello"
    print("\nthe client has its message, and keeps nothing of the call")
    gc.collect()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), timeout=2)
    print("the handler has ended:", ended.is_set())
