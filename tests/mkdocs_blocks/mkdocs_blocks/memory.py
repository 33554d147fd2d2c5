"""What passed before: a page whose every input is what it was need not be run again.

The inputs of a page are its blocks, the files of the project, the packages and the interpreter that
its blocks use, the tools that they name, the settings, the variables that they may see, and this
package. A page whose sandbox is empty has no file of the project, but what its own text puts in.
The text of pages is an input only to those pages whose blocks have read it: the time of
the last access to the sandbox's copies tells. What a block takes from the network or from the clock
is no input: a fresh run alone sees that it has changed.
"""

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from mkdocs_blocks.block import Page, SandboxName
from mkdocs_blocks.checkout import project_files
from mkdocs_blocks.kinds.kind import Kind
from mkdocs_blocks.sandbox import Sandbox, visible_variables
from mkdocs_blocks.settings import Settings
from mkdocs_blocks.shell_syntax import uses

FORMAT = 1

# Files that name the exact packages of an installed sandbox: without one of them nobody knows,
# before it is installed, whether the packages are what they were.
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock", "requirements.txt")
_NEVER_READ = 0
"""Access time, in nanoseconds, of a page's copy that no block has read."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A page that passed: its inputs then, and what it was."""

    inputs: str
    """A digest of all inputs but the text of pages."""
    texts: Mapping[str, str]
    """The pages whose text the blocks have read, with digests."""
    when: str
    blocks: int
    seconds: float
    """How long it took, for the order of the next run alone."""


