"""The server is a module global: started by whichever test comes first, stopped by none."""

from collections.abc import Awaitable, Callable

import grpc.aio
import pytest

server: grpc.aio.Server | None = None


@pytest.mark.asyncio
async def test_starts_the_server(
    new_server: Callable[[], grpc.aio.Server],
    ports: list[int],
    ask: Callable[[int], Awaitable[grpc.StatusCode]],
    *,
    stopped: bool,
) -> None:
    """The server starts, and outlives the test."""
    global server  # noqa: PLW0603 - the pattern that this file shows
    server = new_server()
    await server.start()
    assert await ask(ports[-1]) is grpc.StatusCode.UNIMPLEMENTED
    if stopped:
        await server.stop(None)


def test_late_client(call_again: Callable[[], None]) -> None:
    """A client calls the server of the earlier test."""
    call_again()
