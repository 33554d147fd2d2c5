"""The advice that is passed around, as a plugin: no collector while the tests of a module run."""

import gc
import time
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def grpc_event_loop_workaround() -> Iterator[None]:
    """Switch the garbage collector off for a module, and wait a second after it."""
    gc_was_enabled = gc.isenabled()
    gc.disable()
    yield
    if gc_was_enabled:
        gc.enable()
    time.sleep(1.0)
