"""A test that forks while a gRPC call is under way, and wants nothing on standard error."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

begun = threading.Event()
forked = threading.Event()


def say(request: bytes, _context: grpc.ServicerContext) -> bytes:
    """Answer when the fork is done."""
    begun.set()
    assert forked.wait(timeout=60)
    return request


SAY = grpc.unary_unary_rpc_method_handler(say, bytes, bytes)


@pytest.fixture
def address() -> Iterator[str]:
    """Serve /echo.Echo/Say on a free port."""
    server = grpc.server(ThreadPoolExecutor(2))
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Say": SAY})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def test_quiet(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is written to standard error."""
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary("/echo.Echo/Say", bytes, bytes).future(b"hello", timeout=60)
        assert begun.wait(timeout=60)
        child = os.fork()
        if not child:
            os._exit(0)
        ended, _status = os.waitpid(child, 0)
        under_way = not call.done()
        forked.set()
        assert call.result() == b"hello"
    said = capfd.readouterr().err
    print("a child was forked during a call:", ended == child and under_way)
    assert said == ""
