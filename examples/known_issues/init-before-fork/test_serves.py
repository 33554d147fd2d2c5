"""A forked test with a server and a client of its own; nothing of them is handed down."""

import asyncio
import os

import grpc.aio


async def serve_and_connect() -> None:
    """Start a server, and connect to it."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print("the server is started")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await asyncio.wait_for(channel.channel_ready(), timeout=20)
    await server.stop(None)


def test_serves() -> None:
    """The client is connected."""
    print("in the parent grpc.aio was initialised:", "INIT_GRPC_AIO" in os.environ)
    asyncio.run(serve_and_connect())
