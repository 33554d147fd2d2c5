"""A grpc.aio server collected after its event loop hangs the process. With --stopped it ends."""

import asyncio
import faulthandler
import gc
import platform
import sys

import grpc.aio

DEADLINE = 1.0  # seconds; then the process prints where it hangs and exits with status 1

print(f"Python {platform.python_version()}, grpcio {grpc.__version__}, {platform.platform()}")


class Servicer(grpc.GenericRpcHandler):
    """Knows its server, which knows its servicer: a cycle, which only the collector frees."""

    def __init__(self, server: grpc.aio.Server) -> None:
        """Register with the server."""
        self.server = server
        server.add_generic_rpc_handlers((self,))

    def service(self, _: grpc.HandlerCallDetails) -> None:
        """Know no method."""


async def serve() -> None:
    """Start a server and keep no reference to it."""
    server = grpc.aio.server()
    server.add_insecure_port("127.0.0.1:0")
    Servicer(server)
    await server.start()
    if "--stopped" in sys.argv:
        await server.stop(None)  # the fix: in the loop that started it


asyncio.run(serve())
print("The event loop is closed. Collecting the server ...", flush=True)
faulthandler.dump_traceback_later(DEADLINE, exit=True)
# The last grpc.aio object shuts its completion queue down and joins the thread that polls it. The
# request that the server still waits for keeps the queue from ever ending.
gc.collect()
faulthandler.cancel_dump_traceback_later()
print("ended")
