"""The whole pipeline: WebSocket clients, the orchestrator, and its workers."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import grpc.aio
import pytest
from grpc import StatusCode
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from examples.voice_pipeline import registry, worker
from examples.voice_pipeline.orchestrator import Orchestrator, running_orchestrator
from examples.voice_pipeline.synthesizer import FRAME_BYTES, FRAMES_PER_CHARACTER, tone
from examples.voice_pipeline.v1 import registry_pb2, registry_pb2_grpc, tts_pb2, tts_pb2_grpc
from examples.voice_pipeline.worker import running_worker
from tests.integration.clients import (
    DEADLINE,
    WebSocketClient,
    health_status,
    health_stub,
    open_channel,
    websocket_client,
)

if TYPE_CHECKING:
    from tests.integration.conftest import Clock

pytestmark = pytest.mark.integration

# So many frames that no buffer on the way holds them: an utterance of it waits for its reader.
LONG_TEXT: Final = "x" * 3000


async def code_of_control(
    stub: tts_pb2_grpc.TextToSpeechServiceStub,
    session_id: str,
    command: tts_pb2.Command.ValueType,
) -> StatusCode:
    """Return the status of a command."""
    try:
        await stub.Control(tts_pb2.ControlRequest(session_id=session_id, command=command))
    except grpc.aio.AioRpcError as error:
        return error.code()
    return StatusCode.OK


async def in_use(stub: tts_pb2_grpc.TextToSpeechServiceStub) -> bool:
    """Return whether the worker has a session; it then keeps its model loaded."""
    name = worker.DEFAULT_MODEL
    try:
        await stub.UnloadModel(tts_pb2.UnloadModelRequest(name=name))
    except grpc.aio.AioRpcError as error:
        assert error.code() is StatusCode.FAILED_PRECONDITION  # noqa: PT017 - success is fine too
        return True
    await stub.LoadModel(tts_pb2.LoadModelRequest(name=name))
    return False


async def expect_no_worker(url: str) -> None:
    """Check what a client gets to hear when there is no worker."""
    async with websocket_client(url) as client:
        error = await client.fields()
        assert (error["type"], error["code"]) == ("error", "UNAVAILABLE")
        assert await client.close_code() == 1013


async def expect_speech(client: WebSocketClient, text: str) -> None:
    """Check that a text is spoken, from the first frame to the last."""
    await client.say(text)
    frames = await client.utterance()
    assert frames == [tone(index, 440.0) for index in range(FRAMES_PER_CHARACTER * len(text))]


@pytest.mark.usefixtures("pipeline_worker")
async def test_full_pipeline_websocket_only(orchestrator: Orchestrator) -> None:
    """A client that knows only the WebSocket gets the session's format and every frame."""
    async with websocket_client(orchestrator.url) as client:
        session = await client.fields()
        assert session.pop("session_id")
        assert session == {
            "type": "session",
            "model": "sine-440",
            "sample_rate_hz": 48_000,
            "channels": 1,
            "bits_per_sample": 16,
            "frame_bytes": 1920,
        }
        await client.say("Hello, ", is_final=False)
        first = await client.frame()
        assert len(first) == FRAME_BYTES
        await client.say("world")
        frames = await client.utterance(first)
        assert frames == [tone(index, 440.0) for index in range(3 * len("Hello, world"))]


@pytest.mark.usefixtures("pipeline_worker")
async def test_concurrent_websocket_sessions(orchestrator: Orchestrator) -> None:
    """Clients speak at the same time, each in a session of its own that gets its own frames."""
    everybody_speaks = asyncio.Barrier(5)

    async def converse(text: str) -> str:
        async with websocket_client(orchestrator.url) as client:
            session = await client.fields()
            await client.say(text, is_final=False)
            first = await client.frame()
            # Nobody's utterance ends before each has begun.
            await everybody_speaks.wait()
            await client.say("!")
            frames = await client.utterance(first)
            assert len(frames) == FRAMES_PER_CHARACTER * len(f"{text}!")
            return str(session["session_id"])

    async with asyncio.timeout(DEADLINE):
        sessions = await asyncio.gather(*(converse("a" * length) for length in range(1, 6)))
    assert len(set(sessions)) == 5


@pytest.mark.usefixtures("pipeline_worker")
async def test_sequential_messages_same_session(orchestrator: Orchestrator) -> None:
    """A session speaks one message after the other, also those that came early."""
    async with websocket_client(orchestrator.url) as client:
        await client.fields()
        for text in ("one", "two words", "", "three more words"):
            await expect_speech(client, text)
        for text in ("sent", "before", "the first is heard"):
            await client.say(text)
        for text in ("sent", "before", "the first is heard"):
            assert len(await client.utterance()) == FRAMES_PER_CHARACTER * len(text)


async def test_worker_registration_integration(orchestrator: Orchestrator, clock: Clock) -> None:
    """A worker is routed to from its registration to its end, or the end of its lease."""
    await expect_no_worker(orchestrator.url)
    async with (
        running_worker(registry=orchestrator.registry),
        websocket_client(orchestrator.url) as client,
    ):
        assert (await client.fields())["type"] == "session"
        await expect_speech(client, "Hello")
    await expect_no_worker(orchestrator.url)

    async with running_worker() as address, open_channel(orchestrator.registry) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        lease = await stub.Register(registry_pb2.RegisterRequest(address=address))
        duration = lease.lease_duration.ToTimedelta().total_seconds()
        renewal = registry_pb2.RenewRequest(lease_id=lease.lease_id)

        clock.now += duration - 1
        await stub.Renew(renewal)
        clock.now += duration - 1
        async with websocket_client(orchestrator.url) as client:
            assert (await client.fields())["type"] == "session"
            # A session that is open stays so when the lease runs out.
            clock.now += 1
            await expect_no_worker(orchestrator.url)
            await expect_speech(client, "Hello")
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await stub.Renew(renewal)
        assert failure.value.code() is StatusCode.NOT_FOUND


