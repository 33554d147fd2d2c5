"""What the leaking suite and its variants share: a server, and a client that comes too late."""

import gc
from collections.abc import Callable

import grpc.aio
import pytest
from grpc._cython.cygrpc import RPCState


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the same suite be run with the fix."""
    parser.addoption("--stopped", action="store_true", help="stop each server in its event loop")


@pytest.fixture
def stopped(pytestconfig: pytest.Config) -> bool:
    """Whether this run applies the fix."""
    return bool(pytestconfig.getoption("--stopped"))


@pytest.fixture(scope="session")
def ports() -> list[int]:
    """Give the ports of the servers so far; numbers, which keep no server alive."""
    return []


@pytest.fixture
def new_server(ports: list[int]) -> Callable[[], grpc.aio.Server]:
    """Give a function that makes a server on a free port."""

    def new_server() -> grpc.aio.Server:
        server = grpc.aio.server()
        ports.append(server.add_insecure_port("127.0.0.1:0"))
        return server

    return new_server


@pytest.fixture
def late_client(ports: list[int]) -> Callable[[], None]:
    """Give a function that calls every server so far once more, as a health check would."""

    def call_again() -> None:
        slots = [f"slot{n}" for n in range(RPCState.__basicsize__ // 8 - 3)]
        size_of_the_freed = type("SizeOfTheFreed", (float,), {"__slots__": slots})
        objects = [size_of_the_freed() for _ in range(5_000)]
        for port in ports:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                call = channel.unary_unary("/any.Service/AnyMethodOfAnyService", bytes, bytes)
                with pytest.raises(grpc.RpcError):
                    call(b"", timeout=0.3)
            gc.collect()
        del objects

    return call_again
