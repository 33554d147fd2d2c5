"""The orchestrator: a WebSocket server in front of the workers that its registry knows.

A connection is one session on one worker. The client sends text messages with a JSON object:

    {"type": "text", "text": "Hello, ", "is_final": false}
    {"type": "text", "text": "world", "is_final": true}

The chunks up to one with `is_final` (true when left out) are an utterance; a session has any
number of them, one after the other. The server sends, in this order:

    {"type": "session", "session_id": "…", "model": "sine-440", "sample_rate_hz": 48000,
     "channels": 1, "bits_per_sample": 16, "frame_bytes": 1920}
    a binary message for each frame of the utterance, as soon as it is made
    {"type": "end", "frames": 36}                          after the last frame of each utterance
    {"type": "error", "code": "INVALID_ARGUMENT", "message": "…"}

After INVALID_ARGUMENT (not JSON, not a known type, not text) the session goes on as if that
message had not come. With any other code, which is a gRPC status, the server closes the
connection: 1013 (try again later) when no worker could be reached, 1011 when one failed. One of
them is NOT_FOUND: a worker forgets a session that has been silent for ten minutes.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import grpc.aio
from grpc import StatusCode
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from . import registry
from .interruption import unless
from .transport import GRACE, LOCAL, RPC_DEADLINE, connect, join_address, serving, split_address
from .v1 import registry_pb2_grpc, tts_pb2, tts_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    SynthesizeCall: TypeAlias = grpc.aio.StreamStreamCall[
        tts_pb2.SynthesizeRequest, tts_pb2.SynthesizeResponse
    ]
    WorkerSession: TypeAlias = tuple[
        tts_pb2_grpc.TextToSpeechServiceStub, tts_pb2.StartSessionResponse
    ]

log = logging.getLogger(__name__)

# A worker that ends with one of these at the start of a session is gone.
GONE: Final = (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED)


class InvalidMessageError(Exception):
    """A client's message is none that the module describes; says why."""


