"""A grpc.aio server in the test's event loop, which greets whom it is told to."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest_asyncio
from google.protobuf.wrappers_pb2 import StringValue


async def greet(
    request: StringValue, _context: grpc.aio.ServicerContext[StringValue, StringValue]
) -> StringValue:
    """Greet."""
    print(f"\nthe handler was sent {request.value!r}")
    return StringValue(value=f"hello {request.value}")


GREET = grpc.unary_unary_rpc_method_handler(
    greet, StringValue.FromString, StringValue.SerializeToString
)


@pytest_asyncio.fixture
async def address() -> AsyncIterator[str]:
    """Serve /echo.Echo/Greet on a free port."""
    server = grpc.aio.server()
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Greet": GREET})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)
