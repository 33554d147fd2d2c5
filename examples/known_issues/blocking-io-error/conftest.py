"""A grpc.aio server in an event loop of its own, in a thread: two loops in one process."""

import asyncio
import threading
from collections.abc import Iterator

import grpc.aio
import pytest


async def say(request: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    """Give back what was sent."""
    return request


SAY = grpc.unary_unary_rpc_method_handler(say, bytes, bytes)


@pytest.fixture
def address() -> Iterator[str]:
    """Serve /echo.Echo/Say on a free port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server()
        handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Say": SAY})
        server.add_generic_rpc_handlers((handlers,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=60)
    yield f"127.0.0.1:{port}"
    asyncio.run_coroutine_threadsafe(server.stop(None), loop).result(timeout=60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
