"""Each fixture stops what it started, in the event loop that started it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from examples.voice_pipeline.orchestrator import Orchestrator, running_orchestrator
from examples.voice_pipeline.v1 import tts_pb2_grpc
from examples.voice_pipeline.worker import running_worker
from tests.integration.clients import DEADLINE, open_channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(autouse=True)
async def no_task_left() -> AsyncIterator[None]:
    """Fail the test whose servers and clients leave a task behind."""
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        # A stopped server's last handlers may still be on their way out.
        _, left = await asyncio.wait(left, timeout=DEADLINE)
    assert not left


@pytest.fixture
async def worker() -> AsyncIterator[str]:
    """Run a worker that is registered nowhere; give its address."""
    async with running_worker() as address:
        yield address


@pytest.fixture
async def stub(worker: str) -> AsyncIterator[tts_pb2_grpc.TextToSpeechServiceStub]:
    """Connect to the worker."""
    async with open_channel(worker) as channel:
        yield tts_pb2_grpc.TextToSpeechServiceStub(channel)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        """Start at 0."""
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give the clock of the orchestrator's leases."""
    return Clock()


@pytest.fixture
async def orchestrator(clock: Clock) -> AsyncIterator[Orchestrator]:
    """Run an orchestrator that knows no worker."""
    async with running_orchestrator(clock=clock) as running:
        yield running


@pytest.fixture
async def pipeline_worker(orchestrator: Orchestrator) -> AsyncIterator[str]:
    """Run a worker for the orchestrator; give its address."""
    async with running_worker(registry=orchestrator.registry) as address:
        yield address


@pytest.fixture
async def pipeline_stub(
    pipeline_worker: str,
) -> AsyncIterator[tts_pb2_grpc.TextToSpeechServiceStub]:
    """Connect to the orchestrator's worker directly."""
    async with open_channel(pipeline_worker) as channel:
        yield tts_pb2_grpc.TextToSpeechServiceStub(channel)
