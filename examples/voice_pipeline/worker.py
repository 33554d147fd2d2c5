"""The worker: sessions, models, and streams of frames, served over gRPC."""

from __future__ import annotations

import asyncio
import functools
import uuid
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

from grpc import StatusCode

from . import synthesizer
from .interruption import unless
from .registry import registered
from .transport import GRACE, LOCAL, serving
from .v1 import tts_pb2, tts_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .transport import Context

SERVICE: Final = "voice_pipeline.v1.TextToSpeechService"

# Each model's pitch in Hz.
MODELS: Final = {"sine-440": 440.0, "sine-220": 220.0}
DEFAULT_MODEL: Final = "sine-440"

AUDIO_FORMAT: Final = tts_pb2.AudioFormat(
    sample_rate_hz=synthesizer.SAMPLE_RATE_HZ,
    channels=synthesizer.CHANNELS,
    bits_per_sample=8 * synthesizer.SAMPLE_BYTES,
    frame_milliseconds=synthesizer.FRAME_MILLISECONDS,
    frame_bytes=synthesizer.FRAME_BYTES,
)

IDLE: Final = tts_pb2.SESSION_STATE_IDLE
SYNTHESIZING: Final = tts_pb2.SESSION_STATE_SYNTHESIZING
PAUSED: Final = tts_pb2.SESSION_STATE_PAUSED

# Which state a command leads to. What is not here is refused.
TRANSITIONS: Final = {
    (SYNTHESIZING, tts_pb2.COMMAND_PAUSE): PAUSED,
    (PAUSED, tts_pb2.COMMAND_RESUME): SYNTHESIZING,
    (SYNTHESIZING, tts_pb2.COMMAND_STOP): IDLE,
    (PAUSED, tts_pb2.COMMAND_STOP): IDLE,
}
COMMANDS: Final = tuple(dict.fromkeys(command for _, command in TRANSITIONS))


class WrongStateError(Exception):
    """The session's state does not allow what was asked for."""


class Stream:
    """One utterance of a session: whether its frames may go out, and how many did."""

    def __init__(self) -> None:
        """Start with frames allowed."""
        self.frames_sent = 0
        self.stopped = asyncio.Event()
        # Clear while the stream is paused.
        self.moving = asyncio.Event()
        self.moving.set()

    def stop(self) -> None:
        """End the stream, paused or not."""
        self.stopped.set()
        self.moving.set()

    async def may_send(self) -> bool:
        """Wait while the stream is paused; return False when it was stopped."""
        while not self.moving.is_set():
            await self.moving.wait()
        return not self.stopped.is_set()

    async def read(
        self, requests: AsyncIterator[tts_pb2.SynthesizeRequest]
    ) -> tts_pb2.SynthesizeRequest | None:
        """Return the next request, or None when there is none or the stream is stopped first."""
        return await unless(self.stopped.wait(), anext(requests, None))


class Session:
    """A client's use of one model, with at most one stream at a time."""

    def __init__(self, model: str) -> None:
        """Start idle."""
        self.model = model
        self.stream: Stream | None = None

    @property
    def state(self) -> tts_pb2.SessionState.ValueType:
        """What the session is doing."""
        if self.stream is None:
            return IDLE
        return SYNTHESIZING if self.stream.moving.is_set() else PAUSED

    def open_stream(self) -> Stream:
        """Open a stream; raises `WrongStateError` when one is open."""
        if self.stream is not None:
            raise WrongStateError("the session has a stream already")
        self.stream = Stream()
        return self.stream

    def close_stream(self, stream: Stream) -> None:
        """Make room for the next stream, unless it is already there."""
        if self.stream is stream:
            self.stream = None

    def control(self, command: tts_pb2.Command.ValueType) -> int:
        """Obey `command` and return the frames sent before; raises `WrongStateError`."""
        target = TRANSITIONS.get((self.state, command))
        if target is None or self.stream is None:
            state = tts_pb2.SessionState.Name(self.state)
            raise WrongStateError(f"{tts_pb2.Command.Name(command)} is not possible in {state}")
        frames_sent = self.stream.frames_sent
        if target == PAUSED:
            self.stream.moving.clear()
        elif target == SYNTHESIZING:
            self.stream.moving.set()
        else:
            self.stream.stop()
            self.stream = None
        return frames_sent


