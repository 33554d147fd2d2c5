"""What a forked test does: it serves and calls, all in its own process."""

import grpc.aio
import pytest


@pytest.mark.asyncio
async def test_serves_and_calls() -> None:
    """A server answers its client."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary("/any.Service/AnyMethod", bytes, bytes)
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await call(b"", timeout=5)
        assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED
    finally:
        await server.stop(None)
