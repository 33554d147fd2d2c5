"""The worker over gRPC: models, sessions, streams and commands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import grpc.aio
import pytest
from grpc import StatusCode
from grpc_health.v1.health_pb2 import HealthCheckResponse

from examples.voice_pipeline.synthesizer import FRAME_BYTES, FRAMES_PER_CHARACTER, tone
from examples.voice_pipeline.v1 import tts_pb2
from examples.voice_pipeline.worker import SERVICE
from tests.integration.clients import DEADLINE, health_status, open_channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Iterable, Sequence

    from examples.voice_pipeline.v1.tts_pb2_grpc import TextToSpeechServiceStub

    SynthesizeCall = grpc.aio.StreamStreamCall[
        tts_pb2.SynthesizeRequest, tts_pb2.SynthesizeResponse
    ]

pytestmark = pytest.mark.integration

# So many frames that no buffer on the way holds them: a stream of it waits for its reader.
LONG_TEXT: Final = "x" * 300
# Enough turns for a worker that ignores a command to send frames.
ROUND_TRIPS: Final = 20


async def start_session(stub: TextToSpeechServiceStub, model: str = "") -> str:
    """Return the id of a new session."""
    response = await stub.StartSession(tts_pb2.StartSessionRequest(model=model))
    return response.session_id


async def end_session(stub: TextToSpeechServiceStub, session_id: str) -> None:
    """End a session."""
    await stub.EndSession(tts_pb2.EndSessionRequest(session_id=session_id))


async def control(
    stub: TextToSpeechServiceStub, session_id: str, command: tts_pb2.Command.ValueType
) -> tts_pb2.ControlResponse:
    """Send a command."""
    return await stub.Control(tts_pb2.ControlRequest(session_id=session_id, command=command))


def requests(session_id: str, chunks: Sequence[str]) -> list[tts_pb2.SynthesizeRequest]:
    """Return the requests of an utterance, the last of them final."""
    return [
        tts_pb2.SynthesizeRequest(session_id=session_id, text=chunk, is_final=number == len(chunks))
        for number, chunk in enumerate(chunks, start=1)
    ]


async def speak(
    stub: TextToSpeechServiceStub, session_id: str, *chunks: str
) -> list[tts_pb2.SynthesizeResponse]:
    """Return the frames of an utterance."""
    return await collect(stub.Synthesize(iter(requests(session_id, chunks))))


async def collect(
    responses: AsyncIterable[tts_pb2.SynthesizeResponse],
) -> list[tts_pb2.SynthesizeResponse]:
    """Return the frames that are left in a stream."""
    return [response async for response in responses]


async def read(call: SynthesizeCall, count: int) -> list[tts_pb2.SynthesizeResponse]:
    """Return the next `count` frames of a stream."""
    return [await anext(aiter(call)) for _ in range(count)]


async def open_stream(
    stub: TextToSpeechServiceStub, session_id: str, text: str, *, is_final: bool = False
) -> SynthesizeCall:
    """Return a stream that the worker has opened for `text`, whose frames are all to be read."""
    call: SynthesizeCall = stub.Synthesize()
    request = tts_pb2.SynthesizeRequest(session_id=session_id, text=text, is_final=is_final)
    await call.write(request)
    await call.initial_metadata()
    return call


def frame_count(*chunks: str) -> int:
    """Return how many frames an utterance has."""
    return FRAMES_PER_CHARACTER * sum(map(len, chunks))


def indexes(frames: Iterable[tts_pb2.SynthesizeResponse]) -> list[int]:
    """Return the numbers of the frames."""
    return [frame.frame_index for frame in frames]


async def code_of(call: Awaitable[object]) -> StatusCode:
    """Return the status with which an RPC that must fail does."""
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    return failure.value.code()


async def test_worker_connection(worker: str) -> None:
    """A client connects to the address that the worker gives and finds its service healthy."""
    async with open_channel(worker) as channel:
        await asyncio.wait_for(channel.channel_ready(), DEADLINE)
        assert channel.get_state() is grpc.ChannelConnectivity.READY
        assert await health_status(channel, SERVICE) == HealthCheckResponse.SERVING


async def test_list_models(stub: TextToSpeechServiceStub) -> None:
    """The worker lists its models, of which the default one is loaded."""
    response = await stub.ListModels(tts_pb2.ListModelsRequest())
    assert {model.name: model.loaded for model in response.models} == {
        "sine-440": True,
        "sine-220": False,
    }


async def test_capabilities_consistency(stub: TextToSpeechServiceStub) -> None:
    """The capabilities agree with the models, a session's audio format, and each other."""
    capabilities = await stub.GetCapabilities(tts_pb2.GetCapabilitiesRequest())
    models = await stub.ListModels(tts_pb2.ListModelsRequest())
    session = await stub.StartSession(tts_pb2.StartSessionRequest())

    assert list(capabilities.models) == [model.name for model in models.models]
    assert session.model in capabilities.models
    assert session.audio_format == capabilities.audio_format
    assert set(capabilities.commands) == set(tts_pb2.Command.values()) - {
        tts_pb2.COMMAND_UNSPECIFIED
    }
    sound = capabilities.audio_format
    assert (sound.sample_rate_hz, sound.channels, sound.bits_per_sample) == (48_000, 1, 16)
    samples = sound.sample_rate_hz * sound.frame_milliseconds // 1000
    assert sound.frame_bytes == samples * sound.channels * sound.bits_per_sample // 8


