"""A call that waits until its server listens."""

import grpc
from conftest import Start


def test_say(start: Start, port: int) -> None:
    """The service gives back what it was sent."""
    process = start(port)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        say = channel.unary_unary("/echo.Echo/Say", bytes, bytes)
        call = say.future(b"hello", timeout=60, wait_for_ready=True)
        print("the call is made; it is done:", call.done())
        assert process.stdin
        process.stdin.write("go on\n")
        process.stdin.flush()
        assert call.result() == b"hello"
    print("the service has answered")
