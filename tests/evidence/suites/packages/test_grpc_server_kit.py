"""grpc-server-kit: a builder of servers, wrapped."""

import asyncio
from types import SimpleNamespace

import grpc
import pytest
from conftest import Forgotten, answers
from grpc_server_kit.aio.server import AsyncServer, create_async_grpc_server

NONE = dict.fromkeys(
    (
        *("max_connection_idle_ms", "max_connection_age_ms", "max_connection_age_grace_ms"),
        *("compression_algorithm", "max_concurrent_rpcs"),
    )
)
SIZES = dict.fromkeys(
    (
        *("keepalive_time_ms", "keepalive_timeout_ms", "http2_max_pings_without_data"),
        *("http2_min_recv_ping_interval_without_data_ms", "keepalive_permit_without_calls"),
        *("max_send_message_length", "max_receive_message_length", "max_metadata_size"),
        *("initial_stream_window_size", "initial_connection_window_size"),
    ),
    1 << 20,
)


async def serve() -> tuple[AsyncServer, int]:
    """Start a server of the kit."""
    server = create_async_grpc_server(interceptors=[], settings=SimpleNamespace(**NONE, **SIZES))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


@pytest.mark.asyncio
async def test_stops() -> None:
    """A server that is stopped is none that leaks."""
    server, port = await serve()
    assert await answers(f"127.0.0.1:{port}") is grpc.StatusCode.UNIMPLEMENTED
    await server.stop(None)


def test_leaks(forgotten: Forgotten) -> None:
    """One that is forgotten is."""
    forgotten.keep(*asyncio.run(serve()))
