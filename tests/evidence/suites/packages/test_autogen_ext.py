"""autogen-ext: the host of its runtime of workers, to be started and stopped."""

import asyncio
import gc

import grpc
import pytest
from autogen_ext.runtimes.grpc import GrpcWorkerAgentRuntimeHost


async def until_ready(address: str) -> None:
    """Wait until a host takes connections."""
    async with grpc.aio.insecure_channel(address) as channel:
        await asyncio.wait_for(channel.channel_ready(), timeout=10.0)


@pytest.mark.asyncio
async def test_stops() -> None:
    """A host that is stopped is none that leaks."""
    host = GrpcWorkerAgentRuntimeHost("unix:stops.sock")
    host.start()
    await until_ready("unix:stops.sock")
    await host.stop()


@pytest.mark.asyncio
async def test_leaks() -> None:
    """One that is forgotten is kept by a cycle."""
    GrpcWorkerAgentRuntimeHost("unix:leaks.sock").start()
    await until_ready("unix:leaks.sock")


def test_next() -> None:
    """The next collection is where a run without the guard hangs."""
    gc.collect()
