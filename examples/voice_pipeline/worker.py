"""The worker: sessions, models, and streams of frames, served over gRPC."""

from __future__ import annotations

import asyncio
import functools
import time
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
    from collections.abc import AsyncIterator, Callable

    from .transport import Context

SERVICE: Final = "voice_pipeline.v1.TextToSpeechService"

# Each model's pitch in Hz.
MODELS: Final = {"sine-440": 440.0, "sine-220": 220.0}
DEFAULT_MODEL: Final = "sine-440"

# Seconds. How long a session without a stream is kept: its client may be gone without a word.
SESSION_IDLE_TIME: Final = 600.0

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

    def __init__(self, model: str, clock: Callable[[], float]) -> None:
        """Start idle, at this moment of `clock`, which returns seconds."""
        self.model = model
        self.stream: Stream | None = None
        self.idle_since = clock()
        self._clock = clock

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
            self._become_idle()

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
            self._become_idle()
        return frames_sent

    def _become_idle(self) -> None:
        self.stream = None
        self.idle_since = self._clock()


class Sessions:
    """The sessions that are open. `clock` returns seconds and never goes back."""

    def __init__(
        self, idle_time: float = SESSION_IDLE_TIME, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with none; each is forgotten once it has had no stream for `idle_time` seconds."""
        self._idle_time = idle_time
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def open(self) -> list[Session]:
        """Return the sessions that are open, and forget those that were idle for too long."""
        now = self._clock()
        self._sessions = {
            session_id: session
            for session_id, session in self._sessions.items()
            if session.stream is not None or now - session.idle_since < self._idle_time
        }
        return list(self._sessions.values())

    def start(self, model: str) -> str:
        """Start a session with `model` and return its id."""
        self.open()
        session_id = uuid.uuid4().hex
        self._sessions[session_id] = Session(model, self._clock)
        return session_id

    def find(self, session_id: str) -> Session:
        """Return a session; raises `LookupError` when it is not open."""
        self.open()
        if session_id not in self._sessions:
            raise LookupError(f"no such session: {session_id!r}")
        return self._sessions[session_id]

    def end(self, session_id: str) -> None:
        """End a session and its stream; raises `LookupError` when it is not open."""
        session = self.find(session_id)
        if session.stream is not None:
            session.stream.stop()
        del self._sessions[session_id]


class TextToSpeech(tts_pb2_grpc.TextToSpeechServiceServicer):
    """The RPCs of `v1/tts.proto`, which says what each does and refuses."""

    def __init__(self, sessions: Sessions | None = None) -> None:
        """Start with the default model loaded and, unless others are given, without sessions."""
        self._sessions = sessions or Sessions()
        self._loaded = {DEFAULT_MODEL}

    async def _session(self, session_id: str, context: Context) -> Session:
        try:
            return self._sessions.find(session_id)
        except LookupError as error:
            return await context.abort(StatusCode.NOT_FOUND, str(error))

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
        if any(session.model == name for session in self._sessions.open()):
            await context.abort(StatusCode.FAILED_PRECONDITION, f"{name} is used by a session")
        self._loaded.remove(name)
        return tts_pb2.UnloadModelResponse(model=tts_pb2.Model(name=name, loaded=False))

    async def StartSession(
        self, request: tts_pb2.StartSessionRequest, context: Context
    ) -> tts_pb2.StartSessionResponse:
        """Open a session with a loaded model."""
        name = await self._model(request.model or DEFAULT_MODEL, context, loaded=True)
        return tts_pb2.StartSessionResponse(
            session_id=self._sessions.start(name), model=name, audio_format=AUDIO_FORMAT
        )

    async def EndSession(
        self, request: tts_pb2.EndSessionRequest, context: Context
    ) -> tts_pb2.EndSessionResponse:
        """Forget a session, after ending its stream."""
        try:
            self._sessions.end(request.session_id)
        except LookupError as error:
            await context.abort(StatusCode.NOT_FOUND, str(error))
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
    *,
    listen: str = LOCAL,
    registry: str | None = None,
    session_idle_time: float = SESSION_IDLE_TIME,
    clock: Callable[[], float] = time.monotonic,
    grace: float = GRACE,
) -> AsyncIterator[str]:
    """Run a worker and yield its address; with `registry`, it is registered there by then.

    `clock` returns the seconds by which sessions are forgotten that had no stream for
    `session_idle_time` seconds.
    Raises `OSError` when `listen` can't be bound, `ConnectionError` when the registry refuses.
    """
    servicer = TextToSpeech(Sessions(session_idle_time, clock))
    add_to = functools.partial(tts_pb2_grpc.add_TextToSpeechServiceServicer_to_server, servicer)
    async with serving(SERVICE, add_to, listen, grace=grace) as address:
        if registry is None:
            yield address
        else:
            async with registered(address, registry):
                yield address
