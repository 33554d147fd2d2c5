"""Installed, the guard is at work in every layout; copied, with the one line of its docstring."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from examples.grpc_guard.tests.suites import GUARD, HEAD, LEAK, LEAKING_SUITE, Suite

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

LINE = (
    'import sys; sys.path.append(__file__.removesuffix("conftest.py")); '
    'pytest_plugins = ["grpc_guard"]'
)
INI = (LEAKING_SUITE / "pytest.ini").read_text()
IMPORTLIB = f"{INI}addopts = --import-mode=importlib\n"


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and the sdist, built anew."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(["uv", "build", "--quiet", "--out-dir", folder, GUARD], check=True)
    return folder


@pytest.fixture(scope="session")
def installed(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel is installed; on the path, it is there as in an environment."""
    folder = tmp_path_factory.mktemp("installed") / "site-packages"
    (wheel,) = distributions.glob("*.whl")
    command = ["uv", "pip", "install", "--quiet", "--no-deps", f"--target={folder}", f"{wheel}"]
    subprocess.run(command, check=True)
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, run where the guard cannot be imported from."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    root = tmp_path / "project"
    root.mkdir()
    return root


def lay_out(root: Path, layout: str) -> tuple[Path, list[str]]:
    """Lay out the leaking suite; give the folder of its top conftest, and pytest's arguments."""
    tests = root if "flat" in layout else root / "tests"
    unit = tests / "unit" if "nested" in layout else tests
    unit.mkdir(parents=True, exist_ok=True)
    shutil.copy(LEAKING_SUITE / "conftest.py", tests)
    shutil.copy(LEAKING_SUITE / "test_worker.py", unit)
    if unit != tests:
        (unit / "conftest.py").write_text("")
    if "package" in layout:
        (tests / "__init__.py").touch()
        (unit / "__init__.py").touch()
    if "src" in layout:
        (root / "src" / "app").mkdir(parents=True)
        (root / "src" / "app" / "__init__.py").touch()
    ini = root / ("config/pytest.ini" if "elsewhere" in layout else "pytest.ini")
    ini.parent.mkdir(exist_ok=True)
    ini.write_text(IMPORTLIB if "importlib" in layout else INI)
    elsewhere = ["-c", str(ini), f"--rootdir={ini.parent}", str(tests)]
    return tests, elsewhere if "elsewhere" in layout else []