@dataclass(frozen=True)
class Chunk:
    """A client's text message."""

    text: str
    is_final: bool

    @classmethod
    def parse(cls, message: str | bytes) -> Chunk:
        """Return the chunk in `message`; raises `InvalidMessageError`."""
        if isinstance(message, bytes):
            raise InvalidMessageError("binary messages are not understood: send JSON as text")
        try:
            fields = json.loads(message)
        except (ValueError, RecursionError) as error:
            raise InvalidMessageError(f"not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise InvalidMessageError("not a JSON object")
        if fields.get("type") != "text":
            raise InvalidMessageError(
                f'unknown type {fields.get("type")!r}: the only one is "text"'
            )
        text, is_final = fields.get("text"), fields.get("is_final", True)
        if not (isinstance(text, str) and isinstance(is_final, bool)):
            raise InvalidMessageError('"text" must be a string and "is_final" true or false')
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidMessageError('"text" has half of a surrogate pair') from error
        return cls(text, is_final)


class NoWorkerError(Exception):
    """No worker has a lease and gives a session."""


async def send_json(socket: ServerConnection, **fields: str | int) -> None:
    """Send `fields` as a JSON object."""
    await socket.send(json.dumps(fields))


async def send_error(socket: ServerConnection, code: StatusCode, message: str) -> None:
    """Send an error message."""
    await send_json(socket, type="error", code=code.name, message=message)


class Conversation:
    """A client's session on a worker, from the first utterance to the last."""

    def __init__(
        self,
        socket: ServerConnection,
        worker: tts_pb2_grpc.TextToSpeechServiceStub,
        session: tts_pb2.StartSessionResponse,
    ) -> None:
        """Speak for `session`, which is open on `worker`."""
        self._socket = socket
        self._worker = worker
        self._session = session

    async def run(self) -> None:
        """Relay utterances; raises `ConnectionClosed`, or `AioRpcError` when the worker fails."""
        sound = self._session.audio_format
        await send_json(
            self._socket,
            type="session",
            session_id=self._session.session_id,
            model=self._session.model,
            sample_rate_hz=sound.sample_rate_hz,
            channels=sound.channels,
            bits_per_sample=sound.bits_per_sample,
            frame_bytes=sound.frame_bytes,
        )
        while True:
            frames = await self._utterance(await self._chunk())
            await send_json(self._socket, type="end", frames=frames)

    async def _chunk(self) -> Chunk:
        """Return the client's next chunk, after answering any message that is none."""
        while True:
            try:
                return Chunk.parse(await self._socket.recv())
            except InvalidMessageError as error:
                await send_error(self._socket, StatusCode.INVALID_ARGUMENT, str(error))

    async def _utterance(self, chunk: Chunk) -> int:
        """Relay text and frames at the same time, each at the pace of its receiver."""
        frames = 0
        call = self._worker.Synthesize()
        # What can fail there fails here too: the stream ends, or the connection is closed.
        sending = asyncio.create_task(self._send_text(call, chunk))
        try:
            async for response in call:
                await self._socket.send(response.audio)
                frames += 1
        finally:
            call.cancel()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return frames

    async def _send_text(self, call: SynthesizeCall, chunk: Chunk) -> None:
        """Send the chunks of an utterance, the first of which is `chunk`."""
        while True:
            request = tts_pb2.SynthesizeRequest(
                session_id=self._session.session_id, text=chunk.text, is_final=chunk.is_final
            )
            await call.write(request)
            if chunk.is_final:
                await call.done_writing()
                return
            chunk = await self._chunk()


class Router:
    """Gives each client a session on the worker that has the fewest."""

    def __init__(self, leases: registry.Leases) -> None:
        """Route to the workers that have a lease."""
        self._leases = leases

    async def serve(self, socket: ServerConnection) -> None:
        """Serve one client until it or its worker is gone, and end its session."""
        with suppress(ConnectionClosed):
            try:
                async with AsyncExitStack() as stack:
                    worker, session = await self._session(stack)
                    conversation = Conversation(socket, worker, session)
                    await unless(socket.wait_closed(), conversation.run())
            except NoWorkerError as error:
                await send_error(socket, StatusCode.UNAVAILABLE, str(error))
                await socket.close(CloseCode.TRY_AGAIN_LATER)
            except grpc.aio.AioRpcError as error:
                await send_error(socket, error.code(), f"the worker failed: {error.details()}")
                await socket.close(CloseCode.INTERNAL_ERROR)

    async def _session(self, stack: AsyncExitStack) -> WorkerSession:
        """Enter a session on a worker into `stack`; raises `NoWorkerError`."""
        for lease in sorted(self._leases.running(), key=lambda lease: lease.sessions):
            try:
                return await stack.enter_async_context(session_on(lease))
            except grpc.aio.AioRpcError as error:
                log.warning("%s gives no session: %s", lease.address, error.details())
                if error.code() in GONE:
                    # If it is alive after all, its next renewal fails and it registers anew.
                    with suppress(LookupError):
                        self._leases.end(lease.lease_id)
        raise NoWorkerError("no worker is available")


@asynccontextmanager
async def session_on(lease: registry.Lease) -> AsyncIterator[WorkerSession]:
    """Open a session on a worker, and end it on leaving; raises `AioRpcError` if it can't."""
    # Counted at once, so that clients that come together are spread.
    lease.sessions += 1
    try:
        async with connect(lease.address) as channel:
            worker = tts_pb2_grpc.TextToSpeechServiceStub(channel)
            request = tts_pb2.StartSessionRequest()
            session = await worker.StartSession(request, timeout=RPC_DEADLINE)
            try:
                yield worker, session
            finally:
                # A worker that is gone has no session to end.
                with suppress(grpc.aio.AioRpcError):
                    ending = tts_pb2.EndSessionRequest(session_id=session.session_id)
                    await worker.EndSession(ending, timeout=RPC_DEADLINE)
    finally:
        lease.sessions -= 1


@dataclass(frozen=True)
class Orchestrator:
    """Where a running orchestrator is reached."""

    url: str
    registry: str


@asynccontextmanager
async def running_orchestrator(
    *,
    listen: str = LOCAL,
    registry_listen: str = LOCAL,
    lease_duration: float = registry.LEASE_DURATION,
    clock: Callable[[], float] = time.monotonic,
    grace: float = GRACE,
) -> AsyncIterator[Orchestrator]:
    """Run an orchestrator and yield its addresses: of the WebSocket server and of the registry.

    `clock` returns the seconds by which leases of `lease_duration` seconds run out.
    Raises `OSError` when an address can't be bound.
    """
    leases = registry.Leases(lease_duration, clock)
    add_to = functools.partial(
        registry_pb2_grpc.add_RegistryServiceServicer_to_server, registry.Registry(leases)
    )
    host, port = split_address(listen)
    router = Router(leases)
    async with (
        # Frames are noise to a compressor.
        serve(router.serve, host, port, compression=None, close_timeout=grace) as server,
        serving(registry.SERVICE, add_to, registry_listen, grace=grace) as registry_address,
    ):
        port = server.sockets[0].getsockname()[1]
        yield Orchestrator(f"ws://{join_address(host, port)}", registry_address)