class Memory:
    """The pages that passed, in a folder with a file for each."""

    def __init__(  # noqa: PLR0913 - each is another part of what a proof is made of
        self,
        folder: Path,
        root: Path,
        settings: Settings,
        kinds: Mapping[str, Kind],
        pages: Sequence[Page],
        *,
        fresh: bool,
    ) -> None:
        """Take the inputs that all pages share as they are now; `fresh` recalls nothing."""
        self._folder = folder
        self._root = root
        self._settings = settings
        self._kinds = kinds
        self._fresh = fresh
        self._texts = {page.name: file_digest(root / page.name) for page in pages}
        self._files_now = self._files()
        shared = [asdict(settings), _interpreter(), _packages(), _package_source()]
        self._variables: Mapping[SandboxName, Mapping[str, str]] = {
            "project": visible_variables(settings.variables, installs=bool(settings.install)),
            "empty": visible_variables(settings.variables, empty=True),
        }
        self._shared: Mapping[SandboxName, Sequence[object]] = {
            "project": [*shared, self._variables["project"], sorted(self._texts), self._files_now],
            "empty": [*shared, self._variables["empty"], _pythons(self._variables["empty"])],
        }
        self._passed: dict[str, Proof] = {}

    def recall(self, page: Page) -> Proof | None:
        """Return the proof of a page that need not be run again."""
        return None if self._fresh else self.proof(page)

    def proof(self, page: Page) -> Proof | None:
        """Return the proof of a page, when every input of it is what it was."""
        proof = self._stored(page)
        if proof is None or proof.inputs != self._inputs(page):
            return None
        same = all(self._texts.get(name) == text for name, text in proof.texts.items())
        return proof if same else None

    def seconds(self, page: Page) -> float:
        """Return how long a page took when it last passed; 0 when that is not known."""
        proof = self._stored(page)
        return proof.seconds if proof else 0.0

    @property
    def files(self) -> Sequence[str]:
        """Return the states of the project's files, pages left out, as they are taken for."""
        return self._files_now

    def passed(self, page: Page, sandbox: Sandbox | None, *, blocks: int, seconds: float) -> None:
        """Note that a page passed, while its sandbox is still there; `store` keeps it."""
        inputs = self._inputs(page)
        if inputs:
            self._passed[page.name] = Proof(
                inputs=inputs,
                texts={name: self._texts[name] for name in self._read(page, sandbox)},
                when=datetime.now(tz=UTC).astimezone().isoformat(timespec="minutes"),
                blocks=blocks,
                seconds=seconds,
            )

    def store(self) -> None:
        """Keep the pages that passed, if the files of the project are what they were."""
        if not self._passed or self._files() != self._files_now:
            return
        with contextlib.suppress(OSError):  # what is not kept is run again
            self._folder.mkdir(parents=True, exist_ok=True)
            for name, proof in self._passed.items():
                if file_digest(self._root / name) != self._texts.get(name):
                    continue  # edited meanwhile
                path = self._path(name)
                partial = path.with_suffix(f".{os.getpid()}")
                partial.write_text(json.dumps({"format": FORMAT} | asdict(proof)), encoding="utf-8")
                partial.replace(path)

    def failed(self, page: Page) -> None:
        """Forget a page that has failed."""
        self._passed.pop(page.name, None)
        self._path(page.name).unlink(missing_ok=True)

    def _inputs(self, page: Page) -> str:
        """Return a digest of all inputs but the text of pages; empty when they cannot be known."""
        installs = self._settings.install and page.sandbox == "project"
        if installs and not any((self._root / lock).is_file() for lock in _LOCKS):
            return ""
        path = self._variables[page.sandbox]["PATH"]
        parts = [
            page.sandbox,
            *self._shared[page.sandbox],
            [asdict(block) | {"line": 0, "lines_at": ()} for block in page.blocks],
            [[fault.rule, fault.message] for fault in page.faults],
            sorted(_tools([*self._programs(page), *self._settings.install], path)),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _files(self) -> list[str]:
        return states_of(self._root, without={*self._texts, self._settings.results})

    def _read(self, page: Page, sandbox: Sandbox | None) -> list[str]:
        """Return the pages whose text the blocks of this page have read, or may have."""
        if sandbox is None or page.sandbox == "empty":
            return []
        named = {part for name in self._texts for part in (name, Path(name).name)}
        named |= {Path(name).parts[0] for name in self._texts}
        texts = "\n".join(self._programs(page))
        if uses(texts, named):  # `ls -l docs` and `wc -c` see a text without reading it
            return list(self._texts)
        return [name for name in self._texts if _was_read(sandbox.root / name)]

    def _programs(self, page: Page) -> Iterator[str]:
        """Yield what of the page is run."""
        for block in page.blocks:
            yield from self._kinds[block.kind].programs(block)

    def _stored(self, page: Page) -> Proof | None:
        try:
            stored = json.loads(self._path(page.name).read_text(encoding="utf-8"))
            if stored.pop("format") != FORMAT:
                return None
            return Proof(**stored)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"


def states_of(project: Path, *, without: Collection[str]) -> list[str]:
    """Return the files of a project, each with its state: content, and whether it is a program."""
    found = []
    for name in sorted(set(project_files(project)) - {*without}):
        path = project / name
        if path.is_symlink():
            found.append(f"{name} -> {path.readlink()}")
        elif path.is_file():
            found.append(f"{name} {path.stat().st_mode & 0o111:o} {file_digest(path)}")
    return found


def mark_unread(root: Path, names: Iterable[str]) -> None:
    """Set the access times of a sandbox's pages, so that a later reading shows."""
    for name in names:
        path = root / name
        if path.is_file() and not path.is_symlink():
            os.utime(path, ns=(_NEVER_READ, path.stat().st_mtime_ns))


def _was_read(path: Path) -> bool:
    """Tell whether a copy was read, changed or removed; on a file system without that, yes."""
    try:
        return path.is_symlink() or path.stat().st_atime_ns != _NEVER_READ or not _keeps_atime(path)
    except OSError:
        return True


_known: dict[int, bool] = {}


def _keeps_atime(beside: Path) -> bool:
    """Tell whether the file system notes when a file is read, by reading one."""
    device = beside.parent.stat().st_dev
    if device not in _known:
        probe = beside.parent / f".mkdocs-blocks-{os.getpid()}"
        probe.write_text("read me", encoding="utf-8")
        os.utime(probe, ns=(_NEVER_READ, probe.stat().st_mtime_ns))
        probe.read_text(encoding="utf-8")
        _known[device] = probe.stat().st_atime_ns != _NEVER_READ
        probe.unlink()
    return _known[device]


_digests: dict[tuple[str, int, int, int, int], str] = {}


def file_digest(path: Path) -> str:
    """Return the digest of a file's bytes; of one that has not been touched, without reading it."""
    try:
        stat = path.stat()
        key = (str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        if key not in _digests:
            _digests[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        return _digests[key]
    except OSError:
        return "absent"


def _interpreter() -> list[str]:
    real = Path(sys.executable).resolve()
    return [sys.version, str(real), platform.platform(), _stamp(real)]


def _packages() -> list[str]:
    """Return what is installed for the checker: each package with its version and its record.

    A package that is installed from a folder, and so may change without being installed again,
    counts with the state of that folder's files.
    """
    found = []
    for entry in sys.path:
        folder = Path(entry or ".")
        if not folder.is_dir() or folder.name not in {"site-packages", "dist-packages"}:
            continue
        for path in sorted(folder.iterdir()):
            if path.suffix in {".dist-info", ".egg-info"}:
                found.append(f"{path.name} {_stamp(path / 'RECORD')}")
                found += _editable(path / "direct_url.json")
            elif path.suffix == ".pth":
                found.append(f"{path.name} {file_digest(path)}")
    return found


def _editable(direct: Path) -> Iterator[str]:
    try:
        said = json.loads(direct.read_text(encoding="utf-8"))
        folder = Path(said["url"].removeprefix("file://"))
        if not said["dir_info"].get("editable"):
            return
    except (OSError, ValueError, KeyError, AttributeError):
        return
    for path in sorted(folder.rglob("*.py")):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield f"{path} {file_digest(path)}"


def _pythons(variables: Mapping[str, str]) -> list[str]:
    """Return the interpreters among which uv chooses where no project does, as far as it is cheap.

    Those on the PATH by their usual names, and those that uv has installed.
    """
    found = [shutil.which(name, path=variables["PATH"]) for name in ("python", "python3")]
    installed = Path(variables.get("UV_PYTHON_INSTALL_DIR", "/nowhere"))
    names = sorted(path.name for path in installed.iterdir()) if installed.is_dir() else []
    return [*(f"{path} {_stamp(Path(path).resolve())}" for path in found if path), *names]


def _tools(programs: Iterable[str], path: str) -> Iterator[str]:
    """Return the programs on the PATH that these name, each with its state."""
    words = {"bash", "git"}.union(*(re.findall(r"[\w.+-]+", text) for text in programs))
    for word in sorted(words):
        found = _which(word, path)
        if found:
            yield f"{found} {_stamp(Path(found).resolve())}"


@cache
def _which(word: str, path: str) -> str | None:
    return shutil.which(word, path=path)


def _stamp(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return "absent"
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _package_source() -> list[str]:
    """Return the state of this package's own files."""
    folder = Path(__file__).parent
    return [f"{p.relative_to(folder)} {file_digest(p)}" for p in sorted(folder.rglob("*.py"))]
