"""A pytest plugin that lets no grpc.aio server outlive its event loop.

A server that still runs when its loop cancels its tasks leaves gRPC Core with pointers into freed
memory: the run crashes in the garbage collector, or hangs. This plugin stops such a server first,
in its loop, and says which test or fixture forgot to. Put this file next to `conftest.py`, and
into that one:

    pytest_plugins = ["grpc_guard"]

Settings, in pytest's ini file:

`grpc_leaked_servers`
    `warn` (default): each leak is a `GrpcLeakWarning` of the test in whose time its loop closed.
    `error`: the leak is that test's error at teardown; the test's own result is kept.
    `ignore`: leaked servers are stopped, and nothing is said.
`grpc_leaked_servers_grace`
    Seconds that a server may take to stop before it is cancelled; 5 by default.

Channels left open when their loop closes are reported like servers, and left alone.

Covered is every loop that `asyncio.Runner` closes: those of `asyncio.run`, pytest-asyncio since
1.1, anyio's pytest plugin, IsolatedAsyncioTestCase and `uvloop.run`. Not covered are loops that the
code under test closes itself, and servers whose tasks it has cancelled itself: then the memory is
freed before a plugin could know. Each worker of pytest-xdist and each child of pytest-forked guards
itself; pytest-forked passes errors on, but no warnings.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import math
import sys
import threading
import warnings
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

_T = TypeVar("_T")

MODES = ("error", "warn", "ignore")


class GrpcLeakWarning(pytest.PytestWarning):
    """A grpc.aio server or channel was still open when its event loop was about to close."""


class GrpcGuardWarning(pytest.PytestWarning):
    """The grpcio that is installed is not one that the guard can watch, or not fully."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the two settings."""
    parser.addini(
        "grpc_leaked_servers",
        "What a grpc.aio server or channel that outlives its event loop is: error, warn or ignore.",
        default="warn",
    )
    parser.addini(
        "grpc_leaked_servers_grace",
        "Seconds that a leaked grpc.aio server may take to stop before it is cancelled.",
        default="5",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, then watch grpc.aio, if it is installed."""
    mode = str(config.getini("grpc_leaked_servers")).strip()
    if mode not in MODES:
        raise pytest.UsageError(
            f"grpc_leaked_servers is {mode!r}, but must be one of: {', '.join(MODES)}"
        )
    text = str(config.getini("grpc_leaked_servers_grace")).strip()
    try:
        grace = float(text)
    except ValueError:
        grace = math.nan
    if not 0 <= grace < math.inf:
        raise pytest.UsageError(
            f"grpc_leaked_servers_grace is {text!r}, but must be a number of seconds, 0 or more"
        )
    try:
        importlib.import_module("grpc.aio")
    except ImportError:
        return
    guard = _Guard(config, mode, grace)
    config.pluginmanager.register(guard, "grpc_guard_at_work")
    guard.watch()


@dataclass
class _Watched:
    """An open server or channel: who created it, where, and the loop that it needs."""

    kind: str
    creator: str
    path: str
    line: int
    addresses: list[str] = field(default_factory=list)
    loop: weakref.ref[asyncio.AbstractEventLoop] | None = None


@dataclass(frozen=True)
class _Leak:
    """What is to be told of a leak, and the line that created what leaked."""

    message: str
    path: str
    line: int


class _Guard:
    """Knows which servers and channels are open, and which leaks are still to be told."""

    def __init__(self, config: pytest.Config, mode: str, grace: float) -> None:
        """Watch nothing yet; `grace` is in seconds."""
        self._config = config
        self._mode = mode
        self._grace = grace
        self._patch = pytest.MonkeyPatch()
        self._stop_server: Callable[[Any, None], Awaitable[None]]
        self._test = ""
        self._fixtures: list[str] = []
        self._open: weakref.WeakKeyDictionary[Any, _Watched] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()  # of _open: loops may run in threads of their own
        self._leaks: list[_Leak] = []
        self._complaints: list[str] = []

    # Watching: grpcio and asyncio are made to tell what they open and close.

    def watch(self) -> None:
        """Follow servers, channels and runners until `pytest_unconfigure`."""
        if not self._watch("grpc.aio._server", "Server", self._watch_servers):
            return
        self._watch("grpc.aio._channel", "Channel", self._watch_channels)
        close = asyncio.Runner.close

        @functools.wraps(close)
        def close_guarded(runner: asyncio.Runner) -> None:
            try:
                self._before_close(runner)
            finally:
                close(runner)

        self._patch.setattr(asyncio.Runner, "close", close_guarded)

    def _watch(self, module: str, name: str, watch: Callable[[type[Any]], None]) -> bool:
        """Follow the objects of grpcio's class; if this grpcio does not let us, warn."""
        try:
            watched_class = getattr(importlib.import_module(module), name)
            if not watched_class.__weakrefoffset__:
                raise TypeError("its objects take no weak references")  # noqa: TRY301 - told below
            watch(watched_class)
        except (AttributeError, ImportError, TypeError) as error:
            version = getattr(sys.modules["grpc"], "__version__", "of unknown version")
            kinds = "channels" if name == "Channel" else "servers"
            message = (
                f"grpc_guard does not know the {kinds} of grpcio {version} "
                f"({module}.{name}: {error}): leaked {kinds} go unnoticed"
            )
            try:
                self._config.issue_config_time_warning(GrpcGuardWarning(message), stacklevel=2)
            except GrpcGuardWarning:
                # A filter makes errors of warnings: this one would end the run before it begins.
                self._complaints.append(message)
            return False
        return True

    def _watch_servers(self, server_class: type[Any]) -> None:
        """Follow each server from its creation to the end of its stop()."""
        init, start, stop = server_class.__init__, server_class.start, server_class.stop
        add_ports = {
            name: getattr(server_class, name) for name in ("add_insecure_port", "add_secure_port")
        }

        @functools.wraps(init)
        def init_watched(server: object, *args: object, **options: object) -> None:
            init(server, *args, **options)
            self._add(server, "server")

        @functools.wraps(start)
        async def start_watched(server: object, *args: object, **options: object) -> None:
            watched = self._open.get(server)
            if watched is not None:
                watched.loop = weakref.ref(asyncio.get_running_loop())
            await start(server, *args, **options)

        self._stop_server = stop
        self._patch.setattr(server_class, "__init__", init_watched)
        self._patch.setattr(server_class, "start", start_watched)
        self._patch.setattr(server_class, "stop", self._removing(stop))
        for name, add_port in add_ports.items():
            self._patch.setattr(server_class, name, self._noting_address(add_port))

    def _noting_address(self, add_port: Callable[..., int]) -> Callable[..., int]:
        """Give a method that adds a port to a server and notes the address that it got."""

        @functools.wraps(add_port)
        def add_port_watched(server: object, address: str, *args: object, **options: object) -> int:
            port = add_port(server, address, *args, **options)
            watched = self._open.get(server)
            if watched is not None:
                host, colon, _ = address.rpartition(":")
                is_path = address.startswith(("unix:", "unix-abstract:"))
                watched.addresses.append(address if is_path else f"{host}{colon}{port}")
            return port

        return add_port_watched

    def _watch_channels(self, channel_class: type[Any]) -> None:
        """Follow each channel from its creation until it is closed."""
        init, close, leave = channel_class.__init__, channel_class.close, channel_class.__aexit__

        @functools.wraps(init)
        def init_watched(channel: object, *args: object, **options: object) -> None:
            init(channel, *args, **options)
            target = args[0] if args else options.get("target", "an unknown target")
            watched = self._add(channel, "channel")
            watched.addresses.append(str(target))
            try:
                watched.loop = weakref.ref(asyncio.get_running_loop())
            except RuntimeError:
                # Created outside of any loop. Which one grpcio has chosen is its own secret.
                if hasattr(channel, "_loop"):
                    watched.loop = weakref.ref(channel._loop)  # noqa: SLF001 - see above

        self._patch.setattr(channel_class, "__init__", init_watched)
        self._patch.setattr(channel_class, "close", self._removing(close))
        self._patch.setattr(channel_class, "__aexit__", self._removing(leave))

    def _removing(self, close: Callable[..., Awaitable[_T]]) -> Callable[..., Awaitable[_T]]:
        """Give a method that stops or closes, and at its end forgets what it has closed."""

        @functools.wraps(close)
        async def close_watched(opened: object, *args: object, **options: object) -> _T:
            result = await close(opened, *args, **options)
            with self._lock:
                self._open.pop(opened, None)
            return result

        return close_watched

    def _add(self, opened: object, kind: str) -> _Watched:
        """Remember a server or channel that has been created just now."""
        if self._fixtures:
            creator = f"The fixture {self._fixtures[-1]!r}, set up for {self._test},"
        else:
            creator = self._test or "Code outside of any test"
        path, line = _calling_line()
        watched = _Watched(kind, creator, path, line)
        with self._lock:
            self._open[opened] = watched
        return watched

    # Closing: the one moment at which a forgotten server can still be stopped safely.

    def _before_close(self, runner: asyncio.Runner) -> None:
        """Stop the servers that run in the runner's loop, and note them and its open channels."""
        with self._lock:
            everything = list(self._open.items())
        if not everything:
            return
        try:
            loop = runner.get_loop()
        except RuntimeError:  # it is closed already
            return
        leaked = [
            (opened, watched)
            for opened, watched in everything
            if watched.loop is not None and watched.loop() is loop
        ]
        # A running or closed loop cannot run stop(), and asyncio refuses to close a running one.
        if not leaked or loop.is_running() or loop.is_closed():
            return
        servers = [opened for opened, watched in leaked if watched.kind == "server"]
        try:
            outcomes = loop.run_until_complete(self._stop(servers)) if servers else {}
        except RuntimeError as error:  # something in the loop has called loop.stop()
            outcomes = dict.fromkeys(servers, f"It could not be stopped: {error} ")
        for opened, watched in leaked:
            with self._lock:
                self._open.pop(opened, None)
            if self._mode != "ignore":
                self._leaks.append(self._describe(watched, outcomes.get(opened, "")))

    async def _stop(self, servers: list[Any]) -> dict[Any, str]:
        """Stop servers, in their loop, and cancel those that take longer than the grace.

        Give a sentence for each that has not stopped.
        """
        # grpcio's own stop(): one that the suite has replaced may be what hangs.
        stops = {
            server: asyncio.ensure_future(self._stop_server(server, None)) for server in servers
        }
        await asyncio.wait(stops.values(), timeout=self._grace)
        outcomes = {}
        for server, stop in stops.items():
            if not stop.done():
                stop.cancel()
                outcomes[server] = f"It did not stop within {self._grace:g} s and was cancelled. "
            elif stop.cancelled():
                outcomes[server] = "Its tasks had been cancelled before: this process may crash. "
            elif (error := stop.exception()) is not None:
                outcomes[server] = f"Its stop() failed: {error!r}. "
        return outcomes

    def _describe(self, watched: _Watched, outcome: str) -> _Leak:
        """Name who left what open, where it was created, what came of it, and the cure."""
        addresses = ", ".join(watched.addresses) or "no address"
        if watched.kind == "server":
            what = f"a grpc.aio server running on {addresses}"
            cure = "Stop it in that loop: await server.stop(None)"
        else:
            what = f"a grpc.aio channel to {addresses} open"
            cure = "Close it in that loop: await channel.close()"
        path = Path(watched.path)
        if path.is_relative_to(self._config.rootpath):
            path = path.relative_to(self._config.rootpath)
        return _Leak(
            f"{watched.creator} left {what} (created at {path}:{watched.line}) when its event loop "
            f"was about to close. {outcome}{cure}",
            watched.path,
            watched.line,
        )

    # Telling: pytest says which test and fixture are at work, and takes the leaks.

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Know the test that runs."""
        self._test = item.nodeid
        try:
            return (yield)
        finally:
            self._test = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        """Know the fixture that is being set up."""
        self._fixtures.append(fixturedef.argname)
        try:
            return (yield)
        finally:
            self._fixtures.pop()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Tell the leaks of the loops that closed during this test, as errors or warnings."""
        try:
            result = yield
        except BaseException as error:
            for message in self._tell():
                error.add_note(message)
            raise
        if messages := self._tell():
            pytest.fail("\n".join(messages), pytrace=False)
        return result

    @pytest.hookimpl(trylast=True)  # an interrupted run tears its fixtures down here
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run if a loop that closed outside of any test had a leak."""
        if self._leaks and self._mode == "error" and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what no test could be told."""
        lines = self._complaints + [leak.message for leak in self._take()]
        if lines:
            terminalreporter.section("grpc_guard")
            for line in lines:
                terminalreporter.line(line)

    def pytest_unconfigure(self) -> None:
        """Leave grpcio and asyncio as they were."""
        self._patch.undo()

    def _take(self) -> list[_Leak]:
        """Give the leaks that have not been told yet, once."""
        leaks, self._leaks = self._leaks, []
        return leaks

    def _tell(self) -> list[str]:
        """Warn of the leaks; give the messages that are to be errors, by the mode or a filter."""
        leaks = self._take()
        if self._mode == "error":
            return [leak.message for leak in leaks]
        errors = []
        for leak in leaks:
            try:
                warnings.warn_explicit(leak.message, GrpcLeakWarning, leak.path, leak.line)
            except GrpcLeakWarning as error:
                errors.append(str(error))
        return errors


def _calling_line() -> tuple[str, int]:
    """Give the file and line of the innermost frame that is neither grpcio's nor the guard's."""
    frame = inspect.currentframe()
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module != __name__ and module.partition(".")[0] != "grpc":
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return "an unknown file", 0
