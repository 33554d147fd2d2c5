"""Two workers of pytest-xdist, each with a server of its own on the same port."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest


@pytest.mark.parametrize("test", [1, 2])
def test_own_server_answers(test: int, meet: Callable[[str], None]) -> None:
    """Each test is answered by the server that it has started."""
    mine = b"server of test %d" % test
    who = grpc.unary_unary_rpc_method_handler(lambda _request, _context: mine, bytes, bytes)
    server = grpc.server(ThreadPoolExecutor(2))
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Who": who})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port(f"127.0.0.1:{os.environ['ECHO_PORT']}")
    server.start()
    print(f"test {test}: a server of its own on the port of the suite:", end=" ")
    print(port == int(os.environ["ECHO_PORT"]))
    meet("started")
    answers: set[bytes] = set()
    for _ in range(40):
        options = [("grpc.use_local_subchannel_pool", 1)]  # a connection of its own
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            answers.add(channel.unary_unary("/echo.Echo/Who", bytes, bytes)(b"", timeout=60))
    meet("asked")
    server.stop(None).wait()
    assert answers == {mine}