async def test_session_lifecycle(stub: TextToSpeechServiceStub) -> None:
    """A session speaks from its start to its end, and not after it."""
    session_id = await start_session(stub)
    assert len(await speak(stub, session_id, "Hello")) == frame_count("Hello")
    assert len(await speak(stub, session_id, "again")) == frame_count("again")

    # A stream that is open ends with its session.
    call = await open_stream(stub, session_id, "more to come")
    await end_session(stub, session_id)
    await collect(call)
    assert await call.code() is StatusCode.OK
    assert await code_of(speak(stub, session_id, "Hello")) is StatusCode.NOT_FOUND
    assert await code_of(end_session(stub, session_id)) is StatusCode.NOT_FOUND


async def test_multiple_sessions_sequential(stub: TextToSpeechServiceStub) -> None:
    """Sessions one after the other have ids of their own and sound the same."""
    spoken = {}
    for _ in range(3):
        session_id = await start_session(stub)
        spoken[session_id] = [frame.audio for frame in await speak(stub, session_id, "Hello")]
        await end_session(stub, session_id)
    assert len(spoken) == 3
    expected = [tone(index, 440.0) for index in range(frame_count("Hello"))]
    assert all(audio == expected for audio in spoken.values())


async def test_session_isolation(stub: TextToSpeechServiceStub) -> None:
    """A pause, a stop and an end concern one session and no other."""
    paused, other = await start_session(stub), await start_session(stub)
    call = await open_stream(stub, paused, "Hello")
    await read(call, frame_count("Hello"))
    await control(stub, paused, tts_pb2.COMMAND_PAUSE)

    assert len(await speak(stub, other, "Hello")) == frame_count("Hello")
    pause_other = control(stub, other, tts_pb2.COMMAND_PAUSE)
    assert await code_of(pause_other) is StatusCode.FAILED_PRECONDITION

    await end_session(stub, other)
    resumed = await control(stub, paused, tts_pb2.COMMAND_RESUME)
    assert resumed.state == tts_pb2.SESSION_STATE_SYNTHESIZING
    await call.done_writing()
    assert await collect(call) == []


async def test_streaming_synthesis(stub: TextToSpeechServiceStub) -> None:
    """Frames come before the text is complete, and before the rest of them is made."""
    session_id = await start_session(stub)
    call = await open_stream(stub, session_id, "Hello, ")
    first = await read(call, frame_count("Hello, "))
    await call.write(tts_pb2.SynthesizeRequest(session_id=session_id, text="world", is_final=True))
    frames = first + await collect(call)
    assert indexes(frames) == list(range(frame_count("Hello, world")))
    assert [frame.audio for frame in frames] == [tone(index, 440.0) for index in indexes(frames)]

    call = await open_stream(stub, session_id, LONG_TEXT, is_final=True)
    await read(call, 1)
    stopped = await control(stub, session_id, tts_pb2.COMMAND_STOP)
    assert 1 <= stopped.frames_sent < frame_count(LONG_TEXT)
    await collect(call)


