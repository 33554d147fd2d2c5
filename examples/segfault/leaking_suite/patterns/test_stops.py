"""A server whose stop comes too late, is cut short, or does not succeed: one test for each."""

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn

import grpc.aio

Serve = Callable[[], Coroutine[Any, Any, grpc.aio.Server]]
Close = Callable[[asyncio.AbstractEventLoop], None]


def test_in_a_task_that_is_left(start: Serve) -> None:
    """In the `finally` of a task that is left for the end of the loop."""

    async def serve(started: asyncio.Event) -> None:
        server = await start()
        try:
            started.set()
            await server.wait_for_termination()
        finally:
            await server.stop(5)

    async def main() -> None:
        started = asyncio.Event()
        tasks.append(asyncio.ensure_future(serve(started)))
        await started.wait()

    tasks: list[asyncio.Future[None]] = []
    asyncio.run(main())


def test_in_a_task_that_is_awaited(start: Serve) -> None:
    """In the `finally` of a task that is cancelled and awaited."""

    async def serve(started: asyncio.Event) -> None:
        server = await start()
        try:
            started.set()
            await server.wait_for_termination()
        finally:
            await server.stop(5)

    async def main() -> None:
        started = asyncio.Event()
        task = asyncio.ensure_future(serve(started))
        await started.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(main())


def _cancel_then_stop(
    serve: Serve, make_victims: Callable[[], object], *, keep_tasks: bool
) -> None:
    async def main() -> None:
        server = await serve()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not keep_tasks:
            del tasks, task
        victims = make_victims()
        with contextlib.suppress(asyncio.CancelledError):
            await server.stop(None)
        gc.collect()
        del victims

    asyncio.run(main())


def test_after_all_tasks_were_cancelled(serve: Serve, make_victims: Callable[[], object]) -> None:
    """In its loop, after all tasks were cancelled."""
    _cancel_then_stop(serve, make_victims, keep_tasks=False)


def test_after_all_tasks_were_cancelled_and_kept(
    serve: Serve, make_victims: Callable[[], object]
) -> None:
    """In its loop, after all tasks were cancelled; their list is kept."""
    _cancel_then_stop(serve, make_victims, keep_tasks=True)


def test_from_a_second_loop(serve: Serve, make_victims: Callable[[], object]) -> None:
    """From a second loop, after its own was closed."""
    server = asyncio.run(serve())
    victims = make_victims()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(server.stop(None))
    gc.collect()
    del victims


def test_from_a_second_loop_before_the_first_is_closed(
    serve: Serve, make_victims: Callable[[], object]
) -> None:
    """From a second loop, after the tasks of its own were cancelled."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(serve())
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    del tasks, task
    victims = make_victims()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(server.stop(None))
    gc.collect()
    del victims
    loop.close()


def test_cut_short(serve_busily: Serve) -> None:
    """A handler is at work, and a time-out cuts `stop(grace=60)` short."""

    async def main() -> None:
        server = await serve_busily()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.stop(60), timeout=0.2)

    asyncio.run(main())


class Stubborn:
    """grpcio's inner server, but for the way in which it shuts down."""

    def __init__(self, core: Any, shutdown: Callable[[], Awaitable[None]]) -> None:  # noqa: ANN401 - of Cython
        """Take the place of `core`."""
        self.core = core
        self.stubborn = shutdown

    def __getattr__(self, name: str) -> object:
        """Be like it."""
        return getattr(self.core, name)

    async def shutdown(self, grace: float | None) -> None:
        """Do as the test wants."""
        del grace
        await self.stubborn()


def _serve_stubbornly(serve: Serve, close: Close, shutdown: Callable[[], Awaitable[None]]) -> None:
    async def serve_stubbornly() -> None:
        server = await serve()
        server._server = Stubborn(server._server, shutdown)  # type: ignore[attr-defined]  # noqa: SLF001

    loop = asyncio.new_event_loop()
    loop.run_until_complete(serve_stubbornly())
    close(loop)


async def hang() -> None:
    """Wait for what never happens."""
    await asyncio.Event().wait()


async def fail() -> NoReturn:
    """Fail."""
    raise OSError("fails on purpose")


async def cancel_itself() -> None:
    """Be cancelled."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(1)


async def end_the_loop() -> None:
    """End the run of the loop that one runs in."""
    asyncio.get_running_loop().stop()
    await asyncio.sleep(1)


def test_hangs(serve: Serve, close: Close) -> None:
    """It never comes; its shutdown would hang."""
    _serve_stubbornly(serve, close, hang)


def test_fails(serve: Serve, close: Close) -> None:
    """It never comes; its shutdown would fail."""
    _serve_stubbornly(serve, close, fail)


def test_is_cancelled(serve: Serve, close: Close) -> None:
    """It never comes; its shutdown would be cancelled."""
    _serve_stubbornly(serve, close, cancel_itself)


def test_ends_the_loop(serve: Serve, close: Close) -> None:
    """It never comes; its shutdown would end the run of its loop."""
    _serve_stubbornly(serve, close, end_the_loop)
