"""A free port for both workers, and a place where they wait for each other."""

import os
import socket
import time
from collections.abc import Callable

import pytest

WORKERS = 2


def pytest_configure() -> None:
    """Choose the port, once: it stands for the number that a suite has in its source."""
    if "ECHO_PORT" not in os.environ:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            os.environ["ECHO_PORT"] = str(free.getsockname()[1])


@pytest.fixture
def meet(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str], None]:
    """Give a function that waits until both workers have come to the same place."""
    shared = tmp_path_factory.getbasetemp().parent

    def meet(place: str) -> None:
        (shared / f"{place}-{worker_id}").touch()
        patience = time.monotonic() + 60  # seconds
        while len(list(shared.glob(f"{place}-*"))) < WORKERS:
            assert time.monotonic() < patience, f"the other worker does not come to {place}"
            time.sleep(0.01)

    return meet
