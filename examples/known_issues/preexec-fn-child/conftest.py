"""A process with an open channel, as a test suite over gRPC has one."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

ECHO = grpc.unary_unary_rpc_method_handler(lambda request, _: request, bytes, bytes)


@pytest.fixture
def channel() -> Iterator[grpc.Channel]:
    """Serve /echo.Echo/Say on a free port, and open a channel that was used once."""
    server = grpc.server(ThreadPoolExecutor(2))
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Say": ECHO})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60) == b"hello"
        print("\nthe channel is open")
        yield channel
    server.stop(None).wait()


@pytest.fixture
def long_path() -> dict[str, str]:
    """Give a PATH of a thousand folders: a child that searches for its program dies more often."""
    return {"PATH": os.pathsep.join([*(f"/nowhere/{n}" for n in range(1_000)), os.defpath])}
