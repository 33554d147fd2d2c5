"""The mock voice: its frames, its pitch, and that it makes them one at a time."""

from __future__ import annotations

import asyncio
import itertools
import struct
from contextlib import aclosing

import pytest

from examples.voice_pipeline import synthesizer
from examples.voice_pipeline.synthesizer import synthesize, tone


def samples(frame: bytes) -> tuple[int, ...]:
    """Return the samples of a frame."""
    return struct.unpack(f"<{len(frame) // 2}h", frame)


def test_frame_is_20_ms_of_48_khz_mono_16_bit() -> None:
    """A frame has 1,920 bytes: 20 ms of 48,000 two-byte samples a second."""
    assert synthesizer.SAMPLE_RATE_HZ == 48_000
    assert len(tone(0, 440.0)) == synthesizer.FRAME_BYTES == 48_000 * 20 // 1000 * 2 == 1920


@pytest.mark.parametrize("frequency_hz", [440.0, 220.0])
def test_tone_has_its_pitch(frequency_hz: float) -> None:
    """A second of the tone starts as many periods as its frequency says."""
    second = [sample for index in range(50) for sample in samples(tone(index, frequency_hz))]
    assert len(second) == 48_000
    starts = sum(before <= 0 < after for before, after in itertools.pairwise(second))
    assert starts == frequency_hz


def test_frames_join_without_a_click() -> None:
    """The step from frame to frame is no larger than the steps within a frame."""
    first, second = samples(tone(4, 440.0)), samples(tone(5, 440.0))
    largest = max(abs(after - before) for before, after in itertools.pairwise(first))
    assert abs(second[0] - first[-1]) <= largest


@pytest.mark.parametrize("text", ["", "a", "Hello, world", "語"])
async def test_length_follows_the_text(text: str) -> None:
    """Each character makes three frames, and no text none."""
    frames = [frame async for frame in synthesize(text)]
    assert frames == [tone(index, 440.0) for index in range(3 * len(text))]


async def test_chunks_sound_as_one_text() -> None:
    """A chunk that starts at the frame where the last one ended continues its tone."""
    whole = [frame async for frame in synthesize("Hello")]
    start = [frame async for frame in synthesize("Hel")]
    assert start + [frame async for frame in synthesize("lo", first_frame=9)] == whole


async def test_frames_are_made_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """No frame is made ahead of the one that is being read."""
    made: list[int] = []

    def counting_tone(frame_index: int, frequency_hz: float) -> bytes:
        made.append(frame_index)
        return tone(frame_index, frequency_hz)

    monkeypatch.setattr(synthesizer, "tone", counting_tone)
    async with aclosing(synthesize("Hello")) as frames:
        for index in range(4):
            await anext(frames)
            assert made == list(range(index + 1))


async def test_other_tasks_get_a_turn_before_each_frame() -> None:
    """A task that is ready runs at least once for each frame that is made."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    frames = [frame async for frame in synthesize("Hello")]
    task.cancel()
    assert turns >= len(frames) == 15
