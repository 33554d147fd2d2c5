"""opentelemetry-instrumentation-grpc: it replaces `grpc.aio.server`, or is given an interceptor."""

import asyncio
from collections.abc import Iterator

import grpc
import pytest
from conftest import Forgotten, answers
from opentelemetry.instrumentation.grpc import (
    GrpcAioInstrumentorClient,
    GrpcAioInstrumentorServer,
    aio_server_interceptor,
)


@pytest.fixture
def instrumented() -> Iterator[None]:
    """Instrument servers and channels."""
    instrumentors = GrpcAioInstrumentorServer(), GrpcAioInstrumentorClient()
    for instrumentor in instrumentors:
        instrumentor.instrument()
    yield
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


async def serve(*interceptors: grpc.aio.ServerInterceptor) -> tuple[grpc.aio.Server, int]:
    """Start a server, as any code of an application does."""
    server = grpc.aio.server(interceptors=interceptors)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


@pytest.mark.asyncio
@pytest.mark.usefixtures("instrumented")
async def test_stops() -> None:
    """A server that is stopped is none that leaks."""
    server, port = await serve()
    assert await answers(f"127.0.0.1:{port}") is grpc.StatusCode.UNIMPLEMENTED
    await server.stop(None)


@pytest.mark.asyncio
async def test_stops_with_an_interceptor() -> None:
    """The same with the interceptor alone."""
    server, port = await serve(aio_server_interceptor())
    assert await answers(f"127.0.0.1:{port}") is grpc.StatusCode.UNIMPLEMENTED
    await server.stop(None)


@pytest.mark.usefixtures("instrumented")
def test_leaks(forgotten: Forgotten) -> None:
    """One that is forgotten leaks, instrumented ..."""
    forgotten.keep(*asyncio.run(serve()))


def test_leaks_with_an_interceptor(forgotten: Forgotten) -> None:
    """... or not."""
    forgotten.keep(*asyncio.run(serve(aio_server_interceptor())))
