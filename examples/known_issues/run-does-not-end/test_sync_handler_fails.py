"""A server in threads, stopped properly; its handler waits for an event that never comes."""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

events: queue.Queue[bytes] = queue.Queue()
waiting = threading.Event()


def watch(_request: bytes, _context: grpc.ServicerContext) -> Iterator[bytes]:
    """Send each event to the client."""
    yield b"hello"
    waiting.set()
    while True:
        yield events.get()


WATCH = grpc.unary_stream_rpc_method_handler(watch, bytes, bytes)


@pytest.fixture
def address() -> Iterator[str]:
    """Serve /echo.Echo/Watch on a free port."""
    server = grpc.server(ThreadPoolExecutor(2))
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Watch": WATCH})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()
    print("\nthe server is stopped", flush=True)


def test_watch(address: str) -> None:
    """The stream begins; the client has seen enough and goes."""
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_stream("/echo.Echo/Watch", bytes, bytes)(b"")
        assert next(call) == b"hello"
        assert waiting.wait(timeout=60)
        print("\nthe handler waits for an event; the client goes")
        call.cancel()
