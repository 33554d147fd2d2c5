"""Renews the exact pins in pyproject.toml: the newest versions that its dependencies allow.

What pages, runs.toml files and scripts install at an old pin, they install at the new one then:
`name==1.0` where the pin was 1.0. Any other version stands there on purpose.

`just update` runs it, outside of the project's environment: a bound that contradicts a pin, which
is what it is there to resolve, would keep that from being made.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
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


def moved(before: str, after: str) -> dict[str, tuple[str, str]]:
    """Return the old and the new version of each package whose pin is not the same in both."""
    old, new = (
        dict(pin.split("==", maxsplit=1) for pin in _constraints(settings))
        for settings in (before, after)
    )
    return {
        name: (old[name], new[name]) for name in old.keys() & new.keys() if old[name] != new[name]
    }


def _constraints(settings: str) -> list[str]:
    return list(tomlkit.parse(settings)["tool"]["uv"]["constraint-dependencies"])


def renewed(text: str, pins: Mapping[str, tuple[str, str]], between: str = "==") -> str:
    """Return a text with each moved pin at its new version.

    `between` is a pattern of what stands between the package and its version.
    """
    for name, (old, new) in pins.items():
        spelling = re.escape(name).replace("\\-", "[-_.]")
        text = re.sub(
            rf"(?<![\w.-])({spelling}(?:{between})){re.escape(old)}(?![\w.])",
            rf"\g<1>{new}",
            text,
            flags=re.IGNORECASE,
        )
    return text


def renew(project: Path, pins: Mapping[str, tuple[str, str]]) -> list[Path]:
    """Write the new versions wherever the project installs the old ones; return these files.

    That is on pages, in the runs of the known issues, and in the header of a script. What a run
    prints of its versions is renewed with it; outputs on pages are not: these are run again.
    """
    changed = []
    for path, text, new in _installing(project, pins):
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed


# The metadata of a script that says what it needs: PEP 723.
_HEADER = re.compile(r"^# /// script\n(?:#.*\n)*?# ///$", re.MULTILINE)


def _installing(
    project: Path, pins: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[Path, str, str]]:
    """Give each file that installs something, its text, and what that has to be."""
    for page in sorted((project / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        yield page, text, renewed(text, pins)
    for runs in sorted((project / "examples").rglob("runs.toml")):
        text = runs.read_text(encoding="utf-8")
        yield runs, text, renewed(text, pins, "==| ")
    for folder in ("docs", "examples", "tests"):
        for script in sorted((project / folder).rglob("*.py")):
            text = script.read_text(encoding="utf-8")
            yield script, text, _HEADER.sub(lambda header: renewed(header[0], pins), text)


def update(project: Path) -> list[Path]:
    """Resolve anew and write the pins; pyproject.toml is as it was when that fails.

    Returns the files that have changed with them. Raises `subprocess.CalledProcessError` when uv,
    whose message is on standard error by then, cannot resolve.
    """
    settings, lock = project / "pyproject.toml", project / "uv.lock"
    before = settings.read_text(encoding="utf-8")
    try:
        # uv obeys the pins as long as they are there.
        settings.write_text(pinned(before, []), encoding="utf-8")
        subprocess.run(["uv", "lock", "--upgrade"], cwd=project, check=True)
        pins = locked(tomlkit.parse(lock.read_text(encoding="utf-8")))
        after = pinned(before, pins)
        settings.write_text(after, encoding="utf-8")
        subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True)
    except BaseException:
        settings.write_text(before, encoding="utf-8")
        raise
    return renew(project, moved(before, after))


if __name__ == "__main__":
    try:
        files = update(Path.cwd())
    except subprocess.CalledProcessError:
        sys.exit("uv could not resolve; pyproject.toml is as it was")
    for file in files:
        print(file.relative_to(Path.cwd()))  # noqa: T201 - this is what the command says
    print("Measure again with `just evidence`, then bless what the pages print.")  # noqa: T201 - too
