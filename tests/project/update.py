"""Renews the exact pins in pyproject.toml: the newest versions that its dependencies allow.

`just update` runs it, outside of the project's environment: a bound that contradicts a pin, which
is what it is there to resolve, would keep that from being made.
"""

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit


def locked(lock: Mapping[str, Any]) -> list[str]:
    """Return `name==version` of each package that a lock file names, but for the project's own."""
    packages = [package for package in lock["package"] if "registry" in package["source"]]
    return [
        f"{name}=={version}"
        for name, version in sorted((p["name"], p["version"]) for p in packages)
    ]


def pinned(settings: str, pins: Iterable[str]) -> str:
    """Return the text of a pyproject.toml with these pins in place of those that it has."""
    document = tomlkit.parse(settings)
    constraints = document["tool"]["uv"]["constraint-dependencies"]
    constraints.clear()
    constraints.extend(pins)
    constraints.multiline(multiline=True)
    return tomlkit.dumps(document)


def update(project: Path) -> None:
    """Resolve anew and write the pins; pyproject.toml is as it was when that fails.

    Raises `subprocess.CalledProcessError` when uv, whose message is on standard error by then,
    cannot resolve.
    """
    settings, lock = project / "pyproject.toml", project / "uv.lock"
    before = settings.read_text(encoding="utf-8")
    try:
        # uv obeys the pins as long as they are there.
        settings.write_text(pinned(before, []), encoding="utf-8")
        subprocess.run(["uv", "lock", "--upgrade"], cwd=project, check=True)
        pins = locked(tomlkit.parse(lock.read_text(encoding="utf-8")))
        settings.write_text(pinned(before, pins), encoding="utf-8")
        subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True)
    except BaseException:
        settings.write_text(before, encoding="utf-8")
        raise


if __name__ == "__main__":
    try:
        update(Path.cwd())
    except subprocess.CalledProcessError:
        sys.exit("uv could not resolve; pyproject.toml is as it was")
