"""fastgrpc2: an application that starts, stops, and runs its server."""

import asyncio

import grpc
import pytest
from conftest import Forgotten, answers
from fastgrpc2 import GrpcApp, Insecure


def new_app() -> GrpcApp:
    """Make an application on any free port."""
    return GrpcApp(address="127.0.0.1:0", tls=Insecure())


@pytest.mark.asyncio
async def test_stops() -> None:
    """An application that is stopped stops its server."""
    app = new_app()
    await app.start()
    assert await answers(f"127.0.0.1:{app.bound_port}") is grpc.StatusCode.UNIMPLEMENTED
    await app.stop()


async def run() -> GrpcApp:
    """Run an application until the loop ends, in a task of its own."""
    app = new_app()
    app.running = asyncio.create_task(app.run())
    while not app.bound_port:  # noqa: ASYNC110 - nothing tells when it is bound
        await asyncio.sleep(0)
    assert await answers(f"127.0.0.1:{app.bound_port}") is grpc.StatusCode.UNIMPLEMENTED
    return app


async def start() -> GrpcApp:
    """Start one that nobody stops."""
    app = new_app()
    await app.start()
    return app


def test_leaks(forgotten: Forgotten) -> None:
    """One that is only started is forgotten."""
    app = asyncio.run(start())
    forgotten.keep(app, app.bound_port)


def test_leaks_while_it_runs(forgotten: Forgotten) -> None:
    """One whose task is left to the end of the loop stops too late: its tasks are cancelled."""
    app = asyncio.run(run())
    forgotten.keep(app, app.bound_port)
