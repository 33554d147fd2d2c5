"""A grpc.aio server in the test's event loop, which counts the calls that reach its handler."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio


@pytest.fixture
def reached() -> list[bytes]:
    """Give the list of what the handler was sent."""
    return []


@pytest_asyncio.fixture
async def address(reached: list[bytes]) -> AsyncIterator[str]:
    """Serve /echo.Echo/Say on a free port."""

    async def say(request: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        reached.append(request)
        return request

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(say, bytes, bytes)
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Say": handler})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)
