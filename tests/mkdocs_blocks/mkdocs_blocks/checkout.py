"""The project's files: which they are, a copy of them, and whether a block has changed them."""

import contextlib
import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What a folder that is no git checkout has, and what its reader would not get.
_NOT_THEIRS = frozenset({".git", ".venv", "__pycache__", "node_modules"})
# Lock files that git ignores: with them, an installer asks no registry for what it already has.
_LOCK_FILES = ("uv.lock", "poetry.lock", "pdm.lock")

_MOST_HASHED = 1024 * 1024
"""Bytes. Of a larger file, another size or time is taken for a change."""
_GIT_SECONDS = 60


def project_files(project: Path) -> list[str]:
    """Return the names of the files that git has or would offer to add; without git, of all.

    Folders are not named, symbolic links to them are. A lock file is named also when it is ignored.
    """
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=project,
            # A git hook that runs the checker has set some for its own repository.
            env={name: value for name, value in os.environ.items() if name[:4] != "GIT_"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_GIT_SECONDS,
        )
        names = dict.fromkeys(os.fsdecode(name) for name in listed.stdout.split(b"\0") if name)
        if listed.returncode:
            names.clear()
    except (OSError, subprocess.TimeoutExpired):
        names = {}
    if not names:
        return list(_walk(str(project)))
    for name in _LOCK_FILES:
        names[name] = None
    return [name for name in names if _is_file(f"{project}/{name}")]


def _is_file(path: str) -> bool:
    """Tell whether something is there that can be copied as a file or a link."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _walk(root: str) -> Iterator[str]:
    """Yield all files but for environments, caches and the built site."""
    for at, folders, files in os.walk(root):
        below = "" if at == root else f"{at[len(root) + 1 :]}/"
        for name in [*folders]:
            linked = os.path.islink(f"{at}/{name}")  # noqa: PTH114 - quick
            if linked:
                yield f"{below}{name}"
            if (
                linked
                or name in _NOT_THEIRS
                or (name[0] == "." and name.endswith("_cache"))
                or (name == "site" and not below)
                or os.path.exists(f"{at}/{name}/pyvenv.cfg")  # noqa: PTH110 - quick
            ):
                folders.remove(name)
        for name in files:
            if name != ".git" and _is_file(f"{at}/{name}"):
                yield f"{below}{name}"


def copy_project(project: Path, target: Path) -> None:
    """Copy a project's files into a folder that is made for them: modes and times are kept.

    Symbolic links are copied as they are. Raises `OSError`.
    """
    target.mkdir()
    made = {""}
    for name in project_files(project):
        _make_folder(str(target), name.rpartition("/")[0], made)
        source, copy = f"{project}/{name}", f"{target}/{name}"
        try:
            found = os.lstat(source)
            if stat.S_ISLNK(found.st_mode):
                os.symlink(os.readlink(source), copy)  # noqa: PTH115, PTH211 - quick
                continue
            _copy_file(source, copy, found)
        except FileNotFoundError:  # removed since it was listed
            continue


def _make_folder(root: str, name: str, made: set[str]) -> None:
    if name not in made:
        _make_folder(root, name.rpartition("/")[0], made)
        with contextlib.suppress(FileExistsError):
            os.mkdir(f"{root}/{name}")  # noqa: PTH102 - quick
        made.add(name)


def _copy_file(source: str, copy: str, found: os.stat_result) -> None:
    """Copy a file; shutil looks at each four times more."""
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = stat.S_IMODE(found.st_mode) & 0o777
        writing = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode | 0o600)
        try:
            for data in _read(reading, found.st_size):
                written = os.write(writing, data)
                while written < len(data):
                    written += os.write(writing, data[written:])
            os.utime(writing, ns=(found.st_atime_ns, found.st_mtime_ns))
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _read(file: int, size: int) -> Iterator[bytes]:
    """Yield a file's content; `size` is what it is thought to be."""
    while data := os.read(file, min(size + 1, 1024 * 1024)):
        yield data
        size -= len(data)
        if size == 0:
            return
        size = max(size, 0)


@dataclass(frozen=True)
class _State:
    """A file at the time of a look at it."""

    look: tuple[int, ...]
    """What `lstat` says. Its time of the last change of state cannot be set back."""
    content: bytes


class Checkout:
    """The state of a project's files, which no block may change."""

    def __init__(self, project: Path) -> None:
        """Take the state."""
        self._project = project
        self._states: dict[str, _State] = {}
        self._folders: dict[str, tuple[int, ...]] = {}
        """Where a new file would be: the looks of the folders of files, and of those in them."""
        self.take_again()

    def take_again(self) -> None:
        """Take the state as it is now."""
        states = {}
        for name in project_files(self._project):
            with contextlib.suppress(OSError):
                look = _look(f"{self._project}/{name}")
                before = self._states.get(name)
                if before is None or before.look != look:
                    before = _State(look, _content(f"{self._project}/{name}", look))
                states[name] = before
        self._states = states
        self._folders = self._look_at_folders()

    def changes(self) -> list[str]:
        """Return the names of the files that were changed, added or removed since then."""
        changed = set()
        folders = self._look_at_folders()
        if folders != self._folders:
            changed = set(project_files(self._project)) ^ self._states.keys()
        for name, before in self._states.items():
            path = f"{self._project}/{name}"
            try:
                look = _look(path)
                if look == before.look:
                    changed.discard(name)  # as it was, but git has been told to ignore it
                elif look[0] != before.look[0] or _content(path, look) != before.content:
                    changed.add(name)
                else:
                    self._states[name] = _State(look, before.content)
            except OSError:
                changed.add(name)
        if not changed:
            self._folders = folders
        return sorted(changed)

    def _look_at_folders(self) -> dict[str, tuple[int, ...]]:
        known = {""}
        for name in self._states:
            folder = name.rpartition("/")[0]
            while folder not in known:
                known.add(folder)
                folder = folder.rpartition("/")[0]
        looks = {}
        for name in known:
            with contextlib.suppress(OSError), os.scandir(f"{self._project}/{name}") as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        looks[entry.path] = _look(entry.path)
        with contextlib.suppress(OSError):
            looks[""] = _look(str(self._project))
        return looks


def _look(path: str) -> tuple[int, ...]:
    found = os.lstat(path)
    return found.st_mode, found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def _content(path: str, look: tuple[int, ...]) -> bytes:
    """Return what tells a content from another one."""
    mode, size, _, changed, _ = look
    if stat.S_ISLNK(mode):
        return os.fsencode(os.readlink(path))  # noqa: PTH115 - quick
    if size > _MOST_HASHED:
        return f"{size} {changed}".encode()
    reading = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        content = hashlib.blake2b()
        for data in _read(reading, size):
            content.update(data)
        return content.digest()
    finally:
        os.close(reading)
