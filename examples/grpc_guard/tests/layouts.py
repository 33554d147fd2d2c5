"""How projects lay out their tests, and the ways to switch the guard on in each of them."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.grpc_guard.tests.suites import GUARD, LEAKING_SUITE

if TYPE_CHECKING:
    from pathlib import Path

LINE = (
    'import sys; sys.path.append(__file__.removesuffix("conftest.py")); '
    'pytest_plugins = ["grpc_guard"]'
)
"""What the docstring, the README and the pages say to write."""
OTHER_PLUGINS = 'pytest_plugins = ["pytester"]'
# Fails where the conftest's own list was lost.
_KEEPS_THEM = """
def pytest_sessionstart(session):
    assert session.config.pluginmanager.has_plugin("pytester")
"""
TOO_DEEP = "conftest below the top"
"""The layout whose conftest pytest finds when it collects: it then reads no list of plugins."""
LAYOUTS = (
    "flat",
    "package",
    "nested",
    "nested package",
    "src",
    "src, tests inside",
    "flat, importlib",
    "importlib",
    "package, importlib",
    "rootdir elsewhere",
    "package, rootdir elsewhere",
    TOO_DEEP,
)


@dataclass(frozen=True)
class Project:
    """The leaking suite in some layout."""

    root: Path
    """Where pytest is run."""
    top: Path
    """The folder of the conftest into which the line goes, and beside which the file is copied."""
    ini: Path
    arguments: tuple[str, ...]
    """What pytest is given, where it would not find the tests by itself."""

    def copy(self) -> None:
        """Copy the one file."""
        shutil.copy(GUARD / "grpc_guard.py", self.top)

    def add(self, text: str) -> None:
        """Add to the conftest."""
        with (self.top / "conftest.py").open("a") as conftest:
            conftest.write(f"\n{text}\n")

    def name_in_ini(self) -> None:
        """Write the two lines of the ini file that do without the conftest."""
        text = self.ini.read_text()
        options = "-p grpc_guard"
        if "addopts" in text:
            text, _, others = text.partition("addopts = ")
            options = f"{options} {others.strip()}"
        path = os.path.relpath(self.top, self.ini.parent)
        self.ini.write_text(f"{text}pythonpath = {path}\naddopts = {options}\n")


def lay_out(root: Path, layout: str) -> Project:
    """Lay out the leaking suite below a folder that is made for it."""
    inside = "src" in layout and "inside" in layout
    tests = root if "flat" in layout else root / ("src/app/tests" if inside else "tests")
    below = layout == TOO_DEEP
    unit = tests / "unit" if "nested" in layout or below else tests
    unit.mkdir(parents=True, exist_ok=True)
    if "src" in layout:
        (root / "src/app").mkdir(parents=True, exist_ok=True)
        (root / "src/app/__init__.py").touch()
    shutil.copy(LEAKING_SUITE / "conftest.py", tests)
    shutil.copy(LEAKING_SUITE / "test_worker.py", unit)
    if unit != tests:
        (unit / "conftest.py").touch()
    if "package" in layout or inside:
        (tests / "__init__.py").touch()
        (unit / "__init__.py").touch()
    elsewhere = "elsewhere" in layout
    ini = root / ("config/pytest.ini" if elsewhere else "pytest.ini")
    ini.parent.mkdir(exist_ok=True)
    lines = (
        "testpaths = src/app/tests\n" if inside else "",
        "addopts = --import-mode=importlib\n" if "importlib" in layout else "",
    )
    ini.write_text((LEAKING_SUITE / "pytest.ini").read_text() + "".join(lines))
    arguments = ("-c", str(ini), f"--rootdir={ini.parent}", str(tests)) if elsewhere else ()
    return Project(root, unit if below else tests, ini, arguments)


def _line(project: Project) -> None:
    project.copy()
    project.add(LINE)


def _beside_other_plugins(project: Project) -> None:
    project.copy()
    project.add(f"{OTHER_PLUGINS}\n{LINE.replace(' = [', ' += [')}\n{_KEEPS_THEM}")


def _named_in_ini(project: Project) -> None:
    project.copy()
    project.name_in_ini()


COPIES = {
    "the line": _line,
    "the line, beside other plugins": _beside_other_plugins,
    "the ini file": _named_in_ini,
}
"""The ways to switch a copy on."""
