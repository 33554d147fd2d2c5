"""The client against an orchestrator that the test plays, and against a real one."""

from __future__ import annotations

import json
import wave
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection, serve

from examples.voice_pipeline.client import SpeechError, record
from examples.voice_pipeline.orchestrator import running_orchestrator
from examples.voice_pipeline.synthesizer import tone
from examples.voice_pipeline.worker import running_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

SESSION = json.dumps(
    {"type": "session", "sample_rate_hz": 8000, "channels": 2, "bits_per_sample": 16}
)


def files(folder: Path) -> list[Path]:
    """Return what is in a folder."""
    return list(folder.iterdir())


@asynccontextmanager
async def played(play: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    """Run a WebSocket server that does what the test says; yield its URL."""
    async with serve(play, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_recording_is_a_wav_file_of_every_frame(tmp_path: Path) -> None:
    """The file has the audio of the text, and the recording says what it has."""
    path = tmp_path / "hello.wav"
    heard = 0

    def on_frame() -> None:
        nonlocal heard
        heard += 1

    async with (
        running_orchestrator() as orchestrator,
        running_worker(registry=orchestrator.registry),
    ):
        recording = await record(orchestrator.url, "Hello, world", path, on_frame)

    with wave.open(str(path)) as wav:
        assert wav.getparams()[:4] == (1, 2, 48_000, 36 * 960)
        assert wav.readframes(wav.getnframes()) == b"".join(tone(n, 440.0) for n in range(36))
    assert (recording.path, recording.frames, heard) == (path, 36, 36)
    assert (recording.sample_rate_hz, recording.channels) == (48_000, 1)
    assert recording.seconds == pytest.approx(0.72)
    assert files(tmp_path) == [path]


async def test_file_has_the_format_of_the_session(tmp_path: Path) -> None:
    """The session's message decides the header, and text goes out word by word."""
    path = tmp_path / "hello.wav"
    chunks = []

    async def play(socket: ServerConnection) -> None:
        await socket.send(SESSION)
        async for message in socket:
            chunks.append(json.loads(message))
            if chunks[-1]["is_final"]:
                await socket.send(bytes(32))
                await socket.send(json.dumps({"type": "end", "frames": 1}))

    async with played(play) as url:
        recording = await record(url, "  one two\nthree ", path)

    assert [chunk["is_final"] for chunk in chunks] == [False, False, False, True]
    assert [chunk["text"] for chunk in chunks] == ["  ", "one ", "two\n", "three "]
    with wave.open(str(path)) as wav:
        assert wav.getparams()[:4] == (2, 2, 8000, 8)
    assert recording.seconds == pytest.approx(0.001)


async def test_failure_leaves_the_old_file_alone(tmp_path: Path) -> None:
    """An error or a lost connection amid the frames changes no file and leaves no new one."""
    path = tmp_path / "hello.wav"
    path.write_text("what was there")

    async def fail(socket: ServerConnection) -> None:
        await socket.send(SESSION)
        await socket.send(bytes(32))
        await socket.send(json.dumps({"type": "error", "code": "INTERNAL", "message": "broken"}))

    async def hang_up(socket: ServerConnection) -> None:
        await socket.send(SESSION)
        await socket.send(bytes(32))

    for play, message in (
        (fail, "INTERNAL: broken"),
        (hang_up, "no speech from ws://.*: received"),
    ):
        async with played(play) as url:
            with pytest.raises(SpeechError, match=message):
                await record(url, "Hello", path)
        assert path.read_text() == "what was there"
        assert files(tmp_path) == [path]


async def test_server_that_is_not_there_is_a_speech_error(tmp_path: Path) -> None:
    """Nothing at the address, something else there, and no address at all are told."""
    async with played(lambda socket: socket.close()) as url:
        gone = url
    async with running_worker() as grpc_address:
        for where in (gone, f"ws://{grpc_address}", "nonsense"):
            with pytest.raises(SpeechError, match=f"no speech from {where}"):
                await record(where, "Hello", tmp_path / "hello.wav")
    assert files(tmp_path) == []
