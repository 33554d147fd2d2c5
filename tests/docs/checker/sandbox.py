"""A copy of the project in a temporary folder, in which the commands of one page run.

A sandbox is what a reader has after cloning and `uv sync --extra dev`: the project's files, an
environment of its own, and nothing of the process that runs the checker. No command that stays
inside of its working folder can touch the checkout.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

COLUMNS = 80

# Variables of whoever runs the checker that would change what a command prints or where it works.
_PRIVATE_PREFIXES = ("COV_", "GITHUB_", "GRPC_", "JUST_", "PYTEST_", "PYTHON")
_PRIVATE = frozenset(
    {
        "BUILD_NUMBER",
        "CI",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
        "UV_PROJECT_ENVIRONMENT",
        "UV_RUN_RECURSION_DEPTH",
        "VIRTUAL_ENV",
    }
)

# Names that a copy of a project that is no git checkout leaves out.
_NOT_COPIED = (".git", ".venv", "site", "__pycache__", ".*_cache")

# Seconds that a process has to vanish after the block's shell has ended, before it counts as left
# behind: the kernel reaps a killed child a moment after `kill` returns.
_GRACE = 2.0


class SandboxError(Exception):
    """The sandbox could not be made; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One command that ran: what it printed, standard error included, and its exit status."""

    lines: tuple[str, ...]
    status: int


@dataclass(frozen=True, kw_only=True)
class Session:
    """The commands of one block that ran, and how their shell ended when it did not just end."""

    runs: tuple[Run, ...]
    trouble: str = ""
    """What went wrong with the command after the last of `runs`; empty when nothing did."""
    unfinished: tuple[str, ...] = ()
    """What that command had printed."""


class Sandbox:
    """A page's copy of the project; a context manager that leaves no file and no process."""

    def __init__(self, project: Path) -> None:
        """Copy the project and install it as `uv sync --extra dev` does.

        Raises `SandboxError` when there is no uv, or when it cannot install.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="docs-sandbox-")).resolve()
        self.root = self._folder / project.name
        self._environment = _environment(self._folder / "tmp")
        (self._folder / "tmp").mkdir()
        try:
            copy_project(project, self.root)
            if (self.root / "pyproject.toml").exists():
                self._install()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _install(self) -> None:
        uv = shutil.which("uv", path=self._environment["PATH"])
        if uv is None:
            raise SandboxError("the docs checker needs uv on the PATH: pip install uv")
        done = subprocess.run(
            [uv, "sync", "--quiet", "--extra", "dev"],
            cwd=self.root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SandboxError(f"uv sync --extra dev failed in the sandbox:\n{done.stderr}")

    def write(self, name: str, text: str) -> None:
        """Write a file below the sandbox's root, over one of the same name."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @property
    def places(self) -> tuple[str, ...]:
        """Return the paths that only this run has: of the sandbox, and of the interpreter."""
        return str(self._folder), sys.base_prefix

    def python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the checker's own Python in the sandbox's root, both outputs in `stdout`."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def run(self, commands: Sequence[str], *, seconds: float) -> Session:
        """Run commands one after the other in one bash, as a reader would paste them.

        `seconds` is the time that all of them have together. Standard input is closed. Whatever
        process is left when the shell has ended, or when the time is up, is killed and reported.
        """
        mark = f"docs-checker-{uuid.uuid4().hex}"
        script = self._folder / "tmp" / f"{mark}.sh"
        output = self._folder / "tmp" / f"{mark}.out"
        script.write_text(_script(commands, mark), encoding="utf-8")
        with output.open("wb") as stream:
            shell = subprocess.Popen(
                ["bash", "--noprofile", "--norc", str(script)],
                cwd=self.root,
                env=self._environment | {"DOCS_BLOCK": mark},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
            trouble = ""
            try:
                shell.wait(seconds)
            except subprocess.TimeoutExpired:
                trouble = f"did not end within {seconds:g} s, standard input closed"
            finally:
                left = _end(mark, at_once=shell.poll() is None)
                shell.wait()
        text = output.read_bytes().decode(errors="replace")  # carriage returns as they are
        script.unlink()
        output.unlink()
        *ended, rest = _split(text, mark)
        runs = tuple(Run(lines=_lines(printed), status=status) for printed, status in ended)
        if not trouble and len(runs) < len(commands):
            trouble = f"ended the shell with exit status {shell.returncode}"
        elif not trouble and left:
            trouble = f"left a process behind: {left}"
        return Session(runs=runs, trouble=trouble, unfinished=_lines(rest[0]))


def copy_project(project: Path, target: Path) -> None:
    """Copy the files that git would clone or offer to add, and uv.lock where there is one."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=project,
        capture_output=True,
        check=False,
    )
    if listed.returncode or not (project / ".git").exists():
        shutil.copytree(project, target, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        return
    names = [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    # With the lock file, uv asks no registry for what it already has.
    for name in [*names, "uv.lock"]:
        source = project / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def _environment(temporary: Path) -> dict[str, str]:
    """Return the variables for a command: the reader's, with output that is the same anywhere."""
    own = Path(sys.prefix) / "bin"
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _PRIVATE and not name.startswith(_PRIVATE_PREFIXES)
    }
    return kept | {
        # Without the checker's own environment, where a page would find what its reader lacks.
        "PATH": os.pathsep.join(
            entry
            for entry in os.environ.get("PATH", os.defpath).split(os.pathsep)
            if sys.prefix == sys.base_prefix or Path(entry) != own
        ),
        "COLUMNS": f"{COLUMNS}",
        "LINES": "24",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "TERM": "dumb",
        # Standard output and standard error in the order in which a terminal shows them.
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(temporary),
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON": str(Path(sys.executable).resolve()),
    }


def _script(commands: Sequence[str], mark: str) -> str:
    """Return a bash script that prints the mark and the exit status after each command."""
    lines = ["exec 9>&1", "docs_status=0"]
    for command in commands:
        quoted = "'" + command.replace("'", "'\\''") + "'"
        lines += [
            f"(exit $docs_status); eval {quoted} 9>&-",
            "docs_status=$?",
            f"printf '\\n%s %d\\n' {mark} $docs_status >&9",
        ]
    return "\n".join([*lines, "exit 0", ""])


def _split(text: str, mark: str) -> list[tuple[str, int]]:
    """Return what each command printed with its status; last, what came after the last mark."""
    parts: list[tuple[str, int]] = []
    while True:
        printed, found, text = text.partition(f"\n{mark} ")
        if not found:
            return [*parts, (printed, 0)]
        status, _, text = text.partition("\n")
        parts.append((printed, int(status)))


def _lines(text: str) -> tuple[str, ...]:
    """Return lines as a terminal shows them: tabs expanded, a carriage return overwrites."""
    lines = [
        line.removesuffix("\r").rpartition("\r")[2].expandtabs().rstrip()
        for line in text.split("\n")
    ]
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def _end(mark: str, *, at_once: bool) -> str:
    """Kill what the block started; return the command line of a process that outlived it."""
    deadline = time.monotonic() + (0 if at_once else _GRACE)
    while (processes := _descendants(mark)) and time.monotonic() < deadline:
        psutil.wait_procs(processes, timeout=0.1)
    left = ""
    while processes:
        for process in processes:
            try:
                left = left or " ".join(process.cmdline())
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(processes, timeout=1)
        processes = _descendants(mark)
    return left


def _descendants(mark: str) -> list[psutil.Process]:
    """Return the running processes of a block, those that made a session of their own too."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get("DOCS_BLOCK") == mark:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
