"""Throw-away environments: an interpreter and exact packages, installed by uv from wheels alone."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.evidence.subjects import PROJECT

NEWEST = "newest"
"""In place of a version: whatever the package index offers for this interpreter today."""

NO_WHEEL = "no wheel"
NO_INTERPRETER = "no interpreter"

# Variables of whoever runs the harness that change what uv or a measured process does.
_PRIVATE_PREFIXES = (
    "COV_",
    "COVERAGE_",
    "DOCS_",
    "EVIDENCE_",
    "GRPC_",
    "JUST_",
    "PYTEST_",
    "PYTHON",
)
_PRIVATE = frozenset({"CI", "FORCE_COLOR", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "VIRTUAL_ENV"})


class Unavailable(Exception):  # noqa: N818 - a finding, not an error
    """There can be no such environment: `no wheel` or `no interpreter`."""


class Unmeasurable(Exception):  # noqa: N818 - says what is, not that somebody erred
    """Nothing can be measured, neither so nor so; the message says what is missing."""


class Unreachable(Unmeasurable):
    """uv is missing, or cannot reach what it needs."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment that is ready: its interpreter, and what is installed."""

    python: Path
    release: str
    """The interpreter's full version, such as 3.13.0."""
    packages: Mapping[str, str]
    """Each installed package's version."""


def pins(project: Path) -> dict[str, str]:
    """Read the exact versions that pyproject.toml pins."""
    settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    return dict(
        pin.split("==", maxsplit=1) for pin in settings["tool"]["uv"]["constraint-dependencies"]
    )


def bare_variables() -> dict[str, str]:
    """Return the caller's environment variables without those that would change a measurement."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _PRIVATE and not name.startswith(_PRIVATE_PREFIXES)
    }


class Environments:
    """Makes environments below a folder and keeps them, so that the next run need not."""

    def __init__(self, folder: Path, *, pre_releases: bool = False) -> None:
        """Keep the environments in `folder`, which is made when it is needed.

        `pre_releases` lets the newest version of a package be one.
        """
        self._folder = folder
        self._pre_releases = pre_releases
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def make(self, python: str, packages: Mapping[str, str]) -> Environment:
        """Return an environment of Python `python` (3.13) with each package at its version.

        What the packages themselves need comes at the newest version that fits. In place of a
        version may stand bounds (`>=7.35,<8`), or the folder of a distribution of this project,
        of which a wheel is built. Raises `Unavailable` or `Unreachable`, and `ValueError` when the
        versions contradict each other.
        """
        wanted = {
            name: _digest(PROJECT / version) if _is_folder(version) else version
            for name, version in sorted(packages.items())
        }
        if NEWEST in wanted.values():
            wanted["today"] = f"{datetime.now(tz=UTC):%Y-%m-%d}"
            wanted["pre-releases"] = f"{self._pre_releases}"
        key = hashlib.sha256(json.dumps([python, wanted]).encode()).hexdigest()[:16]
        folder = self._folder / key
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            listing = folder / "packages.json"
            if not listing.exists():
                newest = ">=0.dev0" if self._pre_releases else ""
                _install(folder, python, packages, newest)
            listed = json.loads(listing.read_text(encoding="utf-8"))
        return Environment(
            python=folder / "bin" / "python",
            release=listed["python"],
            packages=listed["packages"],
        )


def _install(folder: Path, python: str, packages: Mapping[str, str], newest: str) -> None:
    """Make an environment; `newest` bounds each package that is wanted at its newest version."""
    shutil.rmtree(folder, ignore_errors=True)
    found = _uv("python", "find", "--no-python-downloads", python)
    if found.returncode:
        raise Unavailable(NO_INTERPRETER)
    made = _uv("venv", "--quiet", "--python", found.stdout.strip(), str(folder))
    if made.returncode:
        raise Unreachable(f"uv could not make an environment:\n{made.stderr}")
    interpreter = folder / "bin" / "python"
    # For the newest version, uv must not answer from its cache.
    refresh = [f"--refresh-package={name}" for name, v in packages.items() if v == NEWEST]
    wheels = ("--only-binary", ":all:")
    with tempfile.TemporaryDirectory(prefix="evidence-") as built:
        installed = _uv(
            *("pip", "install", "--quiet", "--python", str(interpreter), *wheels, *refresh),
            "--compile-bytecode",  # once, and not in each run that is measured
            *(
                _requirement(n, newest if v == NEWEST else v, Path(built))
                for n, v in packages.items()
            ),
        )
    if installed.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise _failure(installed)
    listed = _uv("pip", "list", "--format", "json", "--python", str(interpreter))
    release = subprocess.run(
        [interpreter, "-c", "import platform; print(platform.python_version())"],
        capture_output=True,
        text=True,
        check=True,
    )
    listing = {
        "python": release.stdout.strip(),
        "packages": {entry["name"]: entry["version"] for entry in json.loads(listed.stdout)},
    }
    (folder / "packages.json").write_text(json.dumps(listing), encoding="utf-8")


def _requirement(name: str, version: str, built: Path) -> str:
    """Write a requirement as uv takes it; a distribution that is a folder is built into `built`."""
    if not _is_folder(version):
        return f"{name}{version if version[:1] in '<>=!~' else f'=={version}'}"
    made = _uv(
        "build", "--quiet", "--wheel", "--out-dir", str(built / name), str(PROJECT / version)
    )
    if made.returncode:
        raise Unreachable(f"uv could not build {name}:\n{made.stderr}")
    (wheel,) = (built / name).glob("*.whl")
    return f"{name} @ {wheel.as_uri()}"


def _is_folder(version: str) -> bool:
    return "/" in version


def _digest(folder: Path) -> str:
    """Tell apart what a distribution's folder has, but for what is below it, such as its tests."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return hashlib.sha256(b"".join(f.name.encode() + f.read_bytes() for f in files)).hexdigest()


def _failure(installed: "subprocess.CompletedProcess[str]") -> Exception:
    """Tell why uv installed nothing: it exits with 1 when it has an answer, and that is no."""
    answer = " ".join(installed.stderr.split())
    if installed.returncode == 1 and "network was disabled" not in answer:
        if re.search(r"\bno (?:\w+ )?wheels\b", answer):
            return Unavailable(NO_WHEEL)
        return ValueError(f"these versions do not go together: {answer}")
    return Unreachable(f"uv could not reach the package index: {answer}")


def _uv(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run uv outside of the project, whose settings are not to reach the environments."""
    uv = shutil.which("uv")
    if uv is None:
        raise Unreachable("uv is not on the PATH: pip install uv")
    return subprocess.run(
        [uv, *arguments],
        cwd=tempfile.gettempdir(),
        env=bare_variables() | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
