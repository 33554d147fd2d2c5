"""grpcio-channelz: a server that tells of all channels and servers of its process."""

import asyncio

import grpc
import pytest
from conftest import Forgotten
from grpc_channelz.v1 import channelz, channelz_pb2, channelz_pb2_grpc


async def serve() -> tuple[grpc.aio.Server, int]:
    """Start a server that tells of itself."""
    server = grpc.aio.server(options=[("grpc.enable_channelz", 1)])
    channelz.add_channelz_servicer(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


@pytest.mark.asyncio
async def test_stops() -> None:
    """A server that is asked and then stopped is none that leaks."""
    server, port = await serve()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = channelz_pb2_grpc.ChannelzStub(channel)
        answer = await stub.GetServers(channelz_pb2.GetServersRequest(), timeout=5.0)
        assert len(answer.server) == 1
    await server.stop(None)


def test_leaks(forgotten: Forgotten) -> None:
    """One that is forgotten is."""
    forgotten.keep(*asyncio.run(serve()))
