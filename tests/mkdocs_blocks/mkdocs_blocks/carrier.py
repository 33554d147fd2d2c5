"""The program that lets pytest-markdown-docs run Python blocks, each in a process of its own.

`python_blocks.py` starts it by its path, with the interpreter of a sandbox. That environment may
have another Python (3.9 or later) and nothing of the checker's, so this file stands alone: it
imports only the standard library, pytest (8 or later) and pytest-markdown-docs.

Three generations of processes share the work, so that a block costs a fork and not an interpreter:

* the *carrier* has imported pytest and the plugins of the environment, and knows no page;
* it forks the *template* of a page: pytest is configured for the page's sandbox, with its ini file
  and its `conftest.py` files, and waits in place of the loop over the tests;
* the template forks a *child* for each block, which pytest-markdown-docs runs there.

Requests are lines of JSON on standard input, answers on standard output; each request has one
answer. `{"do": "start"}` makes a template, which then answers `{"do": "run"}` itself until
`{"do": "end"}`. When a template is lost, the carrier ends.

Only one thing counts as success: the child tells, with a token that it was given, that the block
came to its end and that no fixture or hook failed, and ends with status 0.
"""
# Paths are strings here, which is quicker, for each block: the reason of the next line.
# ruff: noqa: PTH110, PTH112, PTH113, PTH116, PTH118, PTH119, PTH120

from __future__ import annotations

import sys

# No import may see the folder of this file.
if sys.path and __file__.startswith(sys.path[0] + "/"):
    del sys.path[0]

import ast
import asyncio
import atexit
import contextlib
import faulthandler
import fcntl
import gc
import importlib.machinery
import importlib.metadata
import inspect
import json
import linecache
import os
import re
import resource
import secrets
import select
import shlex
import signal
import time
import traceback
import types
import unittest
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

try:
    import pytest
    from _pytest.config.findpaths import load_config_dict_from_file
    from _pytest.runner import runtestprotocol
    from pytest_markdown_docs._runners import _Runner, register_runner
    from pytest_markdown_docs.plugin import MarkdownTextFile

    if pytest.version_tuple < (8,):
        raise ImportError(f"there is pytest {pytest.__version__}")  # noqa: TRY301 - as if none
except ImportError as error:
    sys.stdin.readline()
    sys.stdout.write(json.dumps({"missing": f"{error}"}) + "\n")
    sys.exit()

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_MOST_BYTES = 8 * 2**20
"""What a block may print. It is kept in the memory, and six times as long as JSON at the worst."""

_PATIENCE = 2.0
"""Seconds that a process has, at its time limit, to tell where it hangs before it is killed."""

_UNTOLD = 120
"""Exit status of a block that has closed the pipe of its report."""

_HIGH = 500
"""The lowest number of our own file descriptors: above those that programs close in bulk."""

_INI_FILES = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)

_KEPT_OPTIONS = (
    "-W",
    "-o",
    "-p",
    "--asyncio-mode",
    "--import-mode",
    "--override-ini",
    "--pythonwarnings",
)
"""Options of `addopts` that decide what a test finds; others select, spread and report tests."""

_OPTIONS = (
    "--override-ini=addopts=",
    "--assert=plain",
    "--capture=no",
    "--markdown-docs",
    "--no-header",
    # Settings that the options of `addopts` and blocked plugins would have read.
    "-Wignore::pytest.PytestConfigWarning",
)

_PYTEST_VARIABLES = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")

_UNCERTAIN = frozenset(
    {
        "glob.glob",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.system",
        "socket.connect",
        "subprocess.Popen",
    }
)
"""Audit events that tell that a `conftest.py` depends on more than the files that it reads."""

_NOTHING_WATCHED = {"report": None, "status": None, "trouble": "", "printed": "", "dump": ""}

_Json = dict[str, Any]
_Stamp = tuple[int, ...]


