"""The client: sends a text to the orchestrator and writes the answer as a WAV file."""

from __future__ import annotations

import asyncio
import json
import re
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class SpeechError(Exception):
    """No speech was recorded; the message says why."""


@dataclass(frozen=True)
class Recording:
    """What was written."""

    path: Path
    frames: int
    seconds: float
    sample_rate_hz: int
    channels: int


async def record(
    url: str, text: str, path: Path, on_frame: Callable[[], None] = lambda: None
) -> Recording:
    """Have `text` spoken by the orchestrator at `url` and write it to `path`, frame by frame.

    `on_frame` is called after each frame. Raises `SpeechError`; there is no new file at `path`
    then, and an old one is as it was.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        async with connect(url, proxy=None, compression=None) as socket:
            session = await _receive(socket)
            frames = 0
            # A text can be longer than what the network holds: send and receive at once.
            sending = asyncio.create_task(_send(socket, text))
            try:
                with partial.open("wb") as file, wave.open(file, "wb") as wav:
                    wav.setframerate(session["sample_rate_hz"])
                    wav.setnchannels(session["channels"])
                    wav.setsampwidth(session["bits_per_sample"] // 8)
                    while isinstance(message := await _receive(socket), bytes):
                        wav.writeframesraw(message)
                        frames += 1
                        on_frame()
                    seconds = wav.tell() / wav.getframerate()
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        partial.replace(path)
    except (OSError, WebSocketException) as error:
        raise SpeechError(f"no speech from {url}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return Recording(path, frames, seconds, session["sample_rate_hz"], session["channels"])


async def _send(socket: ClientConnection, text: str) -> None:
    """Send `text` word by word, as a language model would."""
    *chunks, last = re.split(r"(?<=\s)(?=\S)", text)
    for chunk in chunks:
        await socket.send(json.dumps({"type": "text", "text": chunk, "is_final": False}))
    await socket.send(json.dumps({"type": "text", "text": last, "is_final": True}))


async def _receive(socket: ClientConnection) -> Any:  # noqa: ANN401 - JSON has any type
    """Return a frame, or the fields of another message; raises `SpeechError` for an error."""
    message = await socket.recv()
    if isinstance(message, bytes):
        return message
    fields = json.loads(message)
    if fields["type"] == "error":
        raise SpeechError(f"{fields['code']}: {fields['message']}")
    return fields
