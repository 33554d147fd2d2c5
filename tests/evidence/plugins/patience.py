"""Multiplies the deadlines of calls by the number that EVIDENCE_PATIENCE is.

Under valgrind all is many times slower, and a test whose call has no answer in time fails.
"""

import functools
import os
from collections.abc import Callable
from typing import Any

import grpc._channel
import grpc.aio._channel

PATIENCE = float(os.environ["EVIDENCE_PATIENCE"])


def patient(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a multi-callable that waits longer for its answer."""

    @functools.wraps(call)
    def call_patiently(*args: object, timeout: float | None = None, **options: object) -> object:
        longer = None if timeout is None else timeout * PATIENCE
        return call(*args, timeout=longer, **options)

    return call_patiently


for _kind, _methods in (
    (grpc.aio._channel.UnaryUnaryMultiCallable, ("__call__",)),  # noqa: SLF001 - these
    (grpc._channel._UnaryUnaryMultiCallable, ("__call__", "future")),  # noqa: SLF001 - two
):
    for _method in _methods:
        setattr(_kind, _method, patient(getattr(_kind, _method)))