async def test_frame_size_validation(stub: TextToSpeechServiceStub) -> None:
    """Every frame is 20 ms in 1,920 bytes, whatever the length of the text and its chunks."""
    session_id = await start_session(stub)
    for chunks in (["a"], ["Hello", ", ", "world"], ["ünïcödé 語"], ["x" * 50]):
        frames = await speak(stub, session_id, *chunks)
        assert len(frames) == frame_count(*chunks)
        assert {len(frame.audio) for frame in frames} == {FRAME_BYTES} == {1920}


async def test_empty_text_chunks(stub: TextToSpeechServiceStub) -> None:
    """Empty chunks make no frames, end nothing, and may be all that there is."""
    session_id = await start_session(stub)
    frames = await speak(stub, session_id, "", "Hello", "", "")
    assert indexes(frames) == list(range(frame_count("Hello")))
    assert await speak(stub, session_id, "") == []
    assert await speak(stub, session_id, "", "") == []
    assert await collect(stub.Synthesize(iter([]))) == []


async def test_pause_command(stub: TextToSpeechServiceStub) -> None:
    """A paused stream sends nothing, even when text comes, and can't be paused again."""
    session_id = await start_session(stub)
    call = await open_stream(stub, session_id, "Hello")
    await read(call, frame_count("Hello"))

    paused = await control(stub, session_id, tts_pb2.COMMAND_PAUSE)
    assert paused.state == tts_pb2.SESSION_STATE_PAUSED
    assert paused.frames_sent == frame_count("Hello")
    again = control(stub, session_id, tts_pb2.COMMAND_PAUSE)
    assert await code_of(again) is StatusCode.FAILED_PRECONDITION

    await call.write(tts_pb2.SynthesizeRequest(session_id=session_id, text="more", is_final=True))
    for _ in range(ROUND_TRIPS):
        await stub.ListModels(tts_pb2.ListModelsRequest())
    stopped = await control(stub, session_id, tts_pb2.COMMAND_STOP)
    assert stopped.frames_sent == paused.frames_sent
    assert await collect(call) == []


async def test_resume_command(stub: TextToSpeechServiceStub) -> None:
    """A resumed stream goes on where it was paused: no frame is lost, doubled or changed."""
    session_id = await start_session(stub)
    call = await open_stream(stub, session_id, LONG_TEXT, is_final=True)
    first = await read(call, 3)
    paused = await control(stub, session_id, tts_pb2.COMMAND_PAUSE)
    assert paused.frames_sent < frame_count(LONG_TEXT)

    resumed = await control(stub, session_id, tts_pb2.COMMAND_RESUME)
    assert resumed.state == tts_pb2.SESSION_STATE_SYNTHESIZING
    frames = first + await collect(call)
    assert indexes(frames) == list(range(frame_count(LONG_TEXT)))
    assert all(frame.audio == tone(frame.frame_index, 440.0) for frame in frames)

    again = control(stub, session_id, tts_pb2.COMMAND_RESUME)
    assert await code_of(again) is StatusCode.FAILED_PRECONDITION


async def test_stop_command(stub: TextToSpeechServiceStub) -> None:
    """STOP ends a stream with OK, whatever it does; the session is ready for another."""
    session_id = await start_session(stub)
    for text, frames_read, pause in (
        (LONG_TEXT, 0, False),
        (LONG_TEXT, 0, True),
        # Nothing to send: the stream waits for text.
        ("Hello", frame_count("Hello"), False),
    ):
        idle = control(stub, session_id, tts_pb2.COMMAND_STOP)
        assert await code_of(idle) is StatusCode.FAILED_PRECONDITION
        call = await open_stream(stub, session_id, text)
        read_before = await read(call, frames_read)
        if pause:
            await control(stub, session_id, tts_pb2.COMMAND_PAUSE)

        stopped = await control(stub, session_id, tts_pb2.COMMAND_STOP)
        assert stopped.state == tts_pb2.SESSION_STATE_IDLE
        assert stopped.frames_sent < frame_count(LONG_TEXT)
        assert len(read_before + await collect(call)) == stopped.frames_sent
        assert await call.code() is StatusCode.OK
        assert len(await speak(stub, session_id, "Hello")) == frame_count("Hello")


