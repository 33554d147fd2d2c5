"""A mock voice: a sine tone, as long as the text.

The audio is PCM, signed 16-bit little-endian, mono, 48 kHz. It comes in frames of exactly 20 ms,
which is 960 samples or 1,920 bytes, and each character of the text makes three of them.
"""

import asyncio
import math
import struct
from collections.abc import AsyncGenerator
from typing import Final

SAMPLE_RATE_HZ: Final = 48_000
CHANNELS: Final = 1
SAMPLE_BYTES: Final = 2
FRAME_MILLISECONDS: Final = 20
FRAME_SAMPLES: Final = SAMPLE_RATE_HZ * FRAME_MILLISECONDS // 1000
FRAME_BYTES: Final = FRAME_SAMPLES * CHANNELS * SAMPLE_BYTES
FRAMES_PER_CHARACTER: Final = 3

# A quarter of full scale: clearly heard, kind to headphones.
AMPLITUDE: Final = 0.25 * (2**15 - 1)


def tone(frame_index: int, frequency_hz: float) -> bytes:
    """Return one frame of the tone; consecutive indexes join without a click."""
    first = frame_index * FRAME_SAMPLES
    step = 2 * math.pi * frequency_hz / SAMPLE_RATE_HZ
    samples = (round(AMPLITUDE * math.sin(step * n)) for n in range(first, first + FRAME_SAMPLES))
    return struct.pack(f"<{FRAME_SAMPLES}h", *samples)


async def synthesize(
    text: str, *, frequency_hz: float = 440.0, first_frame: int = 0
) -> AsyncGenerator[bytes, None]:
    """Yield the frames of `text`, each made only when it is asked for; none for an empty text.

    Nothing waits for real time to pass, but other tasks get a turn before each frame.
    `first_frame` is the index at which the tone goes on when the text is one chunk of several.
    """
    for index in range(len(text) * FRAMES_PER_CHARACTER):
        await asyncio.sleep(0)
        yield tone(first_frame + index, frequency_hz)