class _Lines:
    """The pipe to the checker: one request in, one answer out."""

    def __init__(self) -> None:
        """Move the pipe to descriptors that no block finds by accident, and leave none open."""
        self.requests = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, _HIGH)
        self.answers = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _HIGH)
        self._rest = b""
        _point_at_nothing(0, 1)

    def read(self) -> _Json:
        """Return the next request; end this process when there is none."""
        while b"\n" not in self._rest:
            got = os.read(self.requests, 1 << 16)
            if not got:
                os._exit(0)
            self._rest += got
        line, _, self._rest = self._rest.partition(b"\n")
        request: _Json = json.loads(line)
        return request

    def answer(self, answer: _Json) -> None:
        """Send the answer to the last request."""
        _write(self.answers, json.dumps(answer).encode() + b"\n")

    def close(self) -> None:
        """Let go of the pipe: the process becomes a block's."""
        os.close(self.requests)
        os.close(self.answers)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _point_at_nothing(*descriptors: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    if nothing not in descriptors:
        os.close(nothing)


# Watching a process.


class _Fork:
    """A process that was forked, with a pipe for what it prints and one for its report."""

    def __init__(self) -> None:
        """Fork; `pid` is 0 in the new process."""
        self._token = secrets.token_hex(16).encode()
        printed, self._prints = os.pipe()
        report, reports = os.pipe()
        self._printed, self._report = printed, report
        # Above those that programs close in bulk, such as what makes a daemon of itself.
        try:
            self.reports = fcntl.fcntl(reports, fcntl.F_DUPFD_CLOEXEC, _HIGH)
            os.close(reports)
        except OSError:  # the limit of descriptors is lower
            self.reports = reports
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        with warnings.catch_warnings():
            # A conftest.py that has started a thread: Python 3.12 warns of the fork.
            warnings.simplefilter("ignore")
            self.pid = os.fork()
        if self.pid:
            os.close(self._prints)
            os.close(self.reports)

    def enter(self) -> None:
        """Become a process of its own session, which prints and reports to the pipes."""
        os.setsid()
        os.close(self._printed)
        os.close(self._report)
        for descriptor in (1, 2):
            os.dup2(self._prints, descriptor)
        os.close(self._prints)
        # A crash, and SIGABRT at the time limit, tell where they come from, and leave no core.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        faulthandler.enable(self.reports, all_threads=False)

    def report(self, report: _Json) -> None:
        """Send the report, in the new process."""
        _write(self.reports, self._token + json.dumps(report).encode() + b"\n")

    def leave(self) -> None:
        """Keep the process, and close the pipes to it."""
        os.close(self._printed)
        os.close(self._report)

    def watch(self, seconds: float, *, stays: bool) -> _Json:
        """Wait for the report, and, unless the process `stays`, for its end.

        Returns `report` (None: there is none), `status` (None: it lives; negative: a signal),
        `trouble` ("", "time" or "output"), `printed`, and `dump`: where it was when it crashed.
        """
        deadline = time.monotonic() + seconds
        open_pipes = {self._printed: bytearray(), self._report: bytearray()}
        printed, report = open_pipes[self._printed], open_pipes[self._report]
        status: int | None = None
        trouble = ""
        with _end_of(self.pid) as end:
            while status is None:
                if stays and self._told(report) is not None:
                    break
                left = deadline - time.monotonic()
                if left <= 0 or len(printed) > _MOST_BYTES:
                    if trouble:
                        os.kill(self.pid, signal.SIGKILL)
                        deadline = float("inf")
                    else:
                        trouble = "time" if left <= 0 else "output"
                        os.kill(self.pid, signal.SIGABRT if left <= 0 else signal.SIGKILL)
                        deadline = time.monotonic() + _PATIENCE
                    printed = printed[:_MOST_BYTES]
                    continue
                self._read(open_pipes, [*end], min(left, 3600.0 if end else 0.02))
                status = _ended(self.pid)
        while status is not None and self._read(open_pipes, [], 0.0):
            if len(printed) > _MOST_BYTES:
                trouble = trouble or "output"
                break
        told = self._told(report)
        return _NOTHING_WATCHED | {
            "report": told,
            "status": status,
            "trouble": trouble,
            "printed": bytes(printed[:_MOST_BYTES]).decode(errors="replace"),
            "dump": "" if told is not None else bytes(report).decode(errors="replace"),
        }

    @staticmethod
    def _read(pipes: dict[int, bytearray], others: list[int], seconds: float) -> bool:
        """Read what the pipes have; forget those that are closed; tell whether there was any."""
        poll = select.poll()
        for descriptor in [*pipes, *others]:
            poll.register(descriptor, select.POLLIN)
        read = False
        for descriptor, _ in poll.poll(seconds * 1000):
            if descriptor in pipes:
                got = os.read(descriptor, 1 << 16)
                pipes[descriptor] += got
                read = read or bool(got)
                if not got:
                    del pipes[descriptor]
        return read

    def _told(self, report: bytearray) -> _Json | None:
        if not (report.endswith(b"\n") and report.startswith(self._token)):
            return None
        with contextlib.suppress(ValueError):
            told: _Json = json.loads(report[len(self._token) :])
            return told
        return None


@contextlib.contextmanager
def _end_of(pid: int) -> Iterator[Sequence[int]]:
    """Give a descriptor that can be read when the process has ended, where the system has one."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield ()
        return
    try:
        yield (descriptor,)
    finally:
        os.close(descriptor)


def _ended(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


# What a template depends on.


class _Recorder:
    """What the process reads from the sandbox while pytest is configured."""

    def __init__(self, root: str) -> None:
        """Listen until `stop`; an audit hook cannot be taken away again."""
        self._root = root
        self._on = True
        self._opened: set[str] = set()
        self._imports: set[str] = set()
        self.uncertain = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._on:
            return
        if event == "open":
            if isinstance(arguments[0], str):
                self._opened.add(arguments[0])
        elif event == "import":
            self._imports.add(str(arguments[0]))
        elif event in _UNCERTAIN:
            self.uncertain = True

    def stop(self, known: frozenset[str]) -> set[str]:
        """Return the files of the sandbox that were read, or would have been if they were there."""
        self._on = False
        root = self._root
        files = {os.path.join(root, name) for name in self._opened}
        files |= {
            str(getattr(module, "__file__", None) or "")
            for name, module in list(sys.modules.items())
            if name not in known
        }
        missing = {name.replace(".", "/") for name in self._imports if name not in sys.modules}
        for place in _own_places(root):
            for name in missing:
                files |= {f"{place}/{name}.py", f"{place}/{name}"}
        return {file for file in files if _is_own(file, root) and not file.endswith(".pyc")}


def _is_own(path: str, root: str) -> bool:
    """Tell whether a path lies in the sandbox, and not in an environment that it has."""
    return (path + "/").startswith(root + "/") and not path.startswith(sys.prefix + "/")


def _own_places(root: str) -> list[str]:
    """Return the folders of the sandbox in which modules are looked for."""
    return [place for place in sys.path if _is_own(place, root)]


def _stamp(path: str) -> _Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _packages() -> dict[str, int]:
    """Return the folders of installed packages, each with the time of its last change."""
    return {
        place: os.stat(place).st_mtime_ns
        for place in sys.path
        if place.endswith("-packages") and os.path.isdir(place)
    }


class _UncachedLoader(importlib.machinery.SourceFileLoader):
    """Reads a module's source each time.

    Bytecode tells sources apart by size and second: two versions that a page shows and uses within
    one second would be the same.
    """

    def get_code(self, fullname: str) -> types.CodeType | None:
        path = self.get_filename(fullname)
        code: types.CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _work_in(root: str) -> None:
    """Enter the sandbox, and find its modules first, as `python -m pytest` does."""
    machinery = importlib.machinery
    finder = machinery.FileFinder.path_hook(
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (_UncachedLoader, machinery.SOURCE_SUFFIXES),
    )

    def own_finder(path: str) -> object:
        if not _is_own(path, root):
            raise ImportError(path)
        return finder(path)

    os.chdir(root)
    sys.path_hooks.insert(0, own_finder)  # type: ignore[arg-type] # a finder, as it returns one
    for place in [place for place in sys.path_importer_cache if _is_own(place, root)]:
        del sys.path_importer_cache[place]
    sys.path.insert(0, root)


def _forget_hidden_modules(root: str) -> None:
    """Forget imported modules that a file of the sandbox hides, and what folders were said to have.

    A reader who has a `yaml.py` gets that one from `import yaml`.
    """
    for place in _own_places(root):
        finder = sys.path_importer_cache.get(place)
        if finder is not None:
            finder.invalidate_caches()  # type: ignore[attr-defined] # a FileFinder
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                name, _, suffix = entry.name.partition(".")
                file = getattr(sys.modules.get(name), "__file__", None)
                if not file or _is_own(file, root):
                    continue
                if suffix == "py" or os.path.exists(f"{entry.path}/__init__.py"):
                    for module in [*sys.modules]:
                        if module == name or module.startswith(f"{name}."):
                            del sys.modules[module]


# The carrier.


class Carrier:
    """Forks templates, one at a time."""

    def __init__(self, lines: _Lines) -> None:
        """Let pytest run a block of no page, so that templates find all of that imported."""
        self.lines = lines
        self.blocked = [
            f"-pno:{plugin.name}"
            for distribution in importlib.metadata.distributions()
            for plugin in distribution.entry_points
            # A block of the checked site is no run of the checker.
            if plugin.group == "pytest11" and plugin.value.startswith("mkdocs_blocks.")
        ]
        errors = os.dup(2)
        _point_at_nothing(2)
        # A plugin that cannot be imported is told by the template.
        with contextlib.suppress(BaseException), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in _PYTEST_VARIABLES:
                os.environ.pop(name, None)
            here = os.path.dirname(__file__)
            options = [*_OPTIONS, *self.blocked, "--noconftest", "-c", os.devnull]
            pytest.main([*options, f"--rootdir={here}", here], plugins=[_Trial(here, "trial.md")])
            asyncio.set_event_loop_policy(None)
            # What is thrown away later would count as a block's.
            gc.collect()
        os.dup2(errors, 2)
        os.close(errors)
        self.packages = _packages()
        self.modules = frozenset(sys.modules)
        # The collector would touch all that forks share, and so copy it.
        gc.freeze()

    def serve(self) -> NoReturn:
        """Answer requests until there are no more."""
        while True:
            request = self.lines.read()
            if request["do"] != "start":
                self.lines.answer({"nonce": request["nonce"]})
            elif _packages() != self.packages:
                self.lines.answer({"nonce": request["nonce"], "stale": "packages"})
            else:
                self._start(request)

    def _start(self, request: _Json) -> None:
        fork = _Fork()
        if not fork.pid:
            fork.enter()
            _become_template(request, fork, self)
        watched = fork.watch(request["seconds"], stays=True)
        self.lines.answer({"nonce": request["nonce"], **watched})
        fork.leave()
        if watched["status"] is None:
            # The template reads the requests now.
            _, status = os.waitpid(fork.pid, 0)
            if status:
                os._exit(1)


def _become_template(request: _Json, fork: _Fork, carrier: Carrier) -> NoReturn:
    """Let pytest configure itself for the sandbox; end the process when it does not."""
    os.environ.clear()
    os.environ.update(request["environment"])
    hidden = {name: os.environ.pop(name) for name in _PYTEST_VARIABLES if name in os.environ}
    root = os.path.realpath(request["root"])
    try:
        _work_in(root)
        _forget_hidden_modules(root)
        template = _Template(root, request, fork, carrier, hidden)
        ini, options = _ini_file(root)
        options = [*_OPTIONS, *carrier.blocked, *options, "-c", ini, f"--rootdir={root}"]
        if template.conftests:
            # With the page, so that pytest knows the hooks for its folder.
            page = f"{root}/{template.page}"
            options += [f"--confcutdir={root}", *template.conftests, page]
        else:
            options += ["--noconftest", root]
        pytest.main(options, plugins=[template])
    except pytest.UsageError as error:
        sys.stderr.write(f"ERROR: {error}\n")
    except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends here
        sys.stderr.write("\n".join(_details(error, "", root)) + "\n")
    with contextlib.suppress(Exception):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    os._exit(1)


def _ini_file(root: str) -> tuple[str, list[str]]:
    """Return the ini file that pytest takes, and the options of its `addopts` that are kept."""
    for name in _INI_FILES:
        path = Path(root, name)
        if not path.is_file() or ("pytest.toml" in name and pytest.version_tuple < (9,)):
            continue
        settings = load_config_dict_from_file(path)
        if settings is not None:
            addopts: Any = settings.get("addopts", "")
            addopts = getattr(addopts, "value", addopts)
            words = shlex.split(addopts) if isinstance(addopts, str) else list(addopts)
            return str(path), list(_kept(words))
    return os.devnull, []


def _kept(words: Iterable[str]) -> Iterator[str]:
    words = iter(words)
    for word in words:
        for option in _KEPT_OPTIONS:
            if word == option:
                yield from (word, next(words, ""))
            elif word.startswith(f"{option}=" if option.startswith("--") else option):
                yield word


# The template, and the child for a block.


class _FixtureError(Exception):
    """There are not the fixtures that a block asks for; the message says which there are."""


class _Blocks:
    """Lets pytest-markdown-docs run blocks in this process."""

    def __init__(self, root: str, page: str) -> None:
        """Know the sandbox and the page's name."""
        self.root = root
        self.page = page
        self.nodes: dict[str, Any] = {}
        """Pytest's collectors of the folders that have a `conftest.py`."""

    # Which fixtures a block finds.

    def item(self, session: pytest.Session, request: _Json) -> pytest.Item:
        """Return what pytest-markdown-docs makes of a block, which is to be run next.

        Raises `_FixtureError` when there are not the fixtures that it asks for.
        """
        _Run.current = _Run(_Source(request, self.page, self.root))
        wanted = request["fixtures"]
        folder = self._folder_for(session, request)
        path = _PagePath(folder, os.path.basename(self.page))
        file = _PageModule.from_parent(self._node(session, folder), path=path)
        item: pytest.Item
        [item] = file.collect()  # type: ignore[no-untyped-call] # it has no types
        # In the order in which the block asks for them; theirs is that of a set.
        item.fixturenames = tuple(wanted)  # type: ignore[attr-defined] # a test's
        return item

    def _node(self, session: pytest.Session, folder: str) -> Any:  # noqa: ANN401 - pytest's
        """Return the collector of the innermost folder with a `conftest.py` around a folder."""
        while folder not in self.nodes:
            if folder == self.root or not _is_own(folder, self.root):
                return session
            folder = os.path.dirname(folder)
        return self.nodes[folder]

    def _folder_for(self, session: pytest.Session, request: _Json) -> str:
        """Return the folder that the block stands in: the page's, or that of a fixture's conftest.

        Of the `conftest.py` files that define a fixture, the one that the page has shown last
        counts. Raises `_FixtureError`.
        """
        default = os.path.dirname(f"{self.root}/{self.page}")
        if not os.path.isfile(f"{self.root}/{self.page}"):
            # Pytest knows the hooks of folders that it has seen a file of.
            default = next((f for f in self.folders(self.page) if f in self.nodes), default)
        wanted: list[str] = request["fixtures"]
        if not wanted:
            return default
        manager: Any = session._fixturemanager  # noqa: SLF001 - as pytest-markdown-docs does

        def seen(name: str, folder: str) -> Sequence[Any]:
            return manager.getfixturedefs(name, self._node(session, folder)) or ()

        def is_of(name: str, folder: str) -> bool:
            return any(self._home(fixture) == folder for fixture in seen(name, folder))

        shown = [next(self.folders(title), "") for title in reversed(request["conftests"])]
        homes = {}
        for name in wanted:
            home = next((folder for folder in shown if is_of(name, folder)), "")
            if not home and not seen(name, default):
                # No public way leads to the names; where none is found, none are told.
                tables = ("_arg2fixturedefs", "_arg2node2fixturedefs")
                known = {name for table in tables for name in getattr(manager, table, ())}
                own = {n for n in known if any(is_of(n, f) for f in [*self.nodes, *shown])}
                others = {n for n in known - own if not n.startswith("_") and seen(n, default)}
                raise _FixtureError(
                    f"there is no fixture {name!r}: the page's are "
                    f"{', '.join(sorted(own)) or 'none'}; those of pytest and its plugins are "
                    f"{', '.join(sorted(others))}"
                )
            homes[name] = home or default
        if all(seen(name, default)[-1:] == seen(name, home)[-1:] for name, home in homes.items()):
            return default
        innermost = max((home for home in homes.values() if home != default), key=len)
        for name in wanted:
            if not seen(name, innermost):
                other = next(n for n, home in homes.items() if home == innermost)
                raise _FixtureError(
                    f"no conftest.py sees both fixtures, {other!r} of {self._title(innermost)} and "
                    f"{name!r} of {self._title(homes[name])}: show them in one file, or one of "
                    "them in a folder above"
                )
        return innermost

    def _title(self, folder: str) -> str:
        return f"{os.path.relpath(folder, self.root)}/conftest.py".replace("./", "", 1)

    def _home(self, fixture: Any) -> str:  # noqa: ANN401 - pytest's FixtureDef
        """Return the folder whose `conftest.py` has a fixture; empty when a plugin has it."""
        if fixture.baseid not in {"", "."}:
            return f"{self.root}/{fixture.baseid}"
        code = getattr(inspect.unwrap(fixture.func), "__code__", None)
        return self.root if code and _is_own(code.co_filename, self.root) else ""

    def folders(self, file: str) -> Iterator[str]:
        """Yield the folder of a file and those above, up to the sandbox's root."""
        folder = os.path.dirname(os.path.realpath(f"{self.root}/{file}"))
        while _is_own(folder, self.root):
            yield folder
            if folder == self.root:
                return
            folder = os.path.dirname(folder)


class _PageModule(MarkdownTextFile, pytest.Module):
    """The page as pytest-markdown-docs has it, and a module: for fixtures of that scope."""

    def _getobj(self) -> types.ModuleType:
        return types.ModuleType("page")


class _Trial(_Blocks):
    """A pytest plugin that runs a block of no page, for what pytest imports and keeps then."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> bool:
        """Collect nothing."""
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the block."""
        session.config.pluginmanager.register(_First())
        text = "import asyncio\nawait asyncio.sleep(0)\n"
        request = {"text": text, "line": 1, "lines_at": [2, 3], "fixtures": []}
        _judge(self.item(session, request))
        return True


class _Template(_Blocks):
    """A pytest plugin: it serves blocks where pytest would run the tests that it has collected."""

    def __init__(
        self, root: str, request: _Json, fork: _Fork, carrier: Carrier, hidden: dict[str, str]
    ) -> None:
        """Look for the `conftest.py` files that are in force for the page."""
        super().__init__(root, request["page"])
        self._shown: set[str] = set(request["conftests"])
        self._fork = fork
        self._lines = carrier.lines
        self._carrier = carrier
        self._hidden = hidden
        self._used = False
        places = {
            f"{folder}/conftest.py"
            for file in [self.page, *self._shown]
            for folder in self.folders(file)
        }
        self.conftests = sorted(place for place in places if os.path.isfile(place))
        names = [*places, *(f"{root}/{name}" for name in _INI_FILES)]
        self._stamps = {name: _stamp(name) for name in names}
        self._recorder = _Recorder(root)

    # pytest's hooks. They come before those of a conftest.py, which could excuse a block.

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Collect the folders of the `conftest.py` files, so that fixtures are known; no tests."""
        if self.conftests:
            for node in session.perform_collect(self.conftests, genitems=False):
                self.nodes[str(node.path.parent)] = node.parent
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Tell that the template is ready, and serve until the page ends."""
        session.config.pluginmanager.register(_First())
        for file in self._recorder.stop(self._carrier.modules):
            self._stamps.setdefault(file, _stamp(file))
        os.environ.update(self._hidden)
        os.chdir(self.root)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            # Both streams in the order in which they are printed.
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper
        self._fork.report({})
        _point_at_nothing(1, 2)
        gc.collect()
        gc.freeze()
        while True:
            request = self._lines.read()
            if request["do"] != "run":
                if self._recorder.uncertain:
                    _finish(session)
                self._lines.answer({"nonce": request["nonce"]})
                os._exit(0)
            stale = self._stale(request)
            if stale:
                self._lines.answer({"nonce": request["nonce"], "stale": stale})
            else:
                self._carry(session, request)

    def _stale(self, request: _Json) -> str:
        """Return what is not as it was when pytest was configured; empty when all is."""
        if _packages() != self._carrier.packages:
            return "packages"
        if (self._recorder.uncertain and self._used) or not self._shown.issuperset(
            request["conftests"]
        ):
            return "conftest.py"
        return next((n for n, stamp in self._stamps.items() if _stamp(n) != stamp), "")

    def _carry(self, session: pytest.Session, request: _Json) -> None:
        """Let a child run a block, and answer."""
        self._used = True
        try:
            item = self.item(session, request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the page goes on
            known = isinstance(error, _FixtureError)
            report = _false(f"{error.args[0] if known else f'pytest cannot take it: {error!r}'}")
            self._lines.answer(
                {"nonce": request["nonce"], **_NOTHING_WATCHED, "report": report, "status": 0}
            )
            return
        fork = _Fork()
        if not fork.pid:
            try:
                self._lines.close()
                fork.enter()
                _forget_hidden_modules(self.root)
                fork.report(_judge(item))
            except OSError:
                os._exit(_UNTOLD)
            finally:
                os._exit(0)
        watched = fork.watch(request["seconds"], stays=False)
        fork.leave()
        if watched["dump"]:
            watched["line"] = _Run.current.source.line_in(watched["dump"])
        self._lines.answer({"nonce": request["nonce"], **watched})


def _finish(session: pytest.Session) -> None:
    """Let a `conftest.py` end what it has started, as at the end of any run."""
    for end in (
        lambda: session.config.hook.pytest_sessionfinish(session=session, exitstatus=0),
        session.config._ensure_unconfigure,  # noqa: SLF001 - pytest.main calls it
        atexit._run_exitfuncs,  # noqa: SLF001 - as an interpreter that ends
    ):
        with contextlib.suppress(BaseException):
            end()


def _judge(item: pytest.Item) -> _Json:
    """Run a block in this process, and return the report."""
    _Run.current.pid = os.getpid()
    try:
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
    except BaseException as error:  # noqa: BLE001 - of a hook of the page: whatever it is, it is told
        _Run.current.failed.append(("hook", error))
    with contextlib.suppress(Exception):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    return _Run.current.judged()


def _false(message: str) -> _Json:
    """Return the report of a block that was not run."""
    return {"ok": False, "message": message, "line": 0, "details": []}


class _First:
    """Hooks that come before those of a `conftest.py`, as they are registered last."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool:
        """Run the item once, whatever other plugins make of it."""
        _Run.current.capture = item.config.pluginmanager.getplugin("capturemanager")
        reports = runtestprotocol(item, log=False)
        _Run.current.phases = [report.when for report in reports]
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: Any) -> None:  # noqa: ANN401 - pytest-markdown-docs's
        """Compile the block; one that does not await needs no event loop of pytest-asyncio's."""
        run = _Run.current
        run.compile()
        if not run.awaits:
            item.fixture_request = _WithoutLoop(item.fixture_request)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Note what failed before a hook of the page makes something else of it."""
        if call.excinfo is not None:
            _Run.current.failed.append((call.when, call.excinfo.value))

    @pytest.hookimpl(tryfirst=True)
    def pytest_markdown_docs_markdown_it(self) -> _Parser:
        """Give pytest-markdown-docs the block that the site's own parser has found."""
        return _Parser(_Run.current.source)


class _WithoutLoop:
    """The fixtures of a block, without the loop that pytest-markdown-docs asks for on its own."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def getfixturevalue(self, name: str) -> object:
        if name == "_function_scoped_runner":
            raise LookupError(name)  # taken for an environment without pytest-asyncio
        return self._request.getfixturevalue(name)


class _PagePath(type(Path())):  # type: ignore[misc] # the class of this system's paths
    """The page as pytest-markdown-docs opens it; what it has there comes from the parser."""

    def is_file(self, *_: object, **__: object) -> bool:
        """Tell what pytest asks for before it looks for the `conftest.py` files of a folder."""
        return True

    def read_text(self, *_: object, **__: object) -> str:
        """Return a text that is not parsed."""
        return ""


class _Parser:
    """What pytest-markdown-docs calls its Markdown parser: it finds one block."""

    def __init__(self, source: _Source) -> None:
        self._source = source

    def parse(self, _: str) -> list[types.SimpleNamespace]:
        source = self._source
        fixtures = [f"fixture:{name}" for name in source.fixtures]
        return [
            types.SimpleNamespace(
                type="fence",
                info=" ".join(["python", "runner:CarriedBlock", *fixtures]),
                map=(source.first - 2, source.first + len(source.lines_at)),
                content=source.text,
            )
        ]


# What a block is, and what became of it.


class _Source:
    """The text of a block, and the page's lines of it."""

    def __init__(self, request: _Json, page: str, root: str) -> None:
        self.text: str = request["text"]
        self.fixtures: list[str] = request["fixtures"]
        self.lines_at: list[int] = request["lines_at"]
        self.first: int = self.lines_at[0] if self.lines_at else request["line"] + 1
        """The line of the first line of content: where compiled code says that it is."""
        self.page = page
        self.root = root

    def page_line(self, line: int) -> int:
        """Return the page's line of a line of the compiled code."""
        if not self.lines_at:
            return line
        return self.lines_at[max(0, min(line - self.first, len(self.lines_at) - 1))]

    def line_in(self, dump: str) -> int:
        """Return the page's line of the innermost frame that a dump names; 0: none."""
        found = re.search(rf'File "{re.escape(self.page)}", line (\d+)', dump)
        return self.page_line(int(found[1])) if found else 0


class _EndedItself(Exception):  # noqa: N818 - named after what the block did
    """Stands for an exception that would end pytest, or skip the test."""


class _Run:
    """One block that is run in this process, once."""

    current: ClassVar[_Run]

    def __init__(self, source: _Source) -> None:
        self.source = source
        self.pid = os.getpid()
        self.code: types.CodeType | None = None
        self.began = False
        self.ended = False
        self.error: BaseException | None = None
        self.capture: Any = None
        """Pytest's capture manager."""
        self.failed: list[tuple[str, BaseException]] = []
        self.phases: list[str | None] = []

    @property
    def awaits(self) -> bool:
        """Whether the block has an `await` at its top level."""
        return self.code is not None and bool(self.code.co_flags & inspect.CO_COROUTINE)

    def compile(self) -> None:
        """Compile the block, or note why that cannot be done."""
        source = self.source
        lines = "\n" * (source.first - 1) + source.text
        linecache.cache[source.page] = (
            len(lines),
            None,
            lines.splitlines(keepends=True),
            source.page,
        )
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        try:
            self.code = compile(lines, source.page, "exec", flags=flags, dont_inherit=True)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            self.error = error

    def execute(self, variables: dict[str, Any], runner: Any) -> None:  # noqa: ANN401 - asyncio's
        """Run the block as the main module of a script, `await` allowed."""
        self.began = True
        if os.getpid() != self.pid:
            os._exit(0)  # forked by a fixture
        if self.code is None:
            return
        carrier = sys.modules["__main__"]
        module = types.ModuleType("__main__")
        module.__dict__.update(variables, __name__="__main__")
        variables.clear()
        sys.modules["__main__"] = module
        # pytest-markdown-docs has switched it off: `capsys` would have nothing.
        self.capture.resume_fixture()
        try:
            result = eval(self.code, module.__dict__)  # noqa: S307 - the page's own program
            if self.awaits:
                asyncio.run(result) if runner is None else runner.run(result)
            self.ended = True
        except BaseException as error:  # noqa: BLE001 - whatever ends the block is told
            self.error = error
        self.capture.suspend_fixture()
        if os.getpid() != self.pid:
            self._end_fork()
        if self.error is None:
            # What the block has left open is found while its warnings still count.
            sys.modules["__main__"] = carrier
            del result, module
            gc.collect()

    def raise_again(self) -> None:
        """Raise what ended the block, in a way that lets pytest tear the fixtures down."""
        if self.error is None:
            return
        if isinstance(self.error, Exception) and not isinstance(
            self.error, (pytest.exit.Exception, unittest.SkipTest)
        ):
            raise self.error
        raise _EndedItself from self.error

    def _end_fork(self) -> NoReturn:
        """End a process that the block has forked and that came to the end of the block."""
        status = 0
        if isinstance(self.error, SystemExit):
            status = self.error.code if isinstance(self.error.code, int) else 1
        elif self.error is not None:
            traceback.print_exception(type(self.error), self.error, self.error.__traceback__)
            status = 1
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status & 0xFF)

    def judged(self) -> _Json:
        """Return the report: success only if everything was run and nothing failed."""
        if self.error is not None:
            return self._told(self.error, _excuse(self.error))
        for when, error in self.failed:
            where = {
                "setup": " (in a fixture, before the block)",
                "teardown": " (in a fixture, after the block)",
                "hook": " (in a hook of pytest)",
            }
            suffix = where.get(when, "")
            if when == "call" and not self.began:
                suffix = where["setup"]
            return self._told(error, suffix)
        if not self.ended or self.phases != ["setup", "call", "teardown"]:
            message = "pytest did not run the block: a hook of a conftest.py or plugin took it"
            return _false(message)
        return {"ok": True}

    def _told(self, error: BaseException, suffix: str) -> _Json:
        leaf = error
        while len(getattr(leaf, "exceptions", ())) == 1:
            leaf = leaf.exceptions[0]  # type: ignore[attr-defined] # an exception group
        line = self._line(leaf) or self._line(error)
        if type(leaf).__name__.startswith("PytestUn") and leaf.__cause__ is not None:
            leaf = leaf.__cause__  # raised in a destructor or a thread
        said = leaf.msg if isinstance(leaf, SyntaxError) else _said(leaf)
        if isinstance(leaf, AssertionError) and not said:
            said = self._text(leaf)
        message = f"{type(leaf).__name__}: {said}" if said else type(leaf).__name__
        if len(message) > 500:  # one line that can be read
            message = f"{message[:500]}…"
        return {
            "ok": False,
            "message": message + suffix,
            "line": self.source.page_line(line) if line else 0,
            "details": _details(error, self.source.page, self.source.root, self.source.page_line),
        }

    def _line(self, error: BaseException) -> int:
        """Return the block's line that raised; 0 when none did."""
        line = 0
        for frame, frame_line in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == self.source.page:
                line = frame_line
        if not line and isinstance(error, SyntaxError) and error.filename == self.source.page:
            line = error.lineno or 0
        return line

    def _text(self, error: BaseException) -> str:
        """Return the source of the statement that raised: its first line."""
        frames = traceback.extract_tb(error.__traceback__)
        return (frames[-1].line or "") if frames else ""


def _said(error: BaseException) -> str:
    """Return the first line of an exception's message."""
    try:
        return next(iter(str(error).strip().splitlines()), "")
    except Exception:  # noqa: BLE001 - whatever a class of the page's does
        return ""


def _excuse(error: BaseException) -> str:
    skips = (pytest.skip.Exception, pytest.xfail.Exception, unittest.SkipTest)
    if isinstance(error, skips):
        return " (a block cannot excuse itself)"
    if isinstance(error, (SystemExit, KeyboardInterrupt, GeneratorExit, pytest.exit.Exception)):
        return " (a block has to come to its end)"
    return ""


_MOST_FRAMES = 20
_THEIRS = re.compile(
    r"/(?:_pytest|pytest|pluggy|pytest_markdown_docs|pytest_asyncio)/|/carrier\.py$|^<frozen "
)


def _details(
    error: BaseException, page: str, root: str, page_line: Callable[[int], int] = int
) -> list[str]:
    """Return a traceback that names the page and its lines, without frames of ours and pytest's."""
    told = traceback.TracebackException(type(error), error, error.__traceback__)
    pending: list[Any] = [told]
    seen = set()
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.stack[:] = _frames(one.stack, page, root, page_line)
        if getattr(one, "filename", None) == page and getattr(one, "lineno", None):
            one.lineno = type(one.lineno)(page_line(int(one.lineno)))
        pending += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ())]
    return [line for part in told.format() for line in part.rstrip("\n").split("\n")]


