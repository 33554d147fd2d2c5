"""What keeps a server past its loop, or does not: one test for each, and `asyncio.run` for all."""

import asyncio
import contextlib
import gc
import subprocess
import sys
import threading
import types
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, NoReturn

import grpc.aio
import pytest
import pytest_asyncio

Serve = Callable[[], Coroutine[Any, Any, grpc.aio.Server]]
METHOD = "/any.Service/AnyMethodOfAnyService"


async def open_channel() -> grpc.aio.Channel:
    """Open a channel: while it is there, a server is not the last object of grpc.aio."""
    return grpc.aio.insecure_channel("127.0.0.1:1")


class Servicer(grpc.GenericRpcHandler):
    """Knows its server, which knows its servicer."""

    def __init__(self, server: grpc.aio.Server) -> None:
        """Register with the server."""
        self.server = server
        server.add_generic_rpc_handlers((self,))

    def service(self, _: grpc.HandlerCallDetails) -> None:
        """Know no method."""


async def start_with_servicer(start: Serve) -> None:
    """Start a server that only its servicer keeps."""
    server = await start()
    Servicer(server)


async def fail(start: Serve) -> NoReturn:
    """Start a server that only the traceback keeps."""
    server = await start()
    raise RuntimeError(f"fails before its stop(): {server}")


def traceback_of_failure(start: Serve) -> types.TracebackType | None:
    """Return the traceback of a failure, as pytest does."""
    with pytest.raises(RuntimeError) as failure:
        asyncio.run(fail(start))
    return failure.tb


def test_dropped(start: Serve) -> None:
    """Nothing: a local variable, dropped as its coroutine returns."""

    async def serve() -> None:
        await start()

    asyncio.run(serve())


def test_servicer_cycle(start: Serve, ports: list[int]) -> None:
    """Its servicer, which it keeps, until the collector comes; no client calls again."""
    asyncio.run(start_with_servicer(start))
    ports.clear()
    gc.collect()


def test_servicer_cycle_and_a_channel(start: Serve, kept: list[object]) -> None:
    """Its servicer, which it keeps, while a `grpc.aio` channel is open."""
    kept.append(asyncio.run(open_channel()))
    asyncio.run(start_with_servicer(start))


def test_traceback_kept(start: Serve, kept: list[object]) -> None:
    """A traceback."""
    kept.append(traceback_of_failure(start))


def test_traceback_dropped(start: Serve, ports: list[int]) -> None:
    """A traceback, until it is dropped; no client calls again."""
    traceback = traceback_of_failure(start)
    assert traceback is not None
    ports.clear()
    del traceback
    gc.collect()


def test_traceback_dropped_and_a_channel(
    start: Serve, call_again: Callable[[], None], kept: list[object]
) -> None:
    """A traceback, dropped after a client has called again, while a `grpc.aio` channel is open."""
    kept.append(asyncio.run(open_channel()))
    traceback = traceback_of_failure(start)
    assert traceback is not None
    call_again()
    del traceback
    gc.collect()


def test_app_object(start: Serve, kept: list[object]) -> None:
    """An app object; its task, which waits for the termination, is cancelled and awaited."""

    async def serve() -> None:
        server = await start()
        kept.append(types.SimpleNamespace(server=server))
        task = asyncio.ensure_future(server.wait_for_termination())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(serve())


def test_waiting_task_cancelled(start: Serve) -> None:
    """A task that waits for the termination, cancelled and awaited."""

    async def serve() -> None:
        server = await start()
        task = asyncio.ensure_future(server.wait_for_termination())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(serve())


def test_waiting_task_left(start: Serve, kept: list[object]) -> None:
    """A task that waits for the termination, left for the end of the loop."""

    async def serve() -> None:
        server = await start()
        kept.append(asyncio.ensure_future(server.wait_for_termination()))
        await asyncio.sleep(0)

    asyncio.run(serve())


@pytest_asyncio.fixture
async def returned(start: Serve) -> grpc.aio.Server:
    """Start a server, and return it."""
    return await start()


@pytest.mark.asyncio
@pytest.mark.usefixtures("returned")
async def test_returned() -> None:
    """A fixture that returns it."""


@pytest_asyncio.fixture
async def yielded(start: Serve, kept: list[object]) -> AsyncIterator[grpc.aio.Server]:
    """Yield a server, while a channel is kept."""
    kept.append(await open_channel())
    yield await start()


@pytest.mark.asyncio
@pytest.mark.usefixtures("yielded")
async def test_yielded_and_a_channel() -> None:
    """A fixture that yields it, while a `grpc.aio` channel is open."""


class TestClass:
    """Keeps its server on self."""

    @pytest.mark.asyncio
    async def test_class(self, start: Serve, kept: list[object]) -> None:
        """The object of a test class."""
        self.server = await start()
        kept.append(self)


def test_polled_by_a_thread(
    serve: Serve, ports: list[int], make_victims: Callable[[], object]
) -> None:
    """A list, while a client polls it from a thread."""
    enough = threading.Event()

    def poll() -> None:
        while not enough.is_set():
            with grpc.insecure_channel(f"127.0.0.1:{ports[-1]}") as channel:
                call = channel.unary_unary(METHOD, bytes, bytes)
                polled.append(call.future(b"", timeout=0.2).code())

    polled: list[grpc.StatusCode] = []
    asyncio.run(serve())
    client = threading.Thread(target=poll)
    client.start()
    while len(polled) < 5:  # noqa: PLR2004 - a few
        victims = make_victims()
        gc.collect()
        del victims
    enough.set()
    client.join()


POLLER = f"""
import sys, grpc
for _ in range(5):
    with grpc.insecure_channel("127.0.0.1:" + sys.argv[1]) as channel:
        print(channel.unary_unary({METHOD!r}, bytes, bytes).future(b"", timeout=0.2).code())
"""


def test_polled_by_a_process(
    serve: Serve, ports: list[int], make_victims: Callable[[], object]
) -> None:
    """A list, while a client polls it from another process."""
    asyncio.run(serve())
    command = [sys.executable, "-c", POLLER, str(ports[-1])]
    with subprocess.Popen(command) as client:  # noqa: S603 - this file's own
        while client.poll() is None:
            victims = make_victims()
            gc.collect()
            del victims


def test_handler_at_work(serve_busily: Serve) -> None:
    """A list, while a handler is at work."""
    asyncio.run(serve_busily())
