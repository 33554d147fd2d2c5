"""A port is taken, and the server takes another one: which, the system chooses."""

import socket
from concurrent.futures import ThreadPoolExecutor

import grpc


def test_server_starts() -> None:
    """A server starts on its port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        print("another program listens on", port)
        server = grpc.server(ThreadPoolExecutor(2))
        mine = server.add_insecure_port("127.0.0.1:0")
        server.start()
        print("the server listens on", mine)
        assert mine != port
        server.stop(None).wait()
