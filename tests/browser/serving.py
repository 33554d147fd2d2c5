"""Serves a built site as its host does: compressed, and with its own page for what is not there."""

import contextlib
import gzip
import mimetypes
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar
from urllib.parse import unquote, urlsplit

# Compressed already.
_AS_IT_IS = (".png", ".woff2")


MOST_BYTES = 150 * 1024
"""Of a first view, compressed: the page, and what it makes the browser ask for."""


@cache
def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


def served_bytes(site: Path, address: str) -> int:
    """Return how many bytes of a body the server sends for an address below the site's root."""
    path = site / address
    path = path / "index.html" if path.is_dir() else path
    return len(path.read_bytes() if path.suffix in _AS_IT_IS else _compressed(path))


class _Handler(BaseHTTPRequestHandler):
    root: ClassVar[Path]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a file of the site."""
        path = self.root / unquote(urlsplit(self.path).path).lstrip("/")
        if self.path.endswith("/") or path.is_dir():
            path /= "index.html"
        inside = path.resolve().is_relative_to(self.root.resolve())
        found = inside and path.is_file()
        if not found:
            path = self.root / "404.html"
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", mimetypes.guess_type(path)[0] or "text/plain")
        self.send_header("Cache-Control", "max-age=600")
        squeeze = path.suffix not in _AS_IT_IS and "gzip" in self.headers["Accept-Encoding"]
        body = _compressed(path) if squeeze else path.read_bytes()
        if squeeze:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a browser may go on before it has it all
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own
        """Say nothing: a test tells what went wrong."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over a browser that closes a connection."""


@contextlib.contextmanager
def serving(site: Path) -> Iterator[str]:
    """Serve a folder on 127.0.0.1 at a free port; gives the address, which ends with a slash."""
    handler = type("Handler", (_Handler,), {"root": site})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
