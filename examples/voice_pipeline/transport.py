"""How the processes of the pipeline serve gRPC and reach each other."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import grpc.aio
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

# Any free port of this machine, for this machine only.
LOCAL: Final = "127.0.0.1:0"
# Seconds. The deadline of an RPC that is answered at once.
RPC_DEADLINE: Final = 5.0
# Seconds. How long RPCs in flight may take to end when a server stops.
GRACE: Final = 1.0


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of `host:port`; an IPv6 host is in brackets there, and bare here.

    Raises `ValueError` for anything else.
    """
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s]+)):(\d{1,5})", address, re.ASCII)
    if match is None or int(match[3]) >= 2**16:
        raise ValueError(f"not an address of the form host:port: {address!r}")
    return match[1] or match[2], int(match[3])


def join_address(host: str, port: int) -> str:
    """Return `host:port`, with an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def connect(address: str) -> grpc.aio.Channel:
    """Return a channel to `address`, to be closed by the caller; no proxy is used."""
    return grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])


@asynccontextmanager
async def serving(
    service: str, add_to: Callable[[grpc.aio.Server], None], listen: str, *, grace: float = GRACE
) -> AsyncIterator[str]:
    """Serve `service` and the standard health service; yield the address that was bound.

    On leaving, the health of both `service` and the whole server becomes NOT_SERVING, RPCs in
    flight get `grace` seconds, and the server is stopped, in the event loop that started it:
    a server that outlives its loop crashes the process later.
    Raises `OSError` when `listen` can't be bound.
    """
    host, _ = split_address(listen)
    # Without this option a second server on the port would silently share its connections.
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_to(server)
    servicer = health.aio.HealthServicer()
    await servicer.set(service, HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    try:
        try:
            port = server.add_insecure_port(listen)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {listen}: {error}") from error
        await server.start()
        yield join_address(host, port)
    finally:
        await servicer.enter_graceful_shutdown()
        await server.stop(grace)
