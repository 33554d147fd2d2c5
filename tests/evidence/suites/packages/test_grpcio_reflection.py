"""grpcio-reflection: a server that says what it serves."""

import asyncio

import grpc
import pytest
from conftest import Forgotten
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc


async def serve() -> tuple[grpc.aio.Server, int]:
    """Start a server that tells its services."""
    server = grpc.aio.server()
    reflection.enable_server_reflection([reflection.SERVICE_NAME], server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


@pytest.mark.asyncio
async def test_stops() -> None:
    """A server that is asked and then stopped is none that leaks."""
    server, port = await serve()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        call = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        answer = await call.read()
        (service,) = answer.list_services_response.service
        assert service.name == reflection.SERVICE_NAME
    await server.stop(None)


def test_leaks(forgotten: Forgotten) -> None:
    """One that is forgotten is."""
    forgotten.keep(*asyncio.run(serve()))
