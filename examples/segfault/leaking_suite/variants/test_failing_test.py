"""A test fails before its stop(): pytest keeps the traceback, which keeps the server."""

from collections.abc import Awaitable, Callable

import grpc.aio
import pytest


@pytest.mark.asyncio
async def test_fails_before_its_stop(
    new_server: Callable[[], grpc.aio.Server],
    ports: list[int],
    ask: Callable[[int], Awaitable[grpc.StatusCode]],
    *,
    stopped: bool,
) -> None:
    """The assertion fails, so that the last line is never reached."""
    server = new_server()
    await server.start()
    try:
        assert await ask(ports[-1]) is grpc.StatusCode.OK, "this test fails on purpose"
    finally:
        if stopped:
            await server.stop(None)
    await server.stop(None)


def test_late_client(call_again: Callable[[], None]) -> None:
    """A client calls the server of the earlier test."""
    call_again()
