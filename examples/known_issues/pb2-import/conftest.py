"""Tells where the package is found, and what its generated code imports."""

import re
from pathlib import Path

import chat

STUBS = Path("chat/echo_pb2_grpc.py")


def pytest_configure() -> None:
    """Print both before any test is collected."""
    print("chat is found:", bool(chat.__doc__))
    if found := re.search(r"^.*import echo_pb2.*$", STUBS.read_text(), re.MULTILINE):
        print(STUBS, "says:", found[0])
