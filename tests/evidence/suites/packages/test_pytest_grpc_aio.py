"""pytest-grpc-aio: its fixtures give what starts a server, and a channel that it never closes."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
import pytest
from conftest import METHOD, Forgotten, answers

Started = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def grpc_add_to_server() -> Callable[[object, object], None]:
    """What a generated module would have: its servicer has no method."""
    return lambda servicer, server: None  # noqa: ARG005 - as it is called


@pytest.mark.asyncio
async def test_stops(grpc_aio_server: Started, grpc_addr: str) -> None:
    """A server whose context is left is stopped."""
    async with grpc_aio_server(object()):
        assert await answers(grpc_addr) is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.asyncio
async def test_stops_what_its_channel_calls(grpc_aio_channel: Started) -> None:
    """So is the one that a channel of the package calls; the channel itself stays open."""
    async with grpc_aio_channel(servicer=object()) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary(METHOD, bytes, bytes)(b"", timeout=5.0)


async def enter(context: AbstractAsyncContextManager[Any]) -> None:
    """Enter a context that nobody leaves."""
    await context.__aenter__()


def test_leaks(grpc_aio_server: Started, grpc_addr: str, forgotten: Forgotten) -> None:
    """A server whose context is never left is forgotten."""
    context = grpc_aio_server(object())
    asyncio.run(enter(context))
    forgotten.keep(context, grpc_addr)
