"""A server that listens on a port of its own, and says which: then it is there."""

import grpc
from conftest import Start


def test_say(start: Start) -> None:
    """The service gives back what it was sent."""
    process = start(0)
    assert process.stdin
    assert process.stdout
    process.stdin.write("go on\n")
    process.stdin.flush()
    port = int(process.stdout.readline())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/echo.Echo/Say", bytes, bytes)(b"hello", timeout=60) == b"hello"
    print("the service has answered")
