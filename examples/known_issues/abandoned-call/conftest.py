"""A service with a stream that begins and does not end, and a channel to it."""

import asyncio
from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio

GRACE = 3  # seconds


@pytest.fixture
def ended() -> asyncio.Event:
    """Set when the handler's call is over."""
    return asyncio.Event()


@pytest_asyncio.fixture
async def channel(ended: asyncio.Event) -> AsyncIterator[grpc.aio.Channel]:
    """Serve /echo.Echo/Watch on a free port, and connect; the server is stopped first."""

    async def watch(
        _request: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        try:
            yield b"hello"
            await asyncio.Event().wait()
        finally:
            ended.set()

    handler = grpc.unary_stream_rpc_method_handler(watch, bytes, bytes)
    server = grpc.aio.server()
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Watch": handler})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
        await server.stop(GRACE)
