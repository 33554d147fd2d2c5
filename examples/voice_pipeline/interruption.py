"""Waiting for one thing unless another happens first."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def unless(interrupt: Awaitable[object], work: Awaitable[T]) -> T | None:
    """Return the result of `work`, or None when `interrupt` is done first.

    `work` is then cancelled, and neither outlives the call.
    """
    working, interrupting = asyncio.ensure_future(work), asyncio.ensure_future(interrupt)
    try:
        await asyncio.wait([working, interrupting], return_when=asyncio.FIRST_COMPLETED)
        return None if interrupting.done() else working.result()
    finally:
        working.cancel()
        interrupting.cancel()
        await asyncio.gather(working, interrupting, return_exceptions=True)
