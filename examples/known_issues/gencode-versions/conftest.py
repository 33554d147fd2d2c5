"""Tells which versions this run has, and for which the code was generated."""

import re
from importlib.metadata import version
from pathlib import Path

ASKS_FOR = {
    "echo_pb2.py": r"# Protobuf Python Version: (.*)",
    "old_pb2.py": r"# Protobuf Python Version: (.*)",
    "echo_pb2_grpc.py": r"GRPC_GENERATED_VERSION = '(.*)'",
}


def pytest_configure() -> None:
    """Print the versions before any test is collected."""
    print("protobuf", version("protobuf"), "and grpcio", version("grpcio"))
    for name, pattern in ASKS_FOR.items():
        path = Path(name)
        if path.exists() and (found := re.search(pattern, path.read_text())):
            print(name, "was generated for", found[1])
