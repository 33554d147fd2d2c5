"""A request of the wrong type: text, where the method wants a message."""

import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue


@pytest.mark.asyncio
async def test_greet(address: str) -> None:
    """Whoever is named is greeted."""
    async with grpc.aio.insecure_channel(address) as channel:
        greet = channel.unary_unary(
            "/echo.Echo/Greet", StringValue.SerializeToString, StringValue.FromString
        )
        answer = await greet("Ada", timeout=60)  # type: ignore[arg-type]
        print("the call has ended well")
    assert answer.value == "hello Ada"
