"""Runs pytest in processes that are forked from one that has imported what a run imports.

Imports are most of a run over a small site, and the tests make some hundreds. Each line of standard
input is one run, as JSON: `arguments`, `folder`, `variables`, `output` (the path of a file). Each
line of standard output is the exit status of one. The process in which MkDocs reads the site is
forked in the same way.
"""

import atexit
import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

_MODULES = (
    *("mkdocs_blocks.run", "mkdocs_blocks.python_blocks", "mkdocs_blocks.summary"),
    *("mkdocs_blocks.build", "mkdocs.commands.build", "mkdocs.contrib.search"),
    *(f"pymdownx.{name}" for name in ("details", "highlight", "snippets", "superfences", "tabbed")),
    *(f"markdown.extensions.{name}" for name in ("admonition", "attr_list", "def_list", "toc")),
    *("markdown.extensions.fenced_code", "markdown.extensions.md_in_html"),
)
_READ_SITE = ["-P", "-m", "mkdocs_blocks.site"]
"""The arguments of the process that reads the site, before its request."""

_Popen = subprocess.Popen
_PATH = sys.path[1:]  # without the folder of this file
_FINDERS = sys.meta_path[:]
_FILTERS = warnings.filters[:]
_SHOW = warnings.showwarning


def _begin_anew(folder: str, variables: Mapping[str, str], output: int) -> None:
    """Make of this process, just forked, one that seems to have just been started."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdin = os.fdopen(0)
    sys.stdout = os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1)
    sys.path[:] = _PATH
    sys.meta_path[:] = _FINDERS
    warnings.filters[:] = _FILTERS  # type: ignore[index] # a list, whatever its type says
    warnings.showwarning = _SHOW
    tempfile.tempdir = None
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    importlib.invalidate_caches()


class _Reader:
    """The process in which MkDocs reads the site, as far as the checker asks a `Popen`."""

    def __init__(self, request: str, options: Mapping[str, Any]) -> None:
        self._process = multiprocessing.get_context("fork").Process(
            target=_read_site, args=(request, options)
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(_READ_SITE, timeout or 0)
        return self._process.exitcode


def _read_site(request: str, options: Mapping[str, Any]) -> None:
    from mkdocs_blocks.build import main  # noqa: PLC0415 - when pytest has imported the plugin

    os.setsid()
    _begin_anew(options["cwd"], options["env"], options["stdout"].fileno())
    (kept,) = options["pass_fds"]
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
    main(json.loads(request))


def _start(command: Sequence[str], **options: Any) -> Any:  # noqa: ANN401 - as Popen has them
    """Start a process as `Popen` does; the one that reads the site is forked."""
    # A fork of several threads might wait for ever for what another one held.
    if list(command[1:4]) == _READ_SITE and threading.active_count() == 1:
        return _Reader(command[4], options)
    return _Popen(command, **options)


def _import_what_runs_import() -> None:
    """Import the plugins as pytest does, and then the modules of a run and of a reading."""
    with (
        Path(os.devnull).open("w") as nothing,
        contextlib.redirect_stdout(nothing),
        contextlib.redirect_stderr(nothing),
    ):
        pytest.main(["--version"])
    for name in _MODULES:
        importlib.import_module(name)
    gc.freeze()  # a collection would copy what the processes share


def _asked() -> list[str]:
    """Fork a process for each run that is asked for; return the arguments, in that process."""
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            output = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            _begin_anew(asked["folder"], asked["variables"], output)
            os.close(output)
            sys.path.insert(0, asked["folder"])  # as `python -m` does
            arguments: list[str] = asked["arguments"]
            return arguments
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    sys.exit()


if __name__ == "__main__":
    _import_what_runs_import()
    sys.argv[1:] = _asked()
    subprocess.Popen = _start  # type: ignore[assignment,misc] # for the checker, which asks no more of it
    try:
        runpy.run_module("pytest", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        # What is left to do takes as long as all before: it frees what this process shares.
        atexit._run_exitfuncs()  # noqa: SLF001 - as an interpreter that ends
        sys.stdout.flush()
        os._exit(int(ended.code or 0))
