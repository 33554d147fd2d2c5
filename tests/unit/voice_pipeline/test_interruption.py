"""Work that goes on unless something happens."""

from __future__ import annotations

import asyncio

import pytest

from examples.voice_pipeline.interruption import unless


async def test_result_of_work_that_is_done() -> None:
    """Work that is done first gives its result, and the interrupt is not waited for."""
    never = asyncio.Event()
    assert await unless(never.wait(), asyncio.sleep(0, "done")) == "done"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_interrupt_cancels_the_work() -> None:
    """Work that is interrupted has ended when the call returns None."""
    ended = False

    async def work() -> str:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            ended = True
        return "done"

    assert await unless(asyncio.sleep(0), work()) is None
    assert ended
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_error_of_the_work_gets_out() -> None:
    """Work that fails raises its error."""

    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await unless(asyncio.Event().wait(), work())


async def test_cancellation_ends_both() -> None:
    """A cancelled call leaves neither the work nor the wait behind."""
    call = asyncio.create_task(unless(asyncio.Event().wait(), asyncio.Event().wait()))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert asyncio.all_tasks() == {asyncio.current_task()}
