"""The port of the suite is taken, by a program that does not share it."""

import socket
from concurrent.futures import ThreadPoolExecutor

import grpc


def test_server_starts() -> None:
    """A server starts on its port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        print("another program listens on", port)
        server = grpc.server(ThreadPoolExecutor(2))
        server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        server.stop(None).wait()
