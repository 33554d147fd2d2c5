"""A pytest plugin that lets no grpc.aio server outlive its event loop.

A server that still runs when the tasks of its loop are cancelled leaves gRPC Core with pointers
into freed memory: the run crashes in the garbage collector, or hangs. This plugin keeps that
memory before anybody cancels the tasks, stops the server in its loop before that loop is closed,
and says which test or fixture forgot to. It changes no test's result.

Installed as the distribution pytest-grpc-guard it is at work, with nothing to write. The file can
be copied, too: put it next to the `conftest.py` at the top of the suite, and into that one

    import sys; sys.path.append(__file__.removesuffix("conftest.py")); pytest_plugins = ["grpc_guard"]

Settings, in pytest's ini file or table:

`grpc_leaked_servers`
    `warn` (default): each line that leaves servers running is one `GrpcLeakWarning` of the run.
    `error`: a leak is an error at the teardown of the test in whose time its loop was closed; the
    test's own result is kept. `ignore`: servers are stopped, and nothing is said.
`grpc_leaked_channels`
    What of a channel that is still open when its loop is closed. Channels have not been seen to
    crash a run: `note` (default) tells them after the summary, `warn`, `error` and `ignore` are as
    above.
`grpc_leaked_servers_grace`
    Seconds that a server may take to stop before it is given up; 5 by default.
`grpc_allowed_leaks`
    Leaks that cannot be mended here, one a line: `pattern: reason`. The pattern is that of a
    shell, for a test's node id or for the file, below the rootdir, that opens what leaks.

`@pytest.mark.grpc_leak_allowed(reason="...")` allows the leaks of one test, class or module. What
is allowed and no longer happens is told.

The guard needs Python 3.9 and pytest 8. It looks after every loop in which a server starts,
whoever runs and closes it: asyncio.run, pytest-asyncio, anyio, IsolatedAsyncioTestCase, uvloop, a
thread, or code that makes a loop by hand. What it cannot look after is a line at the end of the
run.
"""  # noqa: E501 - one line, to be copied

from __future__ import annotations

