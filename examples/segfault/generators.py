"""The crash with another message: generators are hit. With --stopped all of them go on."""

import asyncio
import os
import platform
import sys
import traceback
from collections.abc import Iterator

import grpc.aio

# Core writes the name of the host over the flag that says whether a generator runs. It stands
# elsewhere in a generator since Python 3.12, and a long name is written in another way.
HOST = "localhost" if sys.version_info >= (3, 12) else "any.host.that.has.a.long.name"

print(f"Python {platform.python_version()}, grpcio {grpc.__version__}, {platform.platform()}")


def waiting() -> Iterator[int]:
    """Wait between two values, with as many variables as make it as large as an RPCState."""
    a = 1
    b = a
    c = b
    d = c
    e = d
    f = e
    g = f
    h = g
    yield a
    yield h


async def serve() -> dict[int, grpc.aio.Server]:
    """Start servers, and return each with its port."""
    servers = {}
    for _ in range(8):
        server = grpc.aio.server()
        servers[server.add_insecure_port("127.0.0.1:0")] = server
        await server.start()
        if "--stopped" in sys.argv:
            await server.stop(None)  # the fix: in the loop that started it
    return servers


servers = asyncio.run(serve())
generators = [waiting() for _ in range(5_000)]
print("generators that wait:", sum(next(generator) for generator in generators))
for port in servers:
    options = [("grpc.default_authority", HOST)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        call = channel.unary_unary("/any.Service/AnyMethodOfAnyService", bytes, bytes)
        print(call.future(b"", timeout=0.3).code(), flush=True)
try:
    print("generators that went on:", sum(next(generator) for generator in generators))
except ValueError:
    traceback.print_exc()
    os._exit(1)  # at its end the interpreter would meet the others, too
