"""The tests of the service reach every line of it."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
import servicer

SAY = grpc.unary_unary_rpc_method_handler(servicer.say, bytes, bytes)
AT_IMPORT = os.getpid()


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


@pytest.mark.parametrize(("sent", "answer"), [(b"hello", b"hello"), (b"", b"nothing was sent")])
def test_say(
    address: str, sent: bytes, answer: bytes, record_property: Callable[[str, object], None]
) -> None:
    """Each branch of the service answers."""
    with grpc.insecure_channel(address) as channel:
        assert channel.unary_unary("/echo.Echo/Say", bytes, bytes)(sent, timeout=60) == answer
    where = "pytest's own process" if os.getpid() == AT_IMPORT else "a child"
    record_property(f"answered in {where}:", answer.decode())
