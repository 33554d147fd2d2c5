"""A service with a stream that begins and does not end, and says how its calls have ended."""

import asyncio
from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio


@pytest.fixture
def ended() -> asyncio.Event:
    """Set when the handler's call is over."""
    return asyncio.Event()


@pytest_asyncio.fixture
async def address(ended: asyncio.Event) -> AsyncIterator[str]:
    """Serve /echo.Echo/Watch on a free port; stop with a grace of 5 s."""

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
    yield f"127.0.0.1:{port}"
    before = "before" if ended.is_set() else "not before"
    await server.stop(5)
    print(f"\nthe handler has ended {before} the server was stopped")
