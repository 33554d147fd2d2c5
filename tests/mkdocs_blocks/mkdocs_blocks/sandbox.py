"""The temporary folder in which the blocks of one page run: a copy of the project, or empty.

A sandbox is what a reader has after a clone and an install: the project's files, a home folder and
variables of its own, and nothing of the process that runs the checker. An empty one is what a
reader has who pastes from the page alone: uv, and no environment. No command that stays below its
working and home folders can touch anything else.
"""

import contextlib
import fcntl
import fnmatch
import os
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mkdocs_blocks import bash
from mkdocs_blocks.checkout import copy_project, project_files
from mkdocs_blocks.process_tree import remove
from mkdocs_blocks.processes import MOST_BYTES, Ended, StartError, Supervisor, working_in

__all__ = [
    "COLUMNS",
    "Run",
    "Sandbox",
    "SandboxError",
    "ScriptRun",
    "Session",
    "project_files",
    "run_folder",
    "sweep",
    "visible_variables",
]

COLUMNS = 80

_PREFIX = "mkdocs-blocks-"
_OWNER = "owner"
"""A file that is locked for as long as the folder has an owner: it can't outlive its process, and
no other process can be taken for it."""
_UNOWNED_SECONDS = 60

_MOST_NAMED = 3
_TAIL = 30
"""Lines of an installer's output that an error shows at the most."""

# Where to reach the network, and whom to believe there: a reader's own are as good.
_NETWORK = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("NODE_EXTRA_CA_CERTS", "PIP_CERT", "GIT_SSL_CAINFO"),
    *("[A-Z]*_PROXY", "[a-z]*_proxy"),
)
# Of the installers: where they keep what they have already, and whether they may ask for more.
_KEPT_FOLDERS = ("UV_CACHE_DIR", "UV_PYTHON_INSTALL_DIR", "PIP_CACHE_DIR")
_INSTALLERS = (*_KEPT_FOLDERS, "UV_CONFIG_FILE", "PIP_CONFIG_FILE", "UV_OFFLINE")


class SandboxError(Exception):
    """The sandbox could not be made, or not written to; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A command that ran to its end."""

    text: str
    """What it printed, standard error included, as it was printed."""
    status: int


@dataclass(frozen=True, kw_only=True)
class Session:
    """The commands of one block that ran, and how their shell ended when it did not just end."""

    runs: tuple[Run, ...]
    trouble: str = ""
    """What went wrong with the command after the last of `runs`, or, if all are there, after the
    last one; empty when nothing did."""
    unfinished: str = ""
    """What that command had printed."""


@dataclass(frozen=True, kw_only=True)
class ScriptRun:
    """A script that ran."""

    status: int
    """Its exit status, negative for a signal, -9 if it was ended."""
    text: str
    """What it printed, standard error included."""
    line: int = 0
    """The line of the script, from 1, at which it stopped; 0 when it just ended, or is unknown."""
    trouble: str = ""
    """What went wrong but for its status; empty when nothing did."""


