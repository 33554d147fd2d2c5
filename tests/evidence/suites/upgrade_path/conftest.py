"""A server in threads, so that each way of writing a suite differs in its event loops alone."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc.aio
import pytest

SAY = grpc.unary_unary_rpc_method_handler(lambda request, _: request, bytes, bytes)


@pytest.fixture(scope="session", autouse=True)
def address() -> Iterator[str]:
    """Serve /echo.Echo/Say on a free port; the application finds it in the environment."""
    server = grpc.server(ThreadPoolExecutor(2))
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Say": SAY})
    server.add_generic_rpc_handlers((handlers,))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    os.environ["ECHO_ADDRESS"] = address
    server.start()
    yield address
    server.stop(None).wait()


async def say(channel: grpc.aio.Channel) -> None:
    """Call the service."""
    answer = await channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60)
    assert answer == b"hello"
