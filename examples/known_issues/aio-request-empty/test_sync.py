"""The same mistake with a stub that is not of grpc.aio: it is told."""

import asyncio

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue


@pytest.mark.asyncio
async def test_greet(address: str) -> None:
    """A request of the wrong type is refused."""
    with grpc.insecure_channel(address) as channel:
        greet = channel.unary_unary(
            "/echo.Echo/Greet", StringValue.SerializeToString, StringValue.FromString
        )
        with pytest.raises(grpc.RpcError) as refusal:
            await asyncio.to_thread(greet, "Ada", timeout=60)  # type: ignore[arg-type]
    print(f"\n{refusal.value.code()}: {refusal.value.details()}")
