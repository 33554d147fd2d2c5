"""Who runs the loop of a server that is never stopped, and who closes it: one test for each."""

import asyncio
import threading
from asyncio import all_tasks
from collections.abc import Callable, Coroutine
from typing import Any
from unittest import IsolatedAsyncioTestCase

import grpc.aio
import pytest
import pytest_asyncio

Serve = Callable[[], Coroutine[Any, Any, grpc.aio.Server]]
Close = Callable[[asyncio.AbstractEventLoop], None]


def in_a_thread(function: Callable[..., object], *arguments: object) -> None:
    """Call a function in a thread of its own, and wait for its end."""
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    thread.join()


# Runners, which cancel the tasks of a loop before they close it.


def test_asyncio_run(serve: Serve) -> None:
    """`asyncio.run`."""
    asyncio.run(serve())


def test_asyncio_run_in_a_thread(serve: Serve) -> None:
    """`asyncio.run` in a thread."""
    in_a_thread(asyncio.run, serve())


def test_runner(serve: Serve) -> None:
    """`asyncio.Runner`."""
    with asyncio.Runner() as runner:
        runner.run(serve())


def test_backports_runner(serve: Serve) -> None:
    """`backports.asyncio.runner`, which pytest-asyncio uses on Python 3.10."""
    from backports.asyncio.runner import (  # type: ignore[import-not-found]  # noqa: PLC0415 - 3.10
        Runner,
    )

    with Runner() as runner:
        runner.run(serve())


def test_uvloop_run(serve: Serve) -> None:
    """`uvloop.run`."""
    import uvloop  # noqa: PLC0415 - the other patterns do without

    uvloop.run(serve())


def test_anyio_run(serve: Serve) -> None:
    """`anyio.run`."""
    import anyio  # noqa: PLC0415 - the other patterns do without

    anyio.run(serve)


# Loops that are made and closed by hand.


def test_by_hand(serve: Serve, close: Close) -> None:
    """By hand: all tasks are cancelled, then the loop is closed."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serve())
    close(loop)


def test_by_hand_on_uvloop(serve: Serve, close: Close) -> None:
    """The same by hand, with a loop of uvloop."""
    import uvloop  # noqa: PLC0415 - the other patterns do without

    loop = uvloop.new_event_loop()
    loop.run_until_complete(serve())
    close(loop)


def test_by_hand_in_a_thread(serve: Serve, close: Close) -> None:
    """The same by hand, in a thread."""

    def work() -> None:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(serve())
        close(loop)

    in_a_thread(work)


def test_by_hand_by_another_name(serve: Serve) -> None:
    """The same by hand, with `all_tasks` imported by its name, and none of the tasks awaited."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serve())
    for task in all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.1))
    loop.close()


def test_by_hand_while_another_loop_runs(serve: Serve, close: Close) -> None:
    """The same by hand, while another loop runs."""

    async def close_another() -> None:
        loop = asyncio.new_event_loop()
        in_a_thread(loop.run_until_complete, serve())
        in_a_thread(close, loop)

    asyncio.run(close_another())


def test_by_hand_without_cancelling(serve: Serve) -> None:
    """The loop is closed, and its tasks are not cancelled."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serve())
    loop.close()


def test_by_hand_never_closed(serve: Serve, kept: list[object]) -> None:
    """The loop is never closed."""
    loop = asyncio.new_event_loop()
    kept.append(loop)
    loop.run_until_complete(serve())


# The plugins of pytest, and unittest.


async def _worker(serve: Serve) -> grpc.aio.Server:
    return await serve()


function_worker, class_worker, module_worker, package_worker, session_worker = (
    pytest_asyncio.fixture(_worker, scope=scope, loop_scope=scope, name=f"{scope}_worker")
    for scope in ("function", "class", "module", "package", "session")
)


@pytest.mark.asyncio
@pytest.mark.usefixtures("function_worker")
async def test_function_loop() -> None:
    """pytest-asyncio, a loop for each test."""


@pytest.mark.asyncio(loop_scope="class")
@pytest.mark.usefixtures("class_worker")
class TestClassLoop:
    """pytest-asyncio, a loop for a class."""

    async def test_class_loop(self) -> None:
        """pytest-asyncio, a loop for each class."""


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.usefixtures("module_worker")
async def test_module_loop() -> None:
    """pytest-asyncio, a loop for each module."""


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.usefixtures("package_worker")
async def test_package_loop() -> None:
    """pytest-asyncio, a loop for each package."""


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.usefixtures("session_worker")
async def test_session_loop() -> None:
    """pytest-asyncio, a loop for the session."""


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_anyio_plugin(
    anyio_backend: object,  # noqa: ARG001 - lets pytest collect this file without anyio
    serve: Serve,
) -> None:
    """The plugin of anyio."""
    await serve()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [("asyncio", {"use_uvloop": True})])
async def test_anyio_plugin_on_uvloop(
    anyio_backend: object,  # noqa: ARG001 - lets pytest collect this file without anyio
    serve: Serve,
) -> None:
    """The plugin of anyio, with a loop of uvloop."""
    await serve()


class TestCase(IsolatedAsyncioTestCase):
    """Has the fixtures of pytest, and a server on self."""

    @pytest.fixture(autouse=True)
    def _from_pytest(self, start: Serve) -> None:
        self.start = start

    async def test_isolated_asyncio_test_case(self) -> None:
        """`IsolatedAsyncioTestCase`, the server on `self`."""
        self.server = await self.start()
