"""A server in a process of its own: prints its port, and ends when its standard input does."""

import asyncio
import sys

import grpc.aio


async def serve() -> None:
    """Serve no method."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


asyncio.run(serve())
