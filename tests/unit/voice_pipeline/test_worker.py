"""The sessions of a worker, on a clock of their own: used, ended, or forgotten."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc.aio
import pytest
from grpc import StatusCode

from examples.voice_pipeline.transport import connect
from examples.voice_pipeline.v1 import tts_pb2, tts_pb2_grpc
from examples.voice_pipeline.worker import SESSION_IDLE_TIME, Sessions, running_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from tests.unit.voice_pipeline.conftest import Clock

# Seconds. For an RPC, or for a worker to notice that a client is gone: far more than any needs.
DEADLINE = 30.0


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    """An empty table of sessions, which are kept idle for ten seconds."""
    return Sessions(10.0, clock)


def test_idle_session_is_forgotten(sessions: Sessions, clock: Clock) -> None:
    """A session is there until it has been idle for the whole time, and then no longer."""
    session_id = sessions.start("sine-440")
    clock.now += 9.9
    assert sessions.open() == [sessions.find(session_id)]
    clock.now += 0.1
    assert sessions.open() == []
    with pytest.raises(LookupError, match="no such session"):
        sessions.find(session_id)
    with pytest.raises(LookupError, match="no such session"):
        sessions.end(session_id)


def test_session_with_a_stream_is_not_idle(sessions: Sessions, clock: Clock) -> None:
    """However long a stream takes, the time starts when it is done."""
    session = sessions.find(sessions.start("sine-440"))
    stream = session.open_stream()
    clock.now += 1000
    session.close_stream(stream)
    clock.now += 9.9
    assert sessions.open() == [session]
    clock.now += 0.1
    assert sessions.open() == []


def test_stopped_session_is_idle(sessions: Sessions, clock: Clock) -> None:
    """A stream that a command ended counts as done at that moment, paused or not."""
    session = sessions.find(sessions.start("sine-440"))
    session.open_stream()
    session.control(tts_pb2.COMMAND_PAUSE)
    clock.now += 1000
    assert sessions.open() == [session]
    session.control(tts_pb2.COMMAND_STOP)
    clock.now += 10
    assert sessions.open() == []


def test_sessions_are_forgotten_one_by_one(sessions: Sessions, clock: Clock) -> None:
    """Each has a time of its own."""
    sessions.start("sine-440")
    clock.now += 5
    late = sessions.find(sessions.start("sine-440"))
    clock.now += 5
    assert sessions.open() == [late]


def test_the_protocol_says_how_long() -> None:
    """Ten minutes, as `v1/tts.proto` and the orchestrator's description have it."""
    assert SESSION_IDLE_TIME == 10 * 60


@pytest.fixture
async def stub(clock: Clock) -> AsyncIterator[tts_pb2_grpc.TextToSpeechServiceStub]:
    """A client of a worker that keeps idle sessions for ten seconds."""
    async with (
        running_worker(session_idle_time=10.0, clock=clock) as address,
        connect(address) as channel,
    ):
        yield tts_pb2_grpc.TextToSpeechServiceStub(channel)


async def failure_of(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    """Return the error with which an RPC that must fail does."""
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await asyncio.wait_for(call, DEADLINE)
    return failure.value


async def test_client_that_is_gone_holds_nothing(
    stub: tts_pb2_grpc.TextToSpeechServiceStub, clock: Clock
) -> None:
    """The session of a client that left in the midst of a stream ends, and frees its model."""
    started = await stub.StartSession(tts_pb2.StartSessionRequest(), timeout=DEADLINE)
    unload = tts_pb2.UnloadModelRequest(name=started.model)
    resume = tts_pb2.ControlRequest(session_id=started.session_id, command=tts_pb2.COMMAND_RESUME)
    call = stub.Synthesize()
    await call.write(tts_pb2.SynthesizeRequest(session_id=started.session_id, text="x" * 300))
    await call.initial_metadata()

    clock.now += 1000
    refused = await failure_of(stub.UnloadModel(unload))
    assert refused.code() is StatusCode.FAILED_PRECONDITION

    call.cancel()
    async with asyncio.timeout(DEADLINE):
        # The worker has noticed once the session is idle.
        while "IDLE" not in str((await failure_of(stub.Control(resume))).details()):
            pass
    clock.now += 10
    assert (await failure_of(stub.Control(resume))).code() is StatusCode.NOT_FOUND
    assert not (await stub.UnloadModel(unload, timeout=DEADLINE)).model.loaded


async def test_client_that_comes_back_in_time_goes_on(
    stub: tts_pb2_grpc.TextToSpeechServiceStub, clock: Clock
) -> None:
    """Utterances with pauses between them are one session, as long as none is too long."""
    started = await stub.StartSession(tts_pb2.StartSessionRequest(), timeout=DEADLINE)
    request = tts_pb2.SynthesizeRequest(session_id=started.session_id, text="x", is_final=True)
    for _ in range(3):
        clock.now += 9
        frames = [frame async for frame in stub.Synthesize(iter([request]), timeout=DEADLINE)]
        assert len(frames) == 3
    clock.now += 10

    async def speak() -> None:
        async for _ in stub.Synthesize(iter([request])):
            pass

    assert (await failure_of(speak())).code() is StatusCode.NOT_FOUND
