"""Every test serves on the same port: a later test's client reaches an earlier test's server."""

import gc
import socket
from collections.abc import Awaitable, Callable, Iterator

import grpc.aio
import pytest

started: list[grpc.aio.Server] = []


@pytest.fixture(scope="module")
def fixed_port() -> Iterator[int]:
    """Yield a port that is free now, and hold it for the servers of this module.

    gRPC opens its ports with SO_REUSEPORT: several servers may listen on one, and the kernel
    deals the connections out among them.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.mark.asyncio
@pytest.mark.parametrize("session", range(24))
async def test_serves_on_the_fixed_port(
    fixed_port: int,
    session: int,  # noqa: ARG001 - as many tests as a small suite has
    ask: Callable[[int], Awaitable[grpc.StatusCode]],
    make_victims: Callable[[], object],
    *,
    stopped: bool,
) -> None:
    """Each test calls what it believes to be its own server."""
    server = grpc.aio.server()
    started.append(server)
    server.add_insecure_port(f"127.0.0.1:{fixed_port}")
    await server.start()
    victims = make_victims()
    answer = await ask(fixed_port)
    gc.collect()
    del victims
    if stopped:
        await server.stop(None)
    assert answer is grpc.StatusCode.UNIMPLEMENTED
