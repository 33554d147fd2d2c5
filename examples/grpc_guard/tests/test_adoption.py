"""Installed, the guard is at work in every layout; copied, with the one line of its docstring."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from examples.grpc_guard.tests.layouts import COPIES, LAYOUTS, LINE, TOO_DEEP, Project, lay_out
from examples.grpc_guard.tests.suites import GUARD, HEAD, LEAK, Suite

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

# One test that leaks, and the one that calls all servers, say as much as 24 that leak.
FEW = ("-k", "23 or late")
GUARDED = "2 passed, 23 deselected, 1 warning"


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


def run(project: Project, *arguments: str, path: Path | None = None) -> str:
    """Run a project's tests as its developers do; give what was printed."""
    result = subprocess.run(
        ["pytest", "-p", "no:cacheprovider", "-q", *FEW, *arguments, *project.arguments],
        cwd=project.root,
        env=os.environ | ({} if path is None else {"PYTHONPATH": str(path)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return result.stdout


@pytest.mark.parametrize("layout", LAYOUTS)
def test_installed(project: Path, installed: Path, layout: str) -> None:
    """Where the wheel is installed there is nothing to write, in any layout."""
    assert GUARDED in run(lay_out(project, layout), path=installed)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("way", COPIES)
def test_copied(project: Path, layout: str, way: str) -> None:
    """The file next to the top conftest is at work by its line, or by two of the ini file.

    Other plugins of the conftest stay. In a conftest that pytest finds late, it says that the line
    must be elsewhere.
    """
    laid_out = lay_out(project, layout)
    COPIES[way](laid_out)
    printed = run(laid_out)
    if layout == TOO_DEEP and way != "the ini file":
        assert "Please move it to a top level conftest file at the rootdir:" in printed
        assert "INTERNALERROR" not in printed
    else:
        assert GUARDED in printed


def test_the_line_is_the_one_that_the_file_shows() -> None:
    """The docstring and the README show the line that is tested here."""
    assert LINE in (GUARD / "grpc_guard.py").read_text()
    assert LINE in (GUARD / "README.md").read_text()


@pytest.mark.parametrize("layout", ["flat", "package"])
@pytest.mark.parametrize("options", [[], ["-p", "grpc_guard"]], ids=str)
def test_copied_and_installed(
    project: Path, installed: Path, layout: str, options: list[str]
) -> None:
    """Where the wheel is installed too, it is the one at work, and once."""
    laid_out = lay_out(project, layout)
    COPIES["the line"](laid_out)
    printed = run(laid_out, "-v", *options, path=installed)
    assert GUARDED in printed
    assert "grpc_guard: " not in printed


def test_two_under_different_names(project: Path, installed: Path) -> None:
    """A copy that is loaded by another name says that it leaves the work to the first."""
    laid_out = lay_out(project, "package")
    laid_out.copy()
    laid_out.add('pytest_plugins = ["tests.grpc_guard"]')
    printed = run(laid_out, "-v", path=installed)
    copy = laid_out.top / "grpc_guard.py"
    assert GUARDED in printed
    assert f"grpc_guard: {copy} is loaded too, and leaves the work" in printed


def test_a_copy_says_what_it_is(project: Path) -> None:
    """Its line in the header has the distribution that it is from, the version and the licence."""
    laid_out = lay_out(project, "flat")
    COPIES["the line"](laid_out)
    assert re.search(
        r"^grpc_guard: a copy of pytest-grpc-guard \d+\.\d+\.\d+, MIT$",
        run(laid_out, "-v"),
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