class Sandbox:
    """A page's folder; a context manager that leaves no file and no process."""

    def __init__(
        self,
        project: Path | None,
        supervisor: Supervisor,
        *,
        install: Sequence[str] = (),
        variables: Sequence[str] = (),
        seconds: float = 300,
    ) -> None:
        """Copy the project, and install it with the command `install` if there is one.

        Without a project, do neither: the folder is empty, and no environment is on the PATH.
        `variables` are names, or patterns of names, of variables that the page's blocks may see.
        The install may take `seconds`. Raises `SandboxError` when the sandbox cannot be made.
        """
        self._supervisor = supervisor
        self._project = project
        self._folder, self._owner = _make_folder(supervisor)
        try:
            name = project.resolve().name or "project" if project else "empty"
            self.root = self._folder / name
            # Beside the copy, which may be called as they are: a project may be called `home`.
            own = self._folder / ("own" if name != "own" else "beside")
            self.environment: Mapping[str, str] = {
                **visible_variables(variables, installs=bool(install), empty=project is None),
                **{variable: str(own / place) for variable, place in _OWN_FOLDERS.items()},
            }
            for place in _OWN_FOLDERS.values():
                (own / place).mkdir(parents=True)
            _copy_settings(own / _OWN_FOLDERS["HOME"])
            if project is None:
                self.root.mkdir()
                self._link_uv()
                return
            try:
                copy_project(project, self.root)
            except OSError as error:
                raise SandboxError(f"the project cannot be copied: {error}") from None
            if install:
                self._install(install, seconds)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the copy, while other things go on; it is gone when the supervisor is closed."""
        if self._owner >= 0:
            os.close(self._owner)
            self._owner = -1
            self._supervisor.remove(self._folder)

    @property
    def python(self) -> Path:
        """Return the interpreter of the sandbox's own environment, or else the checker's."""
        own = self.root / ".venv" / "bin" / "python"
        return own if self._installed and own.exists() else Path(sys.executable)

    @property
    def places(self) -> tuple[str, ...]:
        """Return the paths that only this machine has: of sandbox, project, Python and caches."""
        kept = (self.environment[name] for name in _KEPT_FOLDERS if name in self.environment)
        project = [str(self._project)] if self._project else []
        return str(self._folder), *project, sys.prefix, sys.base_prefix, *kept

    _installed = False

    def _link_uv(self) -> None:
        """Put uv on the PATH where only an environment has it: a reader has it elsewhere."""
        path = self.environment["PATH"]
        links = self._folder / "bin"
        for name in ("uv", "uvx"):
            found = shutil.which(name)
            if found and not shutil.which(name, path=path):
                links.mkdir(exist_ok=True)
                (links / name).symlink_to(found)
        if links.is_dir():
            self.environment = {**self.environment, "PATH": f"{links}{os.pathsep}{path}"}

    def _install(self, install: Sequence[str], seconds: float) -> None:
        command = " ".join(install)
        try:
            ended = self._run(install, seconds=seconds)
        except StartError as error:
            raise SandboxError(
                f"the install command `{command}` cannot be started ({error}): "
                f"put {install[0]} on the PATH"
            ) from None
        trouble = _trouble(ended, seconds)
        if ended.status or trouble:
            trouble = trouble or f"failed with status {ended.status}"
            lines = ended.output.decode(errors="replace").splitlines()[-_TAIL:]
            raise SandboxError(
                "\n".join([f"the install command `{command}` {trouble} in the sandbox", *lines])
            )
        self._installed = True
        # It chose the interpreter of the environment that is there now. A block's own
        # `uv pip install` would take it for the environment to install into.
        self.environment = {
            name: value for name, value in self.environment.items() if name != "UV_PYTHON"
        }

    def _run(
        self,
        program: Sequence[str | Path],
        *,
        seconds: float,
        most_bytes: int = MOST_BYTES,
        script: bytes = b"",
        prelude: bytes = b"",
    ) -> Ended:
        if os.path.realpath(self.root) != str(self.root):
            # A block that has put a link in its place would let the next ones work elsewhere.
            raise StartError("the folder of the sandbox is a link now")
        extra = {"BASH_ENV": bash.PRELUDE_FILE} if prelude else {}
        return self._supervisor.run(
            program,
            folder=self.root,
            variables={**self.environment, **extra},
            seconds=seconds,
            most_bytes=most_bytes,
            script=script,
            prelude=prelude,
        )

    def write(self, name: str, text: str) -> None:
        """Write a file below the sandbox's root, in the place of one of the same name.

        Raises `SandboxError` when the name leads out of the sandbox, by a link that a block has
        made too, or cannot be a file's.
        """
        try:
            data = text.encode()
            path = self._below_root(name)
            _write(self.root, path, data)
        except SandboxError:
            raise
        except (OSError, ValueError, RuntimeError) as error:  # a loop of links is the latter
            what = error.strerror if isinstance(error, OSError) else "it is no file name"
            raise SandboxError(f"{name!r} cannot be written: {what}") from None

    def _below_root(self, name: str) -> Path:
        """Return the real place of a file, below the real root."""
        if not name.strip() or name.endswith(("/", "/.", "/..")) or name in {".", ".."}:
            raise SandboxError(f"{name!r} cannot be written: write the name of a file")
        path = (self.root / name).resolve()
        if path.is_symlink():  # what a loop of links is resolved to since Python 3.13
            raise SandboxError(f"{name!r} cannot be written: it is a loop of links")
        try:
            below = path.relative_to(self.root)
        except ValueError:
            raise SandboxError(f"{name!r} cannot be written: it leads out of the sandbox") from None
        if below == Path():
            raise SandboxError(f"{name!r} cannot be written: it is a folder")
        return below

    def console(self, commands: Sequence[str], *, seconds: float) -> Session:
        """Run commands one after the other in one bash, as a reader would paste them.

        `seconds` is the time that all of them have together. Standard input is closed. Whatever
        process is left when the shell has ended, or when the time is up, is killed and reported.
        """
        if any("\0" in command for command in commands):
            return Session(runs=(), trouble="has a null byte, which bash cannot read")
        console = bash.Console(commands)
        try:
            ended = self._run(bash.CONSOLE, seconds=seconds, script=console.text)
        except StartError as error:
            return Session(runs=(), trouble=f"cannot be run: {error}")
        printed, rest = console.split(ended.output)
        runs = tuple(Run(text=_decoded(text), status=status) for text, status in printed)
        trouble = _trouble(ended, seconds)
        if ended.trouble == "supervisor" and len(runs) + 1 < len(commands):
            trouble = f"or a later command {trouble}"  # what was told of them is lost
        elif not trouble and len(runs) < len(commands):
            trouble = f"ended the shell {_by(ended.status)}"
        elif not trouble and ended.left:
            trouble = _left(ended)
        return Session(runs=runs, trouble=trouble, unfinished=_decoded(rest) if trouble else "")

    def script(self, text: str, *, seconds: float) -> ScriptRun:
        """Run a script as it is with `bash -e`; standard input is closed."""
        try:
            ended = self._run(
                bash.STRICT,
                seconds=seconds,
                script=text.encode(errors="surrogateescape") or b"\n",
                prelude=bash.prelude,
            )
        except StartError as error:
            return ScriptRun(status=127, text="", trouble=f"cannot be run: {error}")
        status = -signal.SIGKILL if ended.status is None else ended.status
        trouble = _trouble(ended, seconds)
        if not trouble and ended.left:
            trouble = _left(ended)
        return ScriptRun(
            status=status,
            text=_decoded(ended.output),
            line=bash.stopped_at(text, ended.trace, ended.output) if status else 0,
            trouble=trouble,
        )

    def program(
        self, arguments: Sequence[str | Path], *, seconds: float, most_bytes: int = MOST_BYTES
    ) -> Ended:
        """Run a program in the sandbox's root. Raises `SandboxError` if it cannot be started."""
        try:
            return self._run(arguments, seconds=seconds, most_bytes=most_bytes)
        except StartError as error:
            raise SandboxError(f"{arguments[0]} cannot be started: {error}") from None


