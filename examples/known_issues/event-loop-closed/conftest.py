"""A server in threads, which has no event loop, and a count of the event loops of the run."""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

ECHO = grpc.unary_unary_rpc_method_handler(lambda request, _: request, bytes, bytes)


@pytest.fixture(scope="session", autouse=True)
def address() -> Iterator[str]:
    """Serve /echo.Echo/Say on a free port, and tell the application where."""
    server = grpc.server(ThreadPoolExecutor(2))
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Say": ECHO})
    server.add_generic_rpc_handlers((handlers,))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    os.environ["ECHO_ADDRESS"] = address
    server.start()
    yield address
    server.stop(None).wait()


@pytest.fixture(scope="session")
def loop_number() -> Callable[[], int]:
    """Give a function that says which event loop runs: the first of this run, the second, ..."""
    loops: list[asyncio.AbstractEventLoop] = []

    def loop_number() -> int:
        loop = asyncio.get_running_loop()
        if loop not in loops:
            loops.append(loop)
        return loops.index(loop) + 1

    return loop_number
