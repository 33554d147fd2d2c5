"""A call whose metadata gRPC cannot send, and a test that asks for its status first."""

import asyncio

import grpc.aio
import pytest

TRACE = 17  # metadata are text: "17"


@pytest.mark.asyncio
async def test_say(address: str) -> None:
    """The call ends well."""
    async with grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        say = channel.unary_unary("/echo.Echo/Say", bytes, bytes)
        call = say(b"hello", timeout=1, metadata=(("trace", TRACE),))  # type: ignore[arg-type]
        print("\nthe call is made, with a deadline of 1 s")
        try:
            code = await asyncio.wait_for(call.code(), timeout=10)
        finally:
            print("the call is done:", call.done())
        assert code is grpc.StatusCode.OK