_OWN_FOLDERS = {"TMPDIR": "tmp", "HOME": "home"}


def visible_variables(
    patterns: Sequence[str] = (), *, installs: bool = False, empty: bool = False
) -> dict[str, str]:
    """Return the variables that blocks see, but for the folders of their sandbox.

    None but those that a list names is the checker's; the others make output the same anywhere.
    `installs`: the sandbox has an environment of its own, so the checker's is not on the PATH.
    `empty`: it has none, and none is on the PATH.
    """
    allowed = ("TZ", *_NETWORK, *_INSTALLERS, *patterns)
    kept = {
        name: value
        for name, value in os.environ.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in allowed)
    }
    own = f"{sys.prefix}/bin"
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if empty:
        path = [entry for entry in path if not _is_of_environment(entry)]
    elif installs and sys.prefix != sys.base_prefix:
        # A page would find there what its reader lacks.
        path = [entry for entry in path if Path(entry) != Path(own)]
    elif own not in path:
        path = [own, *path]
    home = Path(os.environ.get("HOME") or "~").expanduser()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    mac = home / "Library" / "Caches"
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    found = {
        "UV_CACHE_DIR": caches / "uv",
        "UV_PYTHON_INSTALL_DIR": data / "uv" / "python",
        "PIP_CACHE_DIR": (mac if sys.platform == "darwin" else caches) / "pip",
    }
    return {
        **{name: str(place) for name, place in found.items() if place.is_dir()},
        **kept,
        **({"UV_PYTHON": str(Path(sys.executable).resolve())} if installs and not empty else {}),
        "PATH": os.pathsep.join(path),
        "COLUMNS": f"{COLUMNS}",
        "LINES": "24",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "TERM": "dumb",
        # Standard output and standard error in the order in which a terminal shows them.
        "PYTHONUNBUFFERED": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_NO_PROGRESS": "1",
    }


