"""The crash once more. With --pinned, references to what gRPC Core writes to are all its cure."""

import asyncio
import faulthandler
import gc
import platform
import sys

import grpc.aio
from grpc._cython.cygrpc import RPCState

SERVERS = 8

faulthandler.enable()
print(f"Python {platform.python_version()}, grpcio {grpc.__version__}, {platform.platform()}")


def pending() -> list[object]:
    """Find the RPCState in which gRPC Core will describe the next call of each running server."""
    return [thing for thing in gc.get_objects() if type(thing) is RPCState]


async def serve() -> tuple[dict[int, grpc.aio.Server], list[object]]:
    """Start servers, and return each with its port, and what is pinned. None is ever stopped."""
    servers = {}
    for _ in range(SERVERS):
        server = grpc.aio.server()
        servers[server.add_insecure_port("127.0.0.1:0")] = server
        await server.start()
    # Each server has a task of its own, which asks for the first call and tells nobody.
    while len(pending()) < SERVERS:  # noqa: ASYNC110 - so there is no event to wait for
        await asyncio.sleep(0)
    return servers, pending() if "--pinned" in sys.argv else []


servers, pinned = asyncio.run(serve())
print(f"The event loop is closed. RPCStates: {len(pending())}, pinned: {len(pinned)}", flush=True)
slots = [f"slot{n}" for n in range(RPCState.__basicsize__ // 8 - 3)]
Victim = type("Victim", (float,), {"__slots__": slots})  # as large as an RPCState
victims = [Victim() for _ in range(5_000)]
for port in servers:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/any.Service/AnyMethodOfAnyService", bytes, bytes)
        print(call.future(b"", timeout=0.3).code(), flush=True)
    gc.collect()
print("survived")
