"""sentry-sdk: its integration replaces `grpc.aio.server`, and adds its interceptor to each one."""

import asyncio

import grpc
import pytest
import sentry_sdk
from conftest import Forgotten, answers
from sentry_sdk.integrations.grpc import GRPCIntegration


@pytest.fixture(scope="session", autouse=True)
def integration() -> None:
    """Switch it on, without anywhere to send to."""
    sentry_sdk.init(integrations=[GRPCIntegration()])


async def serve() -> tuple[grpc.aio.Server, int]:
    """Start a server, as any code of an application does."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


@pytest.mark.asyncio
async def test_stops() -> None:
    """A server that is stopped is none that leaks."""
    server, port = await serve()
    assert await answers(f"127.0.0.1:{port}") is grpc.StatusCode.UNIMPLEMENTED
    await server.stop(None)


def test_leaks(forgotten: Forgotten) -> None:
    """One that is forgotten is."""
    forgotten.keep(*asyncio.run(serve()))