def _is_of_environment(entry: str) -> bool:
    """Tell whether an entry of the PATH has the programs of a virtual environment."""
    return Path(entry).is_absolute() and Path(entry).parent.joinpath("pyvenv.cfg").is_file()


def _copy_settings(home: Path) -> None:
    """Give the installers a copy of what they are told in the home folder of who runs this.

    Not by a variable: with UV_CONFIG_FILE, uv does not read the project's own settings.
    """
    real = Path(os.environ.get("HOME") or "~").expanduser()
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or real / ".config")
    places = {
        settings / "uv" / "uv.toml": ".config/uv/uv.toml",
        real / ".pip" / "pip.conf": ".pip/pip.conf",
        settings / "pip" / "pip.conf": ".config/pip/pip.conf",
    }
    if sys.platform == "darwin":
        mac = real / "Library" / "Application Support" / "pip" / "pip.conf"
        places[mac] = ".config/pip/pip.conf"
    for source, name in places.items():
        with contextlib.suppress(OSError):
            data = source.read_bytes()
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(data)


def _write(root: Path, name: Path, data: bytes) -> None:
    """Write a file, through no link: none of the folders is one, and what was there is replaced."""
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    folder = os.open(root, flags)
    try:
        for part in name.parts[:-1]:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=folder)
            inner = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = inner
        mode = 0o666
        with contextlib.suppress(FileNotFoundError):
            before = os.stat(name.name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(before.st_mode):
                raise SandboxError(f"{str(name)!r} cannot be written: it is a folder")
            if stat.S_ISREG(before.st_mode):
                mode = stat.S_IMODE(before.st_mode) & 0o777 | 0o600
            # It may have another name elsewhere, or be a pipe.
            os.unlink(name.name, dir_fd=folder)
        file = os.open(
            name.name,
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
            mode,
            dir_fd=folder,
        )
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
    finally:
        os.close(folder)


def _decoded(printed: bytes) -> str:
    return printed.decode(errors="replace")  # carriage returns as they are


def _trouble(ended: Ended, seconds: float) -> str:
    match ended.trouble:
        case "time":
            return f"did not end within {seconds:g} s, standard input closed"
        case "output":
            return f"printed more than {MOST_BYTES // 1024 // 1024} MiB"
        case "supervisor":
            return "ended or stopped the process that started it"
    return ""


def _left(ended: Ended) -> str:
    """Tell what a block has left."""
    more = "" if len(ended.left) <= _MOST_NAMED else " …"
    return f"left a process behind: {', '.join(ended.left[:_MOST_NAMED])}{more}"


def _by(status: int | None) -> str:
    if status is not None and status < 0:
        try:
            return f"by {signal.Signals(-status).name}"
        except ValueError:
            return f"by signal {-status}"
    return f"with exit status {status}"


# Folders and their owners.


def _make_folder(supervisor: Supervisor) -> tuple[Path, int]:
    """Return a new folder, and the lock that says that it has an owner."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}page-")).resolve()
    supervisor.adopt(folder)
    return folder, _own(folder)


def _own(folder: Path) -> int:
    # It has its name when it is locked: another run that sweeps must not find it as nobody's.
    unlocked = folder / f"{_OWNER}.new"
    owner = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(owner, fcntl.LOCK_EX)
    os.write(owner, f"{os.getpid()}\n".encode())
    unlocked.rename(folder / _OWNER)
    return owner


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """Give a folder that goes at the end, or, if this process is killed, with the next `sweep`."""
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}run-") as name:
        owner = _own(Path(name))
        try:
            yield Path(name)
        finally:
            os.close(owner)


def sweep() -> None:
    """Remove what runs that were killed have left: folders without an owner, and who is in them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
            if mine and not _has_owner(folder, found):
                _end_all_in(folder.resolve())
                remove(str(folder))


def _has_owner(folder: Path, found: os.stat_result) -> bool:
    try:
        owner = os.open(folder / _OWNER, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        # Just made, perhaps.
        return time.time() - found.st_mtime < _UNOWNED_SECONDS
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(owner)
    return False


def _end_all_in(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while (found := list(working_in(folder))) and time.monotonic() < deadline:
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
