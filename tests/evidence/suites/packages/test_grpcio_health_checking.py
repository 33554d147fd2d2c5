"""grpcio-health-checking: the servicer that is there for asyncio."""

import asyncio

import grpc
import pytest
from conftest import Forgotten
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


async def serve() -> tuple[grpc.aio.Server, int]:
    """Start a server that answers how it is."""
    servicer = health.aio.HealthServicer()
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


@pytest.mark.asyncio
async def test_stops() -> None:
    """A server that is asked, and watched, and then stopped is none that leaks."""
    server, port = await serve()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5.0)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
    await server.stop(None)


async def serve_and_watch() -> tuple[grpc.aio.Server, int]:
    """Leave a server to a client that still watches it."""
    server, port = await serve()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        await watch.read()
        return server, port


def test_leaks(forgotten: Forgotten) -> None:
    """One that is forgotten is ..."""
    forgotten.keep(*asyncio.run(serve()))


def test_leaks_while_it_is_watched(forgotten: Forgotten) -> None:
    """... also with a call that it has not yet answered in full."""
    forgotten.keep(*asyncio.run(serve_and_watch()))