async def test_pause_response_timing(stub: TextToSpeechServiceStub) -> None:
    """No more than one frame is sent between the answer to PAUSE and RESUME."""
    session_id = await start_session(stub)
    call = await open_stream(stub, session_id, LONG_TEXT, is_final=True)
    events: list[int | str] = []
    moving = asyncio.Event()

    async def receive() -> None:
        async for frame in call:
            events.append(frame.frame_index)
            moving.set()

    async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as group:
        # The reader never stops, so that nothing but PAUSE holds the frames back.
        group.create_task(receive())
        await moving.wait()
        paused = await control(stub, session_id, tts_pb2.COMMAND_PAUSE)
        events.append("paused")
        for _ in range(ROUND_TRIPS):
            await stub.ListModels(tts_pb2.ListModelsRequest())
        events.append("resume")
        resumed = await control(stub, session_id, tts_pb2.COMMAND_RESUME)

    assert 0 < paused.frames_sent < frame_count(LONG_TEXT)
    assert resumed.frames_sent - paused.frames_sent <= 1
    assert events.index(0) < events.index("paused") < events.index("resume")
    before_resume = [event for event in events[: events.index("resume")] if event != "paused"]
    assert before_resume == list(range(len(before_resume)))
    assert len(before_resume) <= paused.frames_sent + 1
    frames = [event for event in events if isinstance(event, int)]
    assert frames == list(range(frame_count(LONG_TEXT)))


async def test_load_unload_model(stub: TextToSpeechServiceStub) -> None:
    """A model serves sessions while it is loaded, and can't be unloaded under them."""
    name = "sine-220"

    async def load(model: str) -> bool:
        return (await stub.LoadModel(tts_pb2.LoadModelRequest(name=model))).model.loaded

    async def unload(model: str) -> bool:
        return (await stub.UnloadModel(tts_pb2.UnloadModelRequest(name=model))).model.loaded

    assert await code_of(start_session(stub, name)) is StatusCode.FAILED_PRECONDITION
    assert await code_of(unload(name)) is StatusCode.FAILED_PRECONDITION
    assert await load(name)
    assert await code_of(load(name)) is StatusCode.FAILED_PRECONDITION

    session_id = await start_session(stub, name)
    frames = await speak(stub, session_id, "low")
    assert [frame.audio for frame in frames] == [tone(index, 220.0) for index in indexes(frames)]
    assert await code_of(unload(name)) is StatusCode.FAILED_PRECONDITION
    await end_session(stub, session_id)

    assert not await unload(name)
    assert await code_of(start_session(stub, name)) is StatusCode.FAILED_PRECONDITION
    for unknown in (load("sine-1"), unload("sine-1"), start_session(stub, "sine-1")):
        assert await code_of(unknown) is StatusCode.NOT_FOUND


async def test_invalid_session_error(stub: TextToSpeechServiceStub) -> None:
    """An unknown session is NOT_FOUND to every RPC that takes one."""
    for session_id in ("", "no-such-session"):
        for call in (
            speak(stub, session_id, "Hello"),
            control(stub, session_id, tts_pb2.COMMAND_PAUSE),
            end_session(stub, session_id),
        ):
            assert await code_of(call) is StatusCode.NOT_FOUND

    known, other = await start_session(stub), await start_session(stub)
    mixed = [requests(known, ["Hello", ""])[0], *requests(other, ["Hello"])]
    assert await code_of(collect(stub.Synthesize(iter(mixed)))) is StatusCode.INVALID_ARGUMENT
    stream = await open_stream(stub, known, "Hello")
    assert await code_of(speak(stub, known, "Hello")) is StatusCode.FAILED_PRECONDITION
    await stream.done_writing()
    assert len(await collect(stream)) == frame_count("Hello")


async def test_invalid_command_error(stub: TextToSpeechServiceStub) -> None:
    """An unknown command is an INVALID_ARGUMENT and leaves the stream as it was."""
    session_id = await start_session(stub)
    call = await open_stream(stub, session_id, "Hello")
    for number in (tts_pb2.COMMAND_UNSPECIFIED, 99):
        request = tts_pb2.ControlRequest(session_id=session_id)
        request.command = number  # type: ignore[assignment] # a client with a newer protocol
        assert await code_of(stub.Control(request)) is StatusCode.INVALID_ARGUMENT
    await call.done_writing()
    assert len(await collect(call)) == frame_count("Hello")