async def test_system_stability_under_load(orchestrator: Orchestrator) -> None:
    """Twenty clients with three messages each share two workers, and leave nothing open."""
    everybody_connected = asyncio.Barrier(21)
    checked = asyncio.Event()

    async def converse(number: int) -> None:
        async with websocket_client(orchestrator.url) as client:
            await client.fields()
            await everybody_connected.wait()
            await checked.wait()
            for text in ("a" * number, "bb", "ccc"):
                await expect_speech(client, text)

    async with AsyncExitStack() as stack:
        stubs = []
        for _ in range(2):
            address = await stack.enter_async_context(
                running_worker(registry=orchestrator.registry)
            )
            channel = await stack.enter_async_context(open_channel(address))
            stubs.append(tts_pb2_grpc.TextToSpeechServiceStub(channel))
        async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(converse(number))
            await everybody_connected.wait()
            assert [await in_use(stub) for stub in stubs] == [True, True]
            checked.set()
        async with asyncio.timeout(DEADLINE):
            for stub in stubs:
                while await in_use(stub):
                    pass


async def test_error_recovery_and_resilience(orchestrator: Orchestrator) -> None:
    """Bad messages are answered and forgotten; a worker's end is told and routed around."""
    bad_messages: list[str | bytes] = [
        "not JSON",
        b"\x00",
        "[" * 100_000,
        "[]",
        '"text"',
        "{}",
        '{"type": "dance"}',
        '{"type": "text"}',
        '{"type": "text", "text": 1}',
        '{"type": "text", "text": "Hello", "is_final": "yes"}',
        '{"type": "text", "text": "\\ud800"}',
    ]
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        await first.enter_async_context(running_worker(registry=orchestrator.registry, grace=0))
        client = await stack.enter_async_context(websocket_client(orchestrator.url))
        await client.fields()
        for message in bad_messages:
            await client.send(message)
            error = await client.fields()
            assert (error["type"], error["code"]) == ("error", "INVALID_ARGUMENT")
            assert error["message"]
        await expect_speech(client, "Hello")

        # An utterance is open, and a bad message within it does not end it.
        await client.say("Hel", is_final=False)
        assert [len(await client.frame()) for _ in range(9)] == [FRAME_BYTES] * 9
        await client.send("not JSON")
        assert (await client.fields())["code"] == "INVALID_ARGUMENT"

        await stack.enter_async_context(running_worker(registry=orchestrator.registry))
        await first.aclose()
        error = await client.fields()
        assert (error["type"], error["code"]) == ("error", "UNAVAILABLE")
        assert await client.close_code() == 1011

        another = await stack.enter_async_context(websocket_client(orchestrator.url))
        assert (await another.fields())["type"] == "session"
        await expect_speech(another, "Hello")


async def test_session_cleanup_on_disconnect(
    orchestrator: Orchestrator, pipeline_stub: tts_pb2_grpc.TextToSpeechServiceStub
) -> None:
    """A client that is gone, in whatever way and state, leaves no session on the worker."""
    async with websocket_client(orchestrator.url) as bystander:
        await bystander.fields()
        for text, is_final, pause, abrupt in itertools.product(
            ("", "Hello", LONG_TEXT), (False, True), (False, True), (False, True)
        ):
            async with websocket_client(orchestrator.url) as client:
                session_id = (await client.fields())["session_id"]
                if text:
                    await client.say(text, is_final=is_final)
                    await client.frame()
                # Refused when nothing is spoken, or no more: the session is there in any case.
                command = tts_pb2.COMMAND_PAUSE if pause else tts_pb2.COMMAND_RESUME
                code = await code_of_control(pipeline_stub, session_id, command)
                assert code in (StatusCode.OK, StatusCode.FAILED_PRECONDITION)
                if abrupt:
                    client.socket.transport.abort()
            async with asyncio.timeout(DEADLINE):
                while code is not StatusCode.NOT_FOUND:
                    code = await code_of_control(pipeline_stub, session_id, command)
        await expect_speech(bystander, "Hello")


async def test_component_integration_health_checks() -> None:
    """Worker and orchestrator are SERVING while they run and NOT_SERVING as they stop."""
    async with AsyncExitStack() as stack:
        servers = AsyncExitStack()
        await stack.enter_async_context(servers)
        running = await servers.enter_async_context(running_orchestrator())
        address = await servers.enter_async_context(running_worker(registry=running.registry))
        watches = []
        for where, service in ((running.registry, registry.SERVICE), (address, worker.SERVICE)):
            channel = await stack.enter_async_context(open_channel(where))
            for name in ("", service):
                assert await health_status(channel, name) == HealthCheckResponse.SERVING
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await health_status(channel, "no.such.Service")
            assert failure.value.code() is StatusCode.NOT_FOUND
            watch = health_stub(channel).Watch(HealthCheckRequest(service=service))
            assert (await watch.read()).status == HealthCheckResponse.SERVING
            watches.append(watch)

        stopping = asyncio.create_task(servers.aclose())
        for watch in reversed(watches):
            assert (await watch.read()).status == HealthCheckResponse.NOT_SERVING
            # The server waits for its watchers, and the orchestrator for the worker: let it go.
            watch.cancel()
        await asyncio.wait_for(stopping, DEADLINE)
