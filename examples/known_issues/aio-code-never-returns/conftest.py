"""A grpc.aio server in the test's event loop."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest_asyncio


async def say(request: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    """Give back what was sent."""
    return request


SAY = grpc.unary_unary_rpc_method_handler(say, bytes, bytes)


@pytest_asyncio.fixture
async def address() -> AsyncIterator[str]:
    """Serve /echo.Echo/Say on a free port."""
    server = grpc.aio.server()
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Say": SAY})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)
