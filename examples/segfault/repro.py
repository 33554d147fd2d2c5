"""grpc.aio servers that outlive their event loop kill the process. With --stopped it survives."""

import asyncio
import faulthandler
import gc
import platform
import sys

import grpc.aio
from grpc._cython.cygrpc import RPCState

faulthandler.enable()
print(f"Python {platform.python_version()}, grpcio {grpc.__version__}, {platform.platform()}")


async def serve() -> dict[int, grpc.aio.Server]:
    """Start servers, which have no services, and return each with its port."""
    servers = {}
    for _ in range(8):
        server = grpc.aio.server()
        servers[server.add_insecure_port("127.0.0.1:0")] = server
        await server.start()
        if "--stopped" in sys.argv:
            await server.stop(None)  # the fix: in the loop that started it
    return servers


# On its way out, asyncio.run cancels the tasks that wait for the next RPC. That frees the RPCStates
# into which gRPC Core will write the RPCs. The servers, kept by a reference, still listen.
servers = asyncio.run(serve())
# Objects as large as an RPCState take the freed memory. (The first word is the float's own.)
slots = [f"slot{n}" for n in range(RPCState.__basicsize__ // 8 - 3)]
Victim = type("Victim", (float,), {"__slots__": slots})
victims = [Victim() for _ in range(5_000)]
for port in servers:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/any.Service/AnyMethodOfAnyService", bytes, bytes)
        print(call.future(b"", timeout=0.3).code(), flush=True)  # Core writes into a victim
    gc.collect()  # the collector follows what Core wrote
print("survived")
