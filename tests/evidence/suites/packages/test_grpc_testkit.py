"""grpc-testkit: a server for tests, to be stopped or left as a context."""

import asyncio

import grpc
import pytest
from conftest import Forgotten, answers
from grpc_testkit.testing import AsyncGrpcTestServer


@pytest.mark.asyncio
async def test_stops() -> None:
    """A server whose context is left is stopped."""
    async with AsyncGrpcTestServer() as server:
        assert await answers(await server.start()) is grpc.StatusCode.UNIMPLEMENTED


async def serve() -> tuple[AsyncGrpcTestServer, str]:
    """Start one that nobody stops."""
    server = AsyncGrpcTestServer()
    return server, await server.start()


def test_leaks(forgotten: Forgotten) -> None:
    """One that is only started is forgotten."""
    forgotten.keep(*asyncio.run(serve()))
