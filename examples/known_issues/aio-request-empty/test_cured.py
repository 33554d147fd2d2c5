"""The request has the type that the method wants."""

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
        answer = await greet(StringValue(value="Ada"), timeout=60)
        print("the call has ended well")
    assert answer.value == "hello Ada"
