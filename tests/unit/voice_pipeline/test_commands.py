"""The commands as processes: what they print, how they end, and what they say of bad input."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import wave
from asyncio.subprocess import PIPE, Process
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection, serve

from examples.voice_pipeline.transport import connect, split_address
from examples.voice_pipeline.v1 import tts_pb2, tts_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[3]

# Seconds, to start an interpreter or to end one.
DEADLINE = 60.0


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Process]:
    """Run a command of the pipeline; kill it if it is still there on leaving."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "examples.voice_pipeline", *arguments),
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process, server: str) -> str:
    """Return the address that a server prints on its next line."""
    assert process.stdout is not None
    text = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    assert text.startswith(f"{server} listening on "), text
    assert text.endswith("\n")
    return text.split()[-1]


async def result(process: Process) -> tuple[int | None, str, str]:
    """Wait for the end of a process and return its exit status, output and error output."""
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    return process.returncode, out.decode(), err.decode()


def files(folder: Path) -> list[Path]:
    """Return what is in a folder."""
    return list(folder.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_worker_ends_cleanly(number: signal.Signals) -> None:
    """A worker prints a port that serves, and a signal ends it with status 0 and no word."""
    async with running("worker") as process:
        address = await line(process, "worker")
        assert split_address(address)[0] == "127.0.0.1"
        async with connect(address) as channel:
            stub = tts_pb2_grpc.TextToSpeechServiceStub(channel)
            response = await stub.ListModels(tts_pb2.ListModelsRequest(), timeout=DEADLINE)
            assert response.models
            process.send_signal(number)
            assert await result(process) == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_orchestrator_ends_cleanly(number: signal.Signals) -> None:
    """An orchestrator prints its two addresses, and a signal ends it with status 0."""
    async with running("orchestrator") as process:
        assert split_address(await line(process, "registry"))[0] == "127.0.0.1"
        assert (await line(process, "orchestrator")).startswith("ws://127.0.0.1:")
        process.send_signal(number)
        assert await result(process) == (0, "", "")


async def test_three_processes_speak(tmp_path: Path) -> None:
    """Orchestrator, worker and client, each in a process of its own, make a WAV file."""
    path = tmp_path / "hello.wav"
    async with running("orchestrator") as orchestrator:
        registry = await line(orchestrator, "registry")
        url = await line(orchestrator, "orchestrator")
        async with running("worker", "--registry", registry) as worker:
            await line(worker, "worker")
            async with running("speak", "Hello", "--out", str(path), "--url", url) as client:
                status, out, err = await result(client)
            worker.terminate()
            assert await result(worker) == (0, "", "")
        async with running("speak", "Hello", "--out", str(path), "--url", url) as late:
            late_status, _, late_err = await result(late)
    assert (status, out) == (0, f"wrote {path}: 0.30 s, 15 frames of 20 ms, 48000 Hz mono\n")
    assert "15 frames received, 0.30 s of audio" in err
    assert (late_status, late_err.splitlines()[-1]) == (
        1,
        "error: UNAVAILABLE: no worker is available",
    )


async def test_speak_needs_nothing_else(tmp_path: Path) -> None:
    """Without a URL, `speak` starts the pipeline itself."""
    path = tmp_path / "hello.wav"
    async with running("speak", "Hello, world", "--out", str(path)) as process:
        status, out, _ = await result(process)
    assert (status, out) == (0, f"wrote {path}: 0.72 s, 36 frames of 20 ms, 48000 Hz mono\n")
    with wave.open(str(path)) as wav:
        assert wav.getnframes() == 36 * 960


async def test_interrupted_speech_leaves_no_file(tmp_path: Path) -> None:
    """A signal ends `speak` with the shell's status for it; nothing is left in the folder."""
    recording = asyncio.Event()

    async def play(socket: ServerConnection) -> None:
        session = {"type": "session", "sample_rate_hz": 8000, "channels": 1, "bits_per_sample": 16}
        await socket.send(json.dumps(session))
        await socket.recv()
        recording.set()
        await socket.wait_closed()

    async with serve(play, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        out = tmp_path / "long.wav"
        async with running("speak", "Hello", "--out", str(out), "--url", url) as process:
            await asyncio.wait_for(recording.wait(), DEADLINE)
            assert files(tmp_path) == [tmp_path / "long.wav.part"]
            process.send_signal(signal.SIGTERM)
            status, output, err = await result(process)
    assert (status, output) == (130, "")
    assert "Traceback" not in err
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("worker", "--listen", "nonsense"), 2, "not an address of the form host:port: 'nonsense'"),
        (("worker", "--registry", "127.0.0.1:1"), 1, "error: cannot register at 127.0.0.1:1"),
        (("orchestrator", "--registry-listen", "127.0.0.1:65536"), 2, "form host:port"),
        (("speak", " ", "--out", "hello.wav"), 2, "there is nothing to say"),
        (("speak", "Hello", "--out", "no/such/hello.wav"), 2, "no such folder: no/such"),
        (("speak", "Hello", "--out", "."), 2, "directory"),
        (
            ("speak", "Hello", "--out", "x.wav", "--url", "ws://127.0.0.1:1"),
            1,
            "Connect call failed",
        ),
    ],
)
async def test_bad_input_is_told(arguments: tuple[str, ...], status: int, message: str) -> None:
    """Bad input is answered with a line that names it, and no traceback."""
    async with running(*arguments) as process:
        actual, out, err = await result(process)
    assert (actual, out) == (status, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["worker", "orchestrator"])
async def test_help_warns_of_plain_text(command: str) -> None:
    """Whoever opens a server to a network is told first that nothing protects it."""
    async with running(command, "--help") as process:
        status, out, err = await result(process)
    assert (status, err) == (0, "")
    assert "over plain text, without a password" in " ".join(out.replace("│", " ").split())


async def test_port_in_use_is_told() -> None:
    """A port that another server has is an error, not shared with it."""
    async with running("worker") as process:
        address = await line(process, "worker")
        for arguments in (("worker",), ("orchestrator",)):
            async with running(*arguments, "--listen", address) as second:
                status, out, err = await result(second)
            assert (status, out) == (1, "")
            assert "error: " in err
            assert "Traceback" not in err
