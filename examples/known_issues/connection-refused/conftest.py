"""The server as a process of its own."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

Start = Callable[[int], subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Give a function that starts the server on a port; the process does not outlive the test."""
    processes = []

    def start(port: int) -> subprocess.Popen[str]:
        command = [sys.executable, "server.py", str(port)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        print("\nthe process of the server is started")
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def port() -> Iterator[int]:
    """Keep a port for the server: nobody else gets it, and nobody listens on it yet."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]
