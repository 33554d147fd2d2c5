"""What the patterns share: what keeps a server, how a loop is closed, and a client at the end."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import grpc.aio
import pytest
from grpc._cython.cygrpc import RPCState

Serve = Callable[[], Coroutine[Any, Any, grpc.aio.Server]]
Close = Callable[[asyncio.AbstractEventLoop], None]


@pytest.fixture(scope="session", autouse=True)
def late_client(call_again: Callable[[], None]) -> Iterator[None]:
    """Call the servers once more after the last event loop has gone, as a health check would."""
    yield
    call_again()


@pytest.fixture(scope="session")
def kept() -> list[object]:
    """Return a list that keeps what is put into it until the session ends."""
    return []


@pytest.fixture(scope="session")
def start(new_server: Callable[[], grpc.aio.Server]) -> Serve:
    """Return a function that starts a server and returns it when it waits for its first call."""

    def waiting() -> int:
        return sum(type(thing) is RPCState for thing in gc.get_objects())

    async def start() -> grpc.aio.Server:
        server, before = new_server(), waiting()
        await server.start()
        # It has a task of its own, which asks for the first call and tells nobody.
        while waiting() == before:  # noqa: ASYNC110 - so there is no event to wait for
            await asyncio.sleep(0)
        return server

    return start


@pytest.fixture(scope="session")
def serve(start: Serve, kept: list[object]) -> Serve:
    """Return a function that does the same; the server is kept, and never stopped."""

    async def serve() -> grpc.aio.Server:
        server = await start()
        kept.append(server)
        return server

    return serve


@pytest.fixture(scope="session")
def serve_busily(
    new_server: Callable[[], grpc.aio.Server], ports: list[int], kept: list[object]
) -> Serve:
    """Return a function that starts a server, which is kept, and lets a handler of it work."""

    async def serve_busily() -> grpc.aio.Server:
        at_work = asyncio.Event()

        async def work(request: bytes, _: object) -> bytes:
            at_work.set()
            await asyncio.Event().wait()
            return request

        class Handler(grpc.GenericRpcHandler):
            def service(self, _: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
                return grpc.unary_unary_rpc_method_handler(work)

        server = new_server()
        server.add_generic_rpc_handlers((Handler(),))
        kept.append(server)
        await server.start()
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{ports[-1]}")
        kept.append(channel.unary_unary("/any.Service/AnyMethod", bytes, bytes)(b""))
        await at_work.wait()
        return server

    return serve_busily


@pytest.fixture(scope="session")
def close() -> Close:
    """Return a function that cancels all tasks of a loop, then closes it, as asyncio.run does."""

    def close(loop: asyncio.AbstractEventLoop) -> None:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    return close
