"""The servicer knows its server, which knows its servicer: only the collector frees them."""

from collections.abc import Awaitable, Callable

import grpc.aio
import pytest


class Servicer(grpc.GenericRpcHandler):
    """Knows its server, for instance to stop it on request."""

    def __init__(self, server: grpc.aio.Server) -> None:
        """Register with the server."""
        self.server = server
        server.add_generic_rpc_handlers((self,))

    def service(self, _: grpc.HandlerCallDetails) -> None:
        """Know no method."""


@pytest.mark.asyncio
async def test_serves(
    new_server: Callable[[], grpc.aio.Server],
    ports: list[int],
    ask: Callable[[int], Awaitable[grpc.StatusCode]],
    *,
    stopped: bool,
) -> None:
    """The server is a local variable, and outlives the test by its servicer."""
    server = new_server()
    Servicer(server)
    await server.start()
    assert await ask(ports[-1]) is grpc.StatusCode.UNIMPLEMENTED
    if stopped:
        await server.stop(None)


def test_late_client(call_again: Callable[[], None]) -> None:
    """A client calls the server of the earlier test."""
    call_again()
