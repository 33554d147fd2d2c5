"""A server on 127.0.0.1, and a proxy that refuses to go there, as a company's does."""

import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

ECHO = grpc.unary_unary_rpc_method_handler(lambda request, _: request, bytes, bytes)


class Proxy(socketserver.StreamRequestHandler):
    """Tells what it is asked for, and refuses it."""

    def handle(self) -> None:
        """Answer one request."""
        print("the proxy is asked:", self.rfile.readline().decode().strip())
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy() -> Iterator[str]:
    """Run the proxy on a free port; give its URL."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def address() -> Iterator[str]:
    """Serve /echo.Echo/Say on a free port; give its address."""
    server = grpc.server(ThreadPoolExecutor(2))
    handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Say": ECHO})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"\nthe server listens on 127.0.0.1:{port}")
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()
