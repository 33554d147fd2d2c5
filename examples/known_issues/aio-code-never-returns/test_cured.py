"""The same call; the test awaits its answer first, and is told what is wrong."""

import grpc.aio
import pytest

TRACE = 17  # metadata are text: "17"


@pytest.mark.asyncio
async def test_say(address: str) -> None:
    """The call is refused at once."""
    async with grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        say = channel.unary_unary("/echo.Echo/Say", bytes, bytes)
        call = say(b"hello", timeout=60, metadata=(("trace", TRACE),))  # type: ignore[arg-type]
        print("\nthe call is made, with a deadline of 60 s")
        with pytest.raises(TypeError) as refusal:
            await call
        print("the call is refused:", refusal.value)
        assert await say(b"hello", timeout=60, metadata=(("trace", str(TRACE)),)) == b"hello"
        print("with text it is answered")
