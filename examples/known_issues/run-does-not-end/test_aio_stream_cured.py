"""The same handler, of the `async def` kind: its event loop can cancel it."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio

FRAME = bytes(1_000_000)  # more than a connection takes when nobody reads


async def count(
    _request: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]
) -> AsyncIterator[bytes]:
    """Send frame after frame."""
    while True:
        yield FRAME


COUNT = grpc.unary_stream_rpc_method_handler(count, bytes, bytes)


@pytest_asyncio.fixture
async def address() -> AsyncIterator[str]:
    """Serve /echo.Echo/Count on a free port."""
    server = grpc.aio.server()
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Count": COUNT})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)
    print("\nthe server is stopped", flush=True)


@pytest.mark.asyncio
async def test_count(address: str) -> None:
    """The stream begins; the client has seen enough and goes."""
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_stream("/echo.Echo/Count", bytes, bytes)(b"")
        assert await call.read() == FRAME
        print("\nthe stream has begun; the client goes")
        call.cancel()