def run(root: Path, arguments: list[str], path: Path | None = None) -> str:
    """Run a project's tests as its developers do; give what was printed."""
    result = subprocess.run(
        ["pytest", "-p", "no:cacheprovider", "-q", *arguments],
        cwd=root,
        env=os.environ | ({} if path is None else {"PYTHONPATH": str(path)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return result.stdout


LAYOUTS = (
    "flat",
    "package",
    "nested",
    "nested package",
    "src",
    "flat, importlib",
    "importlib",
    "package, importlib",
    "rootdir elsewhere",
    "package, rootdir elsewhere",
)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_installed(project: Path, installed: Path, layout: str) -> None:
    """Where the wheel is installed there is nothing to write, in any layout."""
    _, arguments = lay_out(project, layout)
    assert "25 passed, 1 warning" in run(project, arguments, installed)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_copied(project: Path, layout: str) -> None:
    """The file next to the top conftest is at work by the one line that it shows."""
    tests, arguments = lay_out(project, layout)
    shutil.copy(GUARD / "grpc_guard.py", tests)
    with (tests / "conftest.py").open("a") as conftest:
        conftest.write(LINE)
    assert "25 passed, 1 warning" in run(project, arguments)


def test_the_line_is_the_one_that_the_file_shows() -> None:
    """The docstring and the README show the line that is tested here."""
    assert LINE in (GUARD / "grpc_guard.py").read_text()
    assert LINE in (GUARD / "README.md").read_text()


@pytest.mark.parametrize("layout", ["flat", "package", "importlib"])
def test_copied_and_named_in_the_ini_file(project: Path, layout: str) -> None:
    """Two lines of the ini file do as well, where a conftest is not to be touched."""
    tests, arguments = lay_out(project, layout)
    shutil.copy(GUARD / "grpc_guard.py", tests)
    ini = (project / "pytest.ini").read_text()
    added = f"pythonpath = {'.' if layout == 'flat' else 'tests'}\naddopts = -p grpc_guard "
    if "addopts = " in ini:
        ini = ini.replace("addopts = ", added)
    else:
        ini += f"{added}\n"
    (project / "pytest.ini").write_text(ini)
    assert "25 passed, 1 warning" in run(project, arguments)


def test_copied_beside_other_plugins(project: Path) -> None:
    """A conftest that has plugins already gets the guard's name added to them."""
    tests, arguments = lay_out(project, "package")
    shutil.copy(GUARD / "grpc_guard.py", tests)
    (tests / "ours.py").write_text("def pytest_report_header(): return 'ours is here'\n")
    with (tests / "conftest.py").open("a") as conftest:
        conftest.write('\npytest_plugins = ["tests.ours"]\n' + LINE.replace(" = ", " += "))
    printed = run(project, ["-v", *arguments])
    assert "25 passed, 1 warning" in printed
    assert "ours is here" in printed


@pytest.mark.parametrize("layout", ["flat", "package"])
@pytest.mark.parametrize("options", [[], ["-p", "grpc_guard"]], ids=str)
def test_copied_and_installed(
    project: Path, installed: Path, layout: str, options: list[str]
) -> None:
    """Where the wheel is installed too, it is the one at work, and once."""
    tests, arguments = lay_out(project, layout)
    shutil.copy(GUARD / "grpc_guard.py", tests)
    with (tests / "conftest.py").open("a") as conftest:
        conftest.write(LINE)
    printed = run(project, ["-v", *options, *arguments], installed)
    assert "25 passed, 1 warning" in printed
    assert "grpc_guard: " not in printed


def test_two_under_different_names(project: Path, installed: Path) -> None:
    """A copy that is loaded by another name says that it leaves the work to the first."""
    tests, arguments = lay_out(project, "package")
    shutil.copy(GUARD / "grpc_guard.py", tests)
    with (tests / "conftest.py").open("a") as conftest:
        conftest.write('pytest_plugins = ["tests.grpc_guard"]')
    printed = run(project, ["-v", *arguments], installed)
    assert "25 passed, 1 warning" in printed
    assert f"grpc_guard: {tests / 'grpc_guard.py'} is loaded too, and leaves the work" in printed


def test_a_copy_says_what_it_is(project: Path) -> None:
    """Its line in the header has the distribution that it is from, the version and the licence."""
    tests, arguments = lay_out(project, "flat")
    shutil.copy(GUARD / "grpc_guard.py", tests)
    with (tests / "conftest.py").open("a") as conftest:
        conftest.write(LINE)
    assert re.search(
        r"^grpc_guard: a copy of pytest-grpc-guard \d+\.\d+\.\d+, MIT$",
        run(project, ["-v", *arguments]),
        re.MULTILINE,
    )


def test_what_is_distributed(distributions: Path) -> None:
    """One module, its metadata and its licence; the version is the module's."""
    (wheel,) = distributions.glob("*.whl")
    (sdist,) = distributions.glob("*.tar.gz")
    version = re.search(
        r'^__version__ = "(.*)"$', (GUARD / "grpc_guard.py").read_text(), re.MULTILINE
    )
    assert version is not None
    assert wheel.name == f"pytest_grpc_guard-{version[1]}-py3-none-any.whl"
    assert sdist.name == f"pytest_grpc_guard-{version[1]}.tar.gz"
    listed = subprocess.run(
        ["python", "-m", "zipfile", "-l", wheel], capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"^(\S+\.py)\s", listed, re.MULTILINE) == ["grpc_guard.py"]
    assert "licenses/LICENSE" in listed
    assert f"## {version[1]}" in (GUARD / "CHANGELOG.md").read_text()
    assert (GUARD / "LICENSE").read_text() == (GUARD.parents[1] / "LICENSE").read_text()


@pytest.mark.parametrize(
    "old", ["sys.version_info = (3, 8, 20, 'final', 0)", "pytest.version_tuple = (7, 4, 4)"]
)
def test_too_old(suite: Suite, old: str) -> None:
    """Under an older Python or pytest, one line says which it needs."""
    suite.write(f"import pytest, sys\n{old}\n", "older.py")
    suite.write(HEAD + LEAK)
    result = suite.run_plainly("-p", "older", "-p", "grpc_guard")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == result.errlines[:1]
    result.stderr.fnmatch_lines(["ERROR: grpc_guard * needs Python 3.9 and pytest 8, or later; *"])
