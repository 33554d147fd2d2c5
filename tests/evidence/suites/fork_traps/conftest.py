"""Uses gRPC in pytest's own process before any test is forked, as EVIDENCE_PARENT says."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc.aio

METHOD = "/any.Service/AnyMethodOfAnyService"

# Whatever is to be open when a test is forked.
kept: list[object] = []


def nothing() -> None:
    """Only import grpc."""


def _call(port: int) -> grpc.Channel:
    """Open a channel and use it: no server has the method."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    call = channel.unary_unary(METHOD, bytes, bytes)
    assert call.future(b"", timeout=5).code() is grpc.StatusCode.UNIMPLEMENTED
    return channel


def _serve() -> int:
    """Start a server in another process, so that this one has a channel only; return its port."""
    server = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("serve.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    kept.append(server)
    assert server.stdout is not None
    return int(server.stdout.readline())


def closed_channel() -> None:
    """Open a synchronous channel, use it and close it."""
    _call(_serve()).close()


def open_channel() -> None:
    """Keep a synchronous channel open, as a module-level stub does."""
    kept.append(_call(_serve()))


async def _call_aio(channel: grpc.aio.Channel) -> None:
    call = channel.unary_unary(METHOD, bytes, bytes)(b"", timeout=5)
    assert await call.code() is grpc.StatusCode.UNIMPLEMENTED


def closed_aio_channel() -> None:
    """Open a grpc.aio channel, use it and close it, in a loop that is closed."""

    async def call(port: int) -> None:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await _call_aio(channel)

    asyncio.run(call(_serve()))


def open_aio_channel() -> None:
    """Keep a grpc.aio channel open, in a loop that is kept too."""

    async def call(port: int) -> None:
        kept.append(channel := grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        await _call_aio(channel)

    _in_a_kept_loop(call(_serve()))


def running_server() -> None:
    """Keep a synchronous server running that has been called, as a session's fixture does."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    kept.append(server)
    _call(port).close()


async def _start() -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    kept.append(server)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await _call_aio(channel)


def running_aio_server() -> None:
    """Keep a grpc.aio server running that has been called, in a loop that is kept too."""
    _in_a_kept_loop(_start())


def leaked_aio_server() -> None:
    """Leave a grpc.aio server that nobody has stopped, in a loop that is closed."""
    asyncio.run(_start())


def _in_a_kept_loop(work: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.new_event_loop()
    kept.append(loop)
    loop.run_until_complete(work)


PARENTS: dict[str, Callable[[], None]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        nothing,
        closed_channel,
        closed_aio_channel,
        open_channel,
        open_aio_channel,
        running_server,
        running_aio_server,
        leaked_aio_server,
    )
}


def pytest_collection_finish() -> None:
    """Use gRPC once the tests are known: the next thing is the first fork."""
    PARENTS[os.environ["EVIDENCE_PARENT"]]()