class TextToSpeech(tts_pb2_grpc.TextToSpeechServiceServicer):
    """The RPCs of `v1/tts.proto`, which says what each does and refuses."""

    def __init__(self) -> None:
        """Start with the default model loaded and no session."""
        self._sessions: dict[str, Session] = {}
        self._loaded = {DEFAULT_MODEL}

    async def _session(self, session_id: str, context: Context) -> Session:
        if session_id not in self._sessions:
            await context.abort(StatusCode.NOT_FOUND, f"no such session: {session_id!r}")
        return self._sessions[session_id]

    async def _model(self, name: str, context: Context, *, loaded: bool) -> str:
        """Return `name` if the worker has it in that state, else abort the RPC."""
        if name not in MODELS:
            await context.abort(StatusCode.NOT_FOUND, f"no such model: {name!r}")
        if (name in self._loaded) != loaded:
            problem = "is not loaded" if loaded else "is loaded already"
            await context.abort(StatusCode.FAILED_PRECONDITION, f"{name} {problem}")
        return name

    async def GetCapabilities(
        self, request: tts_pb2.GetCapabilitiesRequest, context: Context
    ) -> tts_pb2.GetCapabilitiesResponse:
        """Describe the audio, the models and the commands."""
        del request, context
        return tts_pb2.GetCapabilitiesResponse(
            audio_format=AUDIO_FORMAT, models=MODELS, commands=COMMANDS
        )

    async def ListModels(
        self, request: tts_pb2.ListModelsRequest, context: Context
    ) -> tts_pb2.ListModelsResponse:
        """List the models and whether each is loaded."""
        del request, context
        models = [tts_pb2.Model(name=name, loaded=name in self._loaded) for name in MODELS]
        return tts_pb2.ListModelsResponse(models=models)

    async def LoadModel(
        self, request: tts_pb2.LoadModelRequest, context: Context
    ) -> tts_pb2.LoadModelResponse:
        """Load a model that is not loaded."""
        name = await self._model(request.name, context, loaded=False)
        self._loaded.add(name)
        return tts_pb2.LoadModelResponse(model=tts_pb2.Model(name=name, loaded=True))

    async def UnloadModel(
        self, request: tts_pb2.UnloadModelRequest, context: Context
    ) -> tts_pb2.UnloadModelResponse:
        """Unload a model that is loaded and that no session uses."""
        name = await self._model(request.name, context, loaded=True)
        if any(session.model == name for session in self._sessions.values()):
            await context.abort(StatusCode.FAILED_PRECONDITION, f"{name} is used by a session")
        self._loaded.remove(name)
        return tts_pb2.UnloadModelResponse(model=tts_pb2.Model(name=name, loaded=False))

    async def StartSession(
        self, request: tts_pb2.StartSessionRequest, context: Context
    ) -> tts_pb2.StartSessionResponse:
        """Open a session with a loaded model."""
        name = await self._model(request.model or DEFAULT_MODEL, context, loaded=True)
        session_id = uuid.uuid4().hex
        self._sessions[session_id] = Session(name)
        return tts_pb2.StartSessionResponse(
            session_id=session_id, model=name, audio_format=AUDIO_FORMAT
        )

    async def EndSession(
        self, request: tts_pb2.EndSessionRequest, context: Context
    ) -> tts_pb2.EndSessionResponse:
        """Forget a session, after ending its stream."""
        session = await self._session(request.session_id, context)
        if session.stream is not None:
            session.stream.stop()
        del self._sessions[request.session_id]
        return tts_pb2.EndSessionResponse()

    async def Synthesize(
        self, request_iterator: AsyncIterator[tts_pb2.SynthesizeRequest], context: Context
    ) -> AsyncIterator[tts_pb2.SynthesizeResponse]:
        """Send the frames of each chunk before the next chunk is read."""
        request = await anext(request_iterator, None)
        if request is None:
            return
        session_id = request.session_id
        session = await self._session(session_id, context)
        try:
            stream = session.open_stream()
        except WrongStateError as error:
            await context.abort(StatusCode.FAILED_PRECONDITION, str(error))
        try:
            await context.send_initial_metadata(())
            while request is not None:
                if request.session_id != session_id:
                    problem = "the session_id changed within the stream"
                    await context.abort(StatusCode.INVALID_ARGUMENT, problem)
                speech = synthesizer.synthesize(
                    request.text,
                    frequency_hz=MODELS[session.model],
                    first_frame=stream.frames_sent,
                )
                async with aclosing(speech):
                    async for audio in speech:
                        # The last word before each frame is the client's: PAUSE and STOP
                        # take effect here.
                        if not await stream.may_send():
                            return
                        index = stream.frames_sent
                        stream.frames_sent += 1
                        yield tts_pb2.SynthesizeResponse(audio=audio, frame_index=index)
                request = None if request.is_final else await stream.read(request_iterator)
        finally:
            session.close_stream(stream)

    async def Control(
        self, request: tts_pb2.ControlRequest, context: Context
    ) -> tts_pb2.ControlResponse:
        """Pause, resume or stop the stream of a session."""
        if request.command not in COMMANDS:
            problem = f"no such command: {request.command}"
            await context.abort(StatusCode.INVALID_ARGUMENT, problem)
        session = await self._session(request.session_id, context)
        try:
            frames_sent = session.control(request.command)
        except WrongStateError as error:
            await context.abort(StatusCode.FAILED_PRECONDITION, str(error))
        return tts_pb2.ControlResponse(state=session.state, frames_sent=frames_sent)


@asynccontextmanager
async def running_worker(
    *, listen: str = LOCAL, registry: str | None = None, grace: float = GRACE
) -> AsyncIterator[str]:
    """Run a worker and yield its address; with `registry`, it is registered there by then.

    Raises `OSError` when `listen` can't be bound, `ConnectionError` when the registry refuses.
    """
    add_to = functools.partial(
        tts_pb2_grpc.add_TextToSpeechServiceServicer_to_server, TextToSpeech()
    )
    async with serving(SERVICE, add_to, listen, grace=grace) as address:
        if registry is None:
            yield address
        else:
            async with registered(address, registry):
                yield address