def _frames(
    stack: traceback.StackSummary, page: str, root: str, page_line: Callable[[int], int]
) -> list[traceback.FrameSummary]:
    """Return the frames of the block and the sandbox's files, and what they called in the end."""
    kept: list[traceback.FrameSummary] = []
    outside: list[traceback.FrameSummary] = []
    for frame in stack:
        line = frame.lineno or 0
        if frame.filename == page or _is_own(frame.filename, root):
            outside = []
            kept.append(_frame(frame, page_line(line) if frame.filename == page else line, root))
        elif kept and not _THEIRS.search(frame.filename):
            outside.append(_frame(frame, line, root))
    frames = kept + outside
    return frames if len(frames) <= _MOST_FRAMES else [*frames[:5], *frames[-_MOST_FRAMES + 5 :]]


def _frame(frame: traceback.FrameSummary, line: int, root: str) -> traceback.FrameSummary:
    """Return a frame with a path that is the same on every machine."""
    name = frame.filename
    places = [root] if _is_own(name, root) else sorted(sys.path, key=len, reverse=True)
    place = next((place for place in places if place and name.startswith(f"{place}/")), "")
    if place:
        name = name[len(place) + 1 :]
    return traceback.FrameSummary(name, line, frame.name, lookup_line=False, line=frame.line or "")


@register_runner()
class CarriedBlock(_Runner):
    """How pytest-markdown-docs runs a block: once, and with any end of it told."""

    def runtest(
        self,
        test: object,  # noqa: ARG002 - a FenceTestDefinition, whose source is padded
        args: dict[str, Any],
        *,
        asyncio_runner: Any = None,  # noqa: ANN401 - of asyncio or of pytest-asyncio
    ) -> None:
        """Run the block, unless it has been run."""
        run = _Run.current
        if not run.began:
            run.execute(args, asyncio_runner)
        # pytest-markdown-docs 0.9.2 takes a TypeError of the block for one of the call, and calls
        # again.
        run.raise_again()

    def repr_failure(self, *_: object, **__: object) -> str:
        """Return nothing: the report of the block tells it."""
        return ""


if __name__ == "__main__":
    Carrier(_Lines()).serve()
