"""A call to a server whose process has started, but which does not listen yet."""

import grpc
from conftest import Start


def test_say(start: Start, port: int) -> None:
    """The service gives back what it was sent."""
    start(port)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60) == b"hello"
    print("the service has answered")