import asyncio
import asyncio.runners
import functools
import gc
import importlib
import importlib.util
import inspect
import math
import os
import sys
import sysconfig
import threading
import types
import warnings
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import pytest
from _pytest._code.code import (
    ExceptionRepr,
    ReprEntry,
    ReprExceptionInfo,
    ReprFileLocation,
    ReprTraceback,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
    from importlib.machinery import ModuleSpec

__version__ = "0.1.0"
__license__ = "MIT"

if sys.version_info < (3, 9) or pytest.version_tuple < (8,):
    raise pytest.UsageError(
        f"grpc_guard {__version__} needs Python 3.9 and pytest 8, or later; here are Python "
        f"{sys.version.partition(' ')[0]} and pytest {pytest.__version__}"
    )

_T = TypeVar("_T")

SERVER_MODES = ("warn", "error", "ignore")
CHANNEL_MODES = ("note", "warn", "error", "ignore")
MARKER = "grpc_leak_allowed"
AT_WORK = "grpc_guard_at_work"  # the name of the plugin object; a second copy finds the first by it
TESTS_NAMED = 3  # in one message
_CANCELLED = "Its stop was cancelled"
_MOST_STOPS = 3  # of a loop in which somebody has called loop.stop(), before it is given up


class GrpcLeakWarning(pytest.PytestWarning):
    """A grpc.aio server or channel was still open when its event loop was about to be closed."""


# Settings


@dataclass(frozen=True)
class _Settings:
    """What the ini file says; `grace` is in seconds, `allowed` has the reason of each pattern."""

    servers: str
    channels: str
    grace: float
    allowed: dict[str, str]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    seconds: Literal["float", "string"] = "float" if pytest.version_tuple >= (8, 4) else "string"
    parser.addini(
        "grpc_leaked_servers",
        "what a grpc.aio server is that outlives its event loop: warn, error or ignore",
        type="string",
        default="warn",
    )
    parser.addini(
        "grpc_leaked_channels",
        "what a grpc.aio channel is that outlives its event loop: note, warn, error or ignore",
        type="string",
        default="note",
    )
    parser.addini(
        "grpc_leaked_servers_grace",
        "seconds that a leaked grpc.aio server may take to stop before it is given up",
        type=seconds,
        default=5.0,
    )
    parser.addini(
        "grpc_allowed_leaks",
        "leaks that cannot be mended here, one a line, as `pattern: reason`; the pattern is for a "
        "test's node id or for the file that opens what leaks",
        type="linelist",
        default=[],
    )


def _read_settings(config: pytest.Config) -> _Settings:
    """Read and check the settings; the first that makes no sense is a UsageError of one line."""
    allowed = {}
    for line in _setting(config, "grpc_allowed_leaks", "must be lines of `pattern: reason`"):
        pattern, _, reason = line.partition(": ")
        if not (pattern.strip() and reason.strip()):
            raise pytest.UsageError(
                f"grpc_allowed_leaks has {line!r}, but each line must be `pattern: reason`"
            )
        allowed[pattern.strip()] = reason.strip()
    return _Settings(
        servers=_choice(config, "grpc_leaked_servers", SERVER_MODES),
        channels=_choice(config, "grpc_leaked_channels", CHANNEL_MODES),
        grace=_seconds(config, "grpc_leaked_servers_grace"),
        allowed=allowed,
    )


def _setting(config: pytest.Config, name: str, rule: str) -> Any:  # noqa: ANN401 - as getini
    """Give a setting; a value that pytest itself refuses is a UsageError that tells the rule."""
    try:
        return config.getini(name)
    except (TypeError, ValueError, pytest.UsageError) as error:  # the last from pytest 9.2 on
        raise pytest.UsageError(f"{name} {rule} ({error})") from None


def _choice(config: pytest.Config, name: str, choices: Sequence[str]) -> str:
    rule = f"must be one of: {', '.join(choices)}"
    value = str(_setting(config, name, rule)).strip()
    if value not in choices:
        raise pytest.UsageError(f"{name} is {value!r}, but {rule}")
    return value


def _seconds(config: pytest.Config, name: str) -> float:
    rule = "must be a number of seconds, 0 or more"
    value = _setting(config, name, rule)
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise pytest.UsageError(f"{name} is {value!r}, but {rule}")
    return seconds


# What is open, and what was left open


@dataclass(frozen=True)
class _Origin:
    """Who opened a server or channel, and on which line.

    `path` and `line` are the suite's; `library` is the line of installed code that the suite called
    to open it, if there is such a line. `marked` says which marker allows it.
    """

    test: str
    fixture: str
    path: str
    line: int
    library: str
    marked: str


@dataclass(eq=False)
class _Opened:
    """A server or channel that is open; `core` is what does the work of a server that started."""

    kind: str
    origin: _Origin
    alive: weakref.ref[Any]
    addresses: list[str] = field(default_factory=list)
    loop: weakref.ref[asyncio.AbstractEventLoop] | None = None
    core: Any = None
    stopping: bool = False  # by the suite, and before its tasks were cancelled
    tried: bool = False  # to be stopped by the guard
    settled: bool = False  # nothing of it is pending in gRPC Core


@dataclass(eq=False)
class _Loop:
    """What the guard knows of a loop: its servers, and the calls that it keeps for them."""

    servers: list[_Opened] = field(default_factory=list)
    calls: dict[int, object] = field(default_factory=dict)
    waiting: dict[int, weakref.ref[Any]] = field(default_factory=dict)  # the tasks that held them
    watched: bool = True

    def unsettled(self) -> list[_Opened]:
        """Give the servers of which something may be pending in gRPC Core."""
        return [server for server in self.servers if not server.settled]

    def cancelled(self) -> bool:
        """Tell whether a task that waited for a call is being cancelled, or was, or has gone."""
        for task in [known() for known in self.waiting.values()]:
            # Python 3.11 and later tell before it ends.
            if task is None or task.cancelled() or getattr(task, "cancelling", int)():
                return True
        return False


@dataclass(frozen=True)
class _Leak:
    """What is to be told of one server or channel. Plain data: it travels between processes."""

    kind: str
    test: str
    fixture: str
    path: str
    line: int
    library: str
    address: str
    outcome: str
    verdict: str = ""  # error, warning, note or nothing
    allowed: str = ""  # the pattern or marker that allows it

    @property
    def cause(self) -> tuple[object, ...]:
        """What it has in common with other leaks of the same line, which are told together."""
        return self.kind, self.fixture, self.path, self.line, self.library


# The cure


class _Keeper:
    """Lets no server outlive its loop, and no memory that gRPC Core still points to be freed.

    For each call that a server waits for, gRPC Core has pointers into an object of grpcio, an
    RPCState, which only a task of that server's loop holds. Whoever is about to cancel the tasks of
    a loop asks for them first; there, the keeper takes references. They are released when the
    servers of that loop have stopped, which the keeper sees to before the loop is closed.
    """

    at_work: ClassVar[list[_Keeper]] = []  # the innermost pytest run of this process is the last

    def __init__(self, settings: _Settings, origin: Callable[[], _Origin]) -> None:
        """Watch nothing yet; `origin` tells who is at work, and on which line."""
        self.leaks: list[_Leak] = []
        self.complaints: list[str] = []
        self._settings = settings
        self._origin = origin
        self._patch = pytest.MonkeyPatch()
        self._import = _OnImport("grpc.aio", self._watch_grpc)
        self._lock = threading.RLock()  # loops may run, and be closed, in threads of their own
        self._open: weakref.WeakKeyDictionary[Any, _Opened] = weakref.WeakKeyDictionary()
        self._loops: dict[asyncio.AbstractEventLoop, _Loop] = {}
        self._stop_server: Callable[[Any, None], Awaitable[None]]
        self._call_type: type[Any] | None = None
        self._installed = False

    def watch(self) -> None:
        """Follow the servers and channels of grpc.aio, from its import on."""
        self.at_work.append(self)
        if sys.modules.get("grpc.aio") is not None:
            self._watch_grpc()
        else:
            sys.meta_path.insert(0, self._import)

    def leave(self) -> None:
        """Leave grpcio and asyncio as they were; what is pending in gRPC Core is kept for ever."""
        if self in self.at_work:
            self.at_work.remove(self)
        if self._import in sys.meta_path:
            sys.meta_path.remove(self._import)
        self._patch.undo()
        with self._lock:
            for state in self._loops.values():
                _keep_for_ever(state)

    def _watch_grpc(self) -> None:
        """Follow the classes of grpc.aio, or complain that this grpcio does not let us."""
        if not self._watch("grpc.aio._server", "Server", self._watch_servers):
            return
        if self._settings.channels != "ignore":
            self._watch("grpc.aio._channel", "Channel", self._watch_channels)

    def _watch(self, module: str, name: str, watch: Callable[[type[Any]], None]) -> bool:
        """Follow the objects of grpcio's class, and tell whether that can be done."""
        try:
            watched_class = getattr(importlib.import_module(module), name)
            if not watched_class.__weakrefoffset__:
                raise TypeError("its objects take no weak references")  # noqa: TRY301 - told below
            watch(watched_class)
        except (AttributeError, ImportError, TypeError) as error:
            kinds = "channels" if name == "Channel" else "servers"
            self.complaints.append(
                f"grpc_guard does not know the {kinds} of grpcio {_grpcio_version()} "
                f"({module}.{name}: {error}): leaked {kinds} go unnoticed"
            )
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
        async def start_watched(server: Any, *args: object, **options: object) -> None:  # noqa: ANN401 - grpcio's
            opened = self._open.get(server)
            if opened is not None:
                opened.core = server._server  # noqa: SLF001 - outlives the server object
                self._starts(opened, server._loop)  # noqa: SLF001 - the loop that grpcio uses
            await start(server, *args, **options)

        self._stop_server = stop
        self._patch.setattr(server_class, "__init__", init_watched)
        self._patch.setattr(server_class, "start", start_watched)
        self._patch.setattr(server_class, "stop", self._removing(self._noting_stop(stop)))
        for name, add_port in add_ports.items():
            self._patch.setattr(server_class, name, self._noting_address(add_port))

    def _noting_address(self, add_port: Callable[..., int]) -> Callable[..., int]:
        """Give a method that adds a port to a server and notes the address that it got."""

        @functools.wraps(add_port)
        def add_port_watched(server: object, address: str, *args: object, **options: object) -> int:
            port = add_port(server, address, *args, **options)
            opened = self._open.get(server)
            if opened is not None:
                host, colon, _ = address.rpartition(":")
                is_path = address.startswith(("unix:", "unix-abstract:"))
                opened.addresses.append(address if is_path else f"{host}{colon}{port}")
            return port

        return add_port_watched

    def _noting_stop(self, stop: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """Give a stop() that notes of a server that it has been asked to stop in time.

        It need not end well: once a task that waited for a server's termination was cancelled,
        every stop() of that server ends as cancelled, and the server stops all the same.
        """

        @functools.wraps(stop)
        async def stop_watched(server: object, *args: object, **options: object) -> None:
            known = self._open.get(server)
            if known is not None and known.loop is not None:
                with self._lock:
                    state = self._loops.get(known.loop())  # type: ignore[arg-type]  # None is no key
                    if state is not None and not state.cancelled():
                        known.stopping = True
                        state.waiting.clear()  # its task ends now; who cancels the others, asks
            await stop(server, *args, **options)

        return stop_watched

    def _watch_channels(self, channel_class: type[Any]) -> None:
        """Follow each channel from its creation until it is closed."""
        init, close, leave = channel_class.__init__, channel_class.close, channel_class.__aexit__

        @functools.wraps(init)
        def init_watched(channel: Any, *args: object, **options: object) -> None:  # noqa: ANN401 - grpcio's
            init(channel, *args, **options)
            opened = self._add(channel, "channel")
            if opened is None:
                return
            opened.addresses.append(str(args[0] if args else options.get("target", "unknown")))
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                # Opened outside of any loop: which one grpcio has chosen is its own secret.
                loop = getattr(channel, "_loop", None)  # type: ignore[assignment]
            if loop is not None:
                opened.loop = weakref.ref(loop)
                self._know(loop)

        self._patch.setattr(channel_class, "__init__", init_watched)
        self._patch.setattr(channel_class, "close", self._removing(close))
        self._patch.setattr(channel_class, "__aexit__", self._removing(leave))

    def _removing(self, close: Callable[..., Awaitable[_T]]) -> Callable[..., Awaitable[_T]]:
        """Give a method that stops or closes, and at its end forgets what it has closed."""

        @functools.wraps(close)
        async def close_watched(opened: object, *args: object, **options: object) -> _T:
            result = await close(opened, *args, **options)
            with self._lock:
                known = self._open.pop(opened, None)
                if known is not None:
                    known.settled = True
            return result

        return close_watched

    def _add(self, opened: object, kind: str) -> _Opened | None:
        """Remember what has been opened just now, unless it is a nested pytest run's to do so."""
        if self is not self.at_work[-1]:
            return None
        known = _Opened(kind, self._origin(), weakref.ref(opened))
        with self._lock:
            self._open[opened] = known
        return known

    # The loops: who cancels their tasks, and who closes them.

    def _know(self, loop: asyncio.AbstractEventLoop) -> _Loop:
        """Give what is known of a loop; the first time, see to it that its close() is noticed."""
        with self._lock:
            state = self._loops.get(loop)
            if state is None:
                state = self._loops[loop] = _Loop()
                state.watched = self._watch_close(loop)
        return state

    def _starts(self, server: _Opened, loop: asyncio.AbstractEventLoop) -> None:
        """Look after a loop in which a server is about to start."""
        with self._lock:
            if not self._installed:
                self._installed = True
                self._watch_cancellation()
            state = self._know(loop)
            server.loop = weakref.ref(loop)
            # A server that was dropped shuts itself down; it is then held by this list alone.
            state.servers = [
                known
                for known in state.unsettled()
                if known.alive() is not None or known.core.is_running()
            ]
            state.servers.append(server)

    def _watch_cancellation(self) -> None:
        """Be asked before the tasks of a loop are cancelled, by anybody, from now on."""
        self._call_type = getattr(sys.modules.get("grpc._cython.cygrpc"), "RPCState", None)
        if self._call_type is None:
            self.complaints.append(
                f"grpc_guard does not know how grpcio {_grpcio_version()} waits for calls (it has "
                "no RPCState): servers are stopped where asyncio cancels the tasks of a loop, but "
                "not in loops that are closed by hand"
            )
        all_tasks = asyncio.all_tasks

        @functools.wraps(all_tasks)
        def all_tasks_kept(*args: Any, **options: Any) -> set[asyncio.Task[Any]]:  # noqa: ANN401 - as wrapped
            tasks = all_tasks(*args, **options)
            loop = args[0] if args else options.get("loop")
            self._keep(loop or asyncio.get_running_loop(), tasks)
            return tasks

        self._replace(all_tasks, all_tasks_kept)
        cancel_all = getattr(asyncio.runners, "_cancel_all_tasks", None)
        if cancel_all is None:
            return

        @functools.wraps(cancel_all)
        def cancel_all_guarded(loop: asyncio.AbstractEventLoop) -> None:
            try:
                # A server whose tasks still run stops most cleanly.
                if not (loop.is_running() or loop.is_closed()):
                    self._stop_servers(loop)
            finally:
                cancel_all(loop)

        self._replace(cancel_all, cancel_all_guarded)

    def _replace(self, function: object, replacement: object) -> None:
        """Put another function in the place of one, in each module that has it by some name."""
        for module in list(sys.modules.values()):
            if not issubclass(type(module), types.ModuleType):
                continue  # anything may stand there, and fail when it is asked
            # Not getattr: there are modules that load, or fail, when they are looked at.
            names: dict[str, object] = types.ModuleType.__getattribute__(module, "__dict__")
            for name, value in list(names.items()):
                if value is function:
                    self._patch.setattr(module, name, replacement)

    def _watch_close(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Stop the servers of a loop when it is about to be closed, and tell if that can be done.

        It is this loop's own close() that is replaced: that of a class may be code of C. One that
        the suite has put there, and that closes nothing, is left alone: it is not the end.
        """
        if not _closes(loop):
            return False
        close = loop.close
        own = getattr(loop, "__dict__", {}).get("close")

        @functools.wraps(close)
        def close_guarded() -> None:
            try:
                if not (loop.is_running() or loop.is_closed()):
                    if self._call_type is not None:
                        self._stop_servers(loop)
                    self._judge(loop)
            finally:
                close()  # says so if the loop is running
                if vars(loop).get("close") is close_guarded:  # and no other's around it
                    if own is None:
                        del loop.close
                    else:
                        loop.close = own  # type: ignore[method-assign]  # as it was
                with self._lock:
                    state = self._loops.pop(loop, None)
                if state is not None:
                    _keep_for_ever(state)

        try:
            loop.close = close_guarded  # type: ignore[method-assign]  # see above
        except AttributeError:
            return False
        return True

    def _keep(self, loop: asyncio.AbstractEventLoop, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Keep the calls that the servers of a loop wait for, whose tasks may soon be cancelled."""
        with self._lock:
            state = self._loops.get(loop)
            if self._call_type is None or state is None or not state.unsettled():
                return
            calls = []
            for task in tasks:
                held = _pending_calls(task, self._call_type)
                if held:
                    state.waiting[id(task)] = weakref.ref(task)
                    calls += held
            if not calls and not state.calls:
                # Their tasks look unlike those that are known: then the collector tells.
                calls = [known for known in gc.get_objects() if type(known) is self._call_type]
            state.calls.update((id(call), call) for call in calls)

    # Stopping: in the loop, before it is closed.

    def _stop_servers(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop the servers of a loop that is neither running nor closed, and note their leaks."""
        with self._lock:
            state = self._loops.get(loop)
            servers = [] if state is None else [s for s in state.unsettled() if not s.tried]
            for server in servers:
                server.tried = True
        if not servers:
            return
        # What only a task that waits for its end keeps is dropped as it stops, and a leak as well.
        alive = [server.alive() for server in servers]
        stopping = [server.stopping and not server.core.is_running() for server in servers]
        outcomes: dict[_Opened, str] = dict.fromkeys(servers, "Its stop was interrupted")
        try:
            _run(loop, self._stop(servers, outcomes))
        except RuntimeError as error:  # whatever is in the loop stops it again and again
            outcomes.update(dict.fromkeys(servers, f"It could not be stopped: {error}"))
        finally:
            _end_silently(loop)
            for server, opened, asked in zip(servers, alive, stopping):
                # Cancelled or not: what waited for the calls of such a server has ended by now.
                outcome = "" if asked and outcomes[server] == _CANCELLED else outcomes[server]
                server.settled = not outcome
                if opened is not None and not (asked and server.settled):
                    self._note(server, outcome)

    async def _stop(self, servers: list[_Opened], outcomes: dict[_Opened, str]) -> None:
        """Stop servers, in their loop, and give up those that take longer than the grace.

        `outcomes` gets a sentence for each that has not stopped, and "" for the others.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.grace
        stops = {server: asyncio.ensure_future(self._stopping(server)) for server in servers}
        await asyncio.wait(stops.values(), timeout=self._settings.grace)
        # Where the server's tasks had been cancelled, the first to stop it learns of that alone.
        again = {
            server: asyncio.ensure_future(self._stopping(server))
            for server, stop in stops.items()
            if stop.done() and stop.cancelled()
        }
        if again:
            await asyncio.wait(again.values(), timeout=max(0.0, deadline - loop.time()))
            stops.update(again)
        late = [stop for stop in stops.values() if not stop.done()]
        for server, stop in stops.items():
            if stop in late:
                stop.cancel()
                outcomes[server] = f"It did not stop within {self._settings.grace:g} s"
            elif stop.cancelled():
                outcomes[server] = _CANCELLED
            else:
                error = stop.exception()
                outcomes[server] = "" if error is None else f"Its stop failed: {error!r}"
        if late:
            await asyncio.wait(late, timeout=0.1)  # enough for all that do not refuse it

    async def _stopping(self, server: _Opened) -> None:
        """Stop a server as grpcio does: one that the suite has replaced may be what hangs."""
        alive = server.alive()
        await (server.core.shutdown(None) if alive is None else self._stop_server(alive, None))

    def _judge(self, loop: asyncio.AbstractEventLoop) -> None:
        """Note the channels of a loop that are still open as it is about to be closed."""

        def left() -> list[_Opened]:
            with self._lock:
                known = list(self._open.values())
            return [o for o in known if o.kind == "channel" and o.loop and o.loop() is loop]

        if not left():
            return
        # What nobody can reach any more is nobody's leak, whether or not the collector came by.
        gc.collect()
        for channel in left():
            opened = channel.alive()
            if opened is None:
                continue
            with self._lock:
                self._open.pop(opened, None)
            self._note(channel, "")

    def _note(self, opened: _Opened, outcome: str) -> None:
        """Add a leak to those that are to be told."""
        addresses = ", ".join(opened.addresses) or "no address"
        origin = asdict(opened.origin)
        marked = origin.pop("marked")
        self.leaks.append(
            _Leak(opened.kind, address=addresses, outcome=outcome, allowed=marked, **origin)
        )

    def unseen(self) -> list[tuple[str, str]]:
        """Give, for each server that still runs and cannot be looked after, why, and who began it.

        To be asked at the end of a run.
        """
        with self._lock:
            running = [
                (loop, state, server)
                for loop, state in self._loops.items()
                for server in state.unsettled()
                if not server.tried and server.core.is_running()
            ]
        found = []
        for loop, state, server in running:
            if not state.watched:
                reason = f"{type(loop).__qualname__} does not let its close() be watched"
            elif loop.is_closed():
                reason = "the event loop was closed past its close()"
            elif loop.is_running():
                reason = "the event loop still runs"
            else:
                reason = "the event loop was never closed"
            found.append((reason, server.origin.test or "code outside of any test"))
        return found


class _OnImport:
    """A finder of modules that finds none itself, and calls back after the import of one."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Let the other finders find the module, and see to it that its import is noticed."""
        del path, target
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_tell(module: types.ModuleType) -> None:
                execute(module)
                self._then()

            spec.loader.exec_module = execute_and_tell  # type: ignore[method-assign]  # this one's
        return spec


def _pending_calls(task: asyncio.Task[Any], call_type: type[Any]) -> list[object]:
    """Give the calls that a task of grpcio's holds, found as the collector finds them."""
    calls: list[object] = []
    coroutine: Any = task.get_coro()
    if isinstance(coroutine, (types.CoroutineType, types.GeneratorType)):
        return calls  # of Python; grpcio's are of Cython
    ahead, seen = [coroutine], {id(coroutine)}
    while ahead:
        for held in gc.get_referents(ahead.pop()):
            if type(held) is call_type:
                calls.append(held)
            # The variables of a coroutine, or the coroutine that it awaits.
            elif id(held) not in seen and (
                type(held) is type(coroutine) or type(held).__name__.startswith("__pyx_scope")
            ):
                seen.add(id(held))
                ahead.append(held)
    return calls


def _keep_for_ever(state: _Loop) -> None:
    """Keep what gRPC Core may still write to until the process ends, and through its end."""
    unsettled = state.unsettled()
    if not unsettled:
        return
    import ctypes  # noqa: PLC0415 - rarely needed

    kept = [*state.calls.values(), *(server.core for server in unsettled)]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))


def _closes(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether the close() of a loop may close it: one of Python that calls no other cannot."""
    close = getattr(loop, "__dict__", {}).get("close") or type(loop).close
    function = getattr(close, "__func__", close)
    if not isinstance(function, types.FunctionType) or function.__module__.startswith("asyncio"):
        return True
    return "close" in {*function.__code__.co_names, *function.__code__.co_freevars}


def _run(loop: asyncio.AbstractEventLoop, coroutine: Any) -> None:  # noqa: ANN401 - a coroutine
    """Run a coroutine in a loop, even where another loop is running in this thread.

    A call of loop.stop() that was left in the loop ends only the run that it was meant for.
    """
    task: asyncio.Task[Any] = loop.create_task(coroutine)

    def run() -> None:
        for _ in range(_MOST_STOPS):
            try:
                loop.run_until_complete(task)
            except RuntimeError:  # noqa: PERF203 - thrice at the most
                if task.done():
                    raise
            else:
                return
        raise RuntimeError("its event loop is stopped again and again")

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        run()
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(run).result()


def _end_silently(loop: asyncio.AbstractEventLoop) -> None:
    """Let the guard's own tasks that a loop will not end leave no warning to an innocent test."""
    own = {_Keeper._stop.__code__, _Keeper._stopping.__code__}  # noqa: SLF001 - in this module
    for task in asyncio.tasks.all_tasks(loop):
        coroutine: Any = task.get_coro()
        if getattr(coroutine, "cr_code", None) in own:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - asyncio's
            if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()


def _fits(pattern: str, name: str) -> bool:
    """Tell whether a name is meant: by a pattern of a shell, or as it is, which may have `[…]`."""
    return name == pattern or fnmatchcase(name, pattern)


def _grpcio_version() -> str:
    return str(getattr(sys.modules.get("grpc"), "__version__", "of unknown version"))


# The report


class _Guard:
    """The plugin object: knows which test and fixture are at work, and tells what they leave."""

    def __init__(self, config: pytest.Config) -> None:
        """Check the settings; watch nothing yet."""
        self._config = config
        self._settings = _read_settings(config)
        self.keeper = _Keeper(self._settings, self._origin)
        self.copies: list[str] = []  # of this file, that were loaded too
        self._item: pytest.Item | None = None
        self._fixtures: list[str] = []
        self._called = False  # whether the body of the test has run
        self._marked: dict[pytest.Item, list[str]] = {}
        self._where = functools.lru_cache(maxsize=None)(self._whose)
        # Only the process that tells has these; a worker of pytest-xdist hands them on.
        self._causes: dict[tuple[object, ...], list[_Leak]] = {}
        self._ran: set[str] = set()
        self._cut_short: set[str] = set()  # tests that may have ended before they could leak
        self._markers: dict[str, bool] = {}  # whether what they allow has happened
        self._patterns = dict.fromkeys(self._settings.allowed, False)
        self._explained: dict[tuple[object, ...], str] = {}  # in the report of which test
        self._unseen: list[tuple[str, str]] = []
        self._complaints: list[str] = []
        self._narrowed = False

    # Who is at work

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Know the test that runs."""
        self._item, self._called = item, False
        try:
            return (yield)
        finally:
            self._item = None

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

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Know which tests have the marker: mostly none, and then no test pays for it."""
        self._marked = {item: marks for item in items if (marks := _marks(item))}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Refuse a marker without a reason."""
        if item in self._marked and not all(map(_reason, item.iter_markers(MARKER))):
            pytest.fail(
                f"@pytest.mark.{MARKER} must say why: {MARKER}(reason='...')", pytrace=False
            )

    def _origin(self) -> _Origin:
        """Tell who is at work, and on which line."""
        (path, line), library = self._lines()
        item = self._item
        return _Origin(
            test="" if item is None else str(item.nodeid),
            fixture=self._fixtures[-1] if self._fixtures else "",
            path=path,
            line=line,
            library=library,
            marked="" if item is None else next(iter(self._marked.get(item, ())), ""),
        )

    def _lines(self) -> tuple[tuple[str, int], str]:
        """Give the suite's innermost line, and the line of the library that it called, or ""."""
        found: dict[str, tuple[str, int]] = {}  # the innermost line of each
        caller: tuple[str, int] | None = None
        frame = inspect.currentframe()
        while frame is not None and "suite" not in found:
            path = frame.f_code.co_filename
            whose = self._where(path)
            if path != _FILE and whose != "grpcio":
                line = (path, frame.f_lineno)
                caller = caller or line
                found.setdefault(whose, line)
            frame = frame.f_back
        if caller is None:
            return ("an unknown file", 0), ""
        own = found.get("suite") or found.get("other") or caller
        return own, "" if own == caller else f"{_short(caller[0])}:{caller[1]}"

    def _whose(self, path: str) -> str:
        """Tell whose code a file is: grpcio's, installed, the suite's, or other."""
        if path.startswith("<"):
            return "installed"
        whole = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
        grpcio = getattr(sys.modules.get("grpc"), "__file__", None)
        if grpcio is not None and _is_below(whole, Path(grpcio).parent):
            return "grpcio"
        if {"site-packages", "dist-packages"} & set(whole.parts) or _is_below(whole, _STDLIB):
            return "installed"
        return "suite" if _is_below(whole, self._config.rootpath) else "other"

    # What a test has left open goes with its report, from whichever process it runs in.

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give the report of a teardown the leaks of the loops that were closed until then."""
        report = yield
        if call.when == "call":
            self._called = True
        elif call.when == "teardown" and (self.keeper.leaks or item in self._marked):
            leaks = self._take()
            report.grpc_guard = {  # type: ignore[attr-defined]  # pytest keeps what it does not know
                "leaks": [asdict(leak) for leak in leaks],
                "markers": self._marked.get(item, []) if self._called else [],
            }
            errors = [leak for leak in leaks if leak.verdict == "error"]
            if errors:
                self._fail(report, errors)
        return report

    def _take(self) -> list[_Leak]:
        """Give the leaks that have not been taken yet, each with what is to become of it."""
        keeper = self.keeper
        leaks, keeper.leaks = keeper.leaks, []
        return [self._judged(leak) for leak in leaks]

    def _judged(self, leak: _Leak) -> _Leak:
        allowed = leak.allowed or next(
            filter(functools.partial(self._allows, leak), self._patterns), ""
        )
        mode = self._settings.servers if leak.kind == "server" else self._settings.channels
        if allowed or mode == "ignore":
            verdict = ""
        elif mode == "warn":
            verdict = self._filtered(leak)
        else:
            verdict = mode
        return _Leak(**{**asdict(leak), "verdict": verdict, "allowed": allowed})

    def _allows(self, leak: _Leak, pattern: str) -> bool:
        """Tell whether a pattern allows a leak: by its test, or by a file that it comes from."""
        names = (leak.test, self._relative(leak.path), leak.library.rpartition(":")[0])
        return any(_fits(pattern, name) for name in names)

    def _filtered(self, leak: _Leak) -> str:
        """Tell what the filters of warnings, those of the test too, make of a leak."""
        with warnings.catch_warnings(record=True) as caught:
            try:
                warnings.warn_explicit(self._message([leak]), GrpcLeakWarning, leak.path, leak.line)
            except GrpcLeakWarning:
                return "error"
        return "warning" if caught else ""

    def _fail(self, report: pytest.TestReport, errors: list[_Leak]) -> None:
        """Make an error of a report; an error that it is already stays, and tells the leaks."""
        causes: dict[tuple[object, ...], list[_Leak]] = {}
        for leak in errors:
            causes.setdefault(leak.cause, []).append(leak)
        lines = []
        for cause, leaks in causes.items():
            told = self._message(leaks).splitlines()
            # One line that leaks is explained once; again where that test itself is run again.
            explained = self._explained.setdefault(cause, report.nodeid) == report.nodeid
            lines += told if explained else told[:1]
        if report.failed:
            report.sections.append(("grpc_guard", "\n".join(lines)))
        else:
            report.outcome = "failed"
            report.longrepr = _error_at(errors[0].path, errors[0].line, lines)

    # Telling, in the process that tells

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what a test has left open."""
        if self._is_worker():
            return
        if report.when != "teardown":
            if not report.passed:
                self._cut_short.add(str(report.nodeid))
            return
        if self._patterns:
            self._ran.add(str(report.nodeid))
        told: dict[str, Any] | None = getattr(report, "grpc_guard", None)
        if told is not None:
            if report.nodeid not in self._cut_short:
                for marker in told["markers"]:
                    self._markers.setdefault(marker, False)
            self._count(_Leak(**leak) for leak in told["leaks"])

    def _is_worker(self) -> bool:
        """Tell whether this is a worker of pytest-xdist, whose reports another process tells."""
        return hasattr(self._config, "workerinput")

    def _count(self, leaks: Iterable[_Leak]) -> None:
        for leak in leaks:
            self._causes.setdefault((leak.verdict, *leak.cause), []).append(leak)
            if leak.allowed in self._patterns:
                self._patterns[leak.allowed] = True
            elif leak.allowed:
                self._markers[leak.allowed] = True

    def pytest_deselected(self) -> None:
        """Know that not the whole suite runs."""
        self._narrowed = True

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - of pytest-xdist
        """Take what a worker of pytest-xdist could tell with no test's report."""
        told = getattr(node, "workeroutput", {}).get("grpc_guard")
        if told:
            self._count(_Leak(**leak) for leak in told["leaks"])
            self._unseen += [(reason, test) for reason, test in told["unseen"]]
            self._complaints += told["complaints"]

    @pytest.hookimpl(trylast=True)  # an interrupted run tears its fixtures down here
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Warn of each line that leaks; fail the run for what no test could be failed for."""
        rest = self._take()
        if self._is_worker():
            output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined]
            output["grpc_guard"] = {
                "leaks": [asdict(leak) for leak in rest],
                "unseen": self.keeper.unseen(),
                "complaints": self.keeper.complaints,
            }
            return
        # A test's own errors have been told by its report.
        errors = [cause for cause in self._causes if cause[0] == "error"]
        for cause in errors:
            del self._causes[cause]
        self._count(rest)
        self._unseen += self.keeper.unseen()
        self._complaints += self.keeper.complaints
        if self._config.pluginmanager.has_plugin("dsession"):
            # The workers of pytest-xdist report in any order.
            for leaks in self._causes.values():
                leaks.sort(key=lambda leak: leak.test)
        self._narrowed |= bool(session.shouldstop or session.shouldfail) or (
            self._config.args_source is self._config.ArgsSource.ARGS
        )
        for (verdict, *_), leaks in self._causes.items():
            if verdict == "warning":
                self._warn(leaks)
            elif verdict == "error" and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _warn(self, leaks: list[_Leak]) -> None:
        """Hand pytest one warning for all leaks of a line."""
        path, line = leaks[0].path, leaks[0].line
        message = GrpcLeakWarning(self._message(leaks))
        self._config.hook.pytest_warning_recorded.call_historic(
            kwargs={
                "warning_message": warnings.WarningMessage(message, GrpcLeakWarning, path, line),
                "nodeid": leaks[0].test,
                "when": "runtest",
                "location": None,
            }
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what is neither a test's nor a warning."""
        lines = list(dict.fromkeys(self._complaints))
        lines += [
            self._message(g) for (verdict, *_), g in self._causes.items() if verdict == "error"
        ]
        lines += self._noted()
        lines += self._stale()
        for reason in dict.fromkeys(reason for reason, _ in self._unseen):
            tests = [test for why, test in self._unseen if why == reason]
            lines.append(
                f"Not looked after, because {reason}: {_counted(len(tests), 'grpc.aio server')} "
                f"({_named(tests)})"
            )
        if lines:
            terminalreporter.section("grpc_guard")
            for line in lines:
                terminalreporter.line(line)

    def _noted(self) -> list[str]:
        """Give one line for all channels that are noted, or none."""
        noted = [
            leak
            for (verdict, *_), group in self._causes.items()
            for leak in group
            if verdict == "note"
        ]
        times = Counter(f"{self._relative(leak.path)}:{leak.line}" for leak in noted)
        if not noted:
            return []
        places = ", ".join(f"{at} ({n} times)" if n > 1 else at for at, n in times.items())
        count = _counted(len(noted), "grpc.aio channel")
        told = f"{count} still open when the event loop was closed, opened at {places}"
        return [f"{told}. Close it in its loop: await channel.close()"]

    def _stale(self) -> list[str]:
        """Give a line for each leak that is allowed and did not happen where it could have."""
        lines = [
            f"{marker} allows a leak that no longer happens"
            for marker, happened in self._markers.items()
            if not happened
        ]
        for pattern, happened in self._patterns.items():
            ran = {
                test
                for test in self._ran
                if _fits(pattern, test) or _fits(pattern, test.partition("::")[0])
            }
            if ran & self._cut_short:
                continue
            if not happened and self._ran and (ran or not self._narrowed):
                lines.append(
                    f"grpc_allowed_leaks: {pattern!r} allows a leak that no longer happens"
                )
        return lines

    def _message(self, leaks: list[_Leak]) -> str:
        """Say who left what open, on which line, and the cure; then, below, the rest."""
        first, number = leaks[0], len(leaks)
        tests = list(dict.fromkeys(leak.test for leak in leaks if leak.test))
        if first.fixture:
            who = f"The fixture {first.fixture!r}"
        elif len(tests) > 1:
            who = _counted(len(tests), "test")
        else:
            who = tests[0] if tests else "Code outside of any test"
        what = f"a grpc.aio {first.kind}" if number == 1 else f"{number} grpc.aio {first.kind}s"
        it = "it" if number == 1 else "each"
        if first.kind == "server":
            still, cure = "running", f"Stop {it} in its event loop: await server.stop(None)"
        else:
            still, cure = "open", f"Close {it} in its event loop: await channel.close()"
        where = f"{self._relative(first.path)}:{first.line}"
        lines = [f"{who} left {what} {still} (created at {where}). {cure}"]
        if tests and (first.fixture or len(tests) > 1):
            lines.append(f"{_counted(len(tests), 'test')}: {_named(tests)}")
        if first.library:
            lines.append(f"through {first.library}")
        lines.append(f"address: {first.address}" + ("" if number == 1 else " (the first)"))
        outcomes = dict.fromkeys(leak.outcome for leak in leaks if leak.outcome)
        lines += [
            f"{outcome}: what gRPC may still write to is kept in memory" for outcome in outcomes
        ]
        return "\n    ".join(lines)

    def _relative(self, path: str) -> str:
        whole = Path(path)
        if _is_below(whole, self._config.rootpath):
            return whole.relative_to(self._config.rootpath).as_posix()
        return path

    def pytest_report_header(self) -> list[str]:
        """Say of a copied file what it is a copy of, and that it is there twice."""
        lines = []
        if self._whose(__file__) != "installed":
            lines.append(f"grpc_guard: a copy of pytest-grpc-guard {__version__}, {__license__}")
        lines += [f"grpc_guard: {copy} is loaded too, and leaves the work" for copy in self.copies]
        return lines


def _error_at(path: str, line: int, lines: list[str]) -> ExceptionRepr:
    """Give an error of a line of the suite, of the kind that pytest and its plugins know."""
    entry = ReprEntry(lines, None, None, ReprFileLocation(path, line, "opened here"), "value")
    return ReprExceptionInfo(
        ReprTraceback([entry], None, "value"), ReprFileLocation(path, line, lines[0])
    )


_FILE = _error_at.__code__.co_filename  # as frames of this file name it
_STDLIB = Path(sysconfig.get_path("stdlib"))


def _is_below(path: Path, folder: Path) -> bool:
    return folder in path.parents


def _short(path: str) -> str:
    """Give a file of an installed package by its name below the folder that it is installed in."""
    return path.replace("dist-packages", "site-packages").rpartition(f"site-packages{os.sep}")[2]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _named(tests: list[str]) -> str:
    names = list(dict.fromkeys(tests))
    more = f" and {len(names) - TESTS_NAMED} more" if len(names) > TESTS_NAMED else ""
    return ", ".join(names[:TESTS_NAMED]) + more


def _reason(mark: pytest.Mark) -> str:
    reason = mark.kwargs.get("reason", mark.args[0] if mark.args else "")
    return reason.strip() if isinstance(reason, str) else ""


def _marks(item: pytest.Item) -> list[str]:
    """Name the markers that allow an item's leaks, by where they stand and why."""
    return [
        f"@pytest.mark.{MARKER} of {str(node.nodeid).partition('[')[0]} ({_reason(mark)})"
        for node, mark in item.iter_markers_with_node(MARKER)
    ]


# Setting to work


def _set_to_work(config: pytest.Config) -> None:
    """Register the plugin object, once; another copy of this file leaves the work to the first."""
    known: Any = config.pluginmanager.get_plugin(AT_WORK)
    if known is None:
        guard = _Guard(config)
        config.pluginmanager.register(guard, AT_WORK)
        config.add_cleanup(guard.keeper.leave)
        guard.keeper.watch()
    elif not isinstance(known, _Guard):
        known.copies.append(__file__)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set to work before a conftest is imported, which may start a server."""
    _set_to_work(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Set to work, and declare the marker."""
    config.addinivalue_line(
        "markers", f"{MARKER}(reason): the grpc.aio servers and channels that it leaks are not told"
    )
    _set_to_work(config)
