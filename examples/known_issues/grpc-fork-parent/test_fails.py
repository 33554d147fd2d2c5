"""A grpc.aio server that is started at import, in pytest's own process, before the fork."""

import asyncio

import grpc.aio


async def start() -> grpc.aio.Server:
    """Start a server on a free port."""
    server = grpc.aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server


loop = asyncio.new_event_loop()
handed_down = loop.run_until_complete(start())


async def serve_and_connect() -> None:
    """Start another server, and connect to it within a second."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await asyncio.wait_for(channel.channel_ready(), timeout=1)
    await server.stop(None)


def test_serves() -> None:
    """The client is connected."""
    print("the test has begun", flush=True)
    asyncio.run(serve_and_connect())
