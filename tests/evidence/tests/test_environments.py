"""Environments have exactly what was asked for, or there is a word for why they cannot."""

import inspect
import sys
import zipfile
from pathlib import Path

import pytest

from tests.evidence.environments import (
    NEWEST,
    NO_INTERPRETER,
    NO_WHEEL,
    Environments,
    Unavailable,
    Unreachable,
    pins,
)

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def make_wheel(folder: Path, version: str, tag: str = "py3-none-any") -> None:
    """Make an empty wheel of a package named thing."""
    information = f"thing-{version}.dist-info"
    with zipfile.ZipFile(folder / f"thing-{version}-{tag}.whl", "w") as wheel:
        wheel.writestr(
            f"{information}/METADATA", f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{information}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        wheel.writestr(f"{information}/RECORD", "")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which is all that uv knows."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return folder


def test_exact_versions_are_installed(tmp_path: Path, wheels: Path) -> None:
    """The version that was asked for, not a newer one; and the interpreter's own version."""
    for version in ("1.0", "2.0"):
        make_wheel(wheels, version)
    environments = Environments(tmp_path / "environments")
    old, new = (environments.make(PYTHON, {"thing": version}) for version in ("1.0", NEWEST))
    assert old.packages["thing"] == "1.0"
    assert new.packages["thing"] == "2.0"
    assert old.release.startswith(f"{PYTHON}.")
    assert old.python != new.python


def test_an_environment_is_made_once(tmp_path: Path, wheels: Path) -> None:
    """The same packages give the same environment, also when they can no longer be had."""
    make_wheel(wheels, "1.0")
    made = Environments(tmp_path / "environments").make(PYTHON, {"thing": "1.0"})
    (wheels / "thing-1.0-py3-none-any.whl").unlink()
    assert Environments(tmp_path / "environments").make(PYTHON, {"thing": "1.0"}) == made


def test_a_folder_is_built_and_installed(tmp_path: Path) -> None:
    """A distribution of this project is there as its wheel, anew when a file of it has changed."""
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "thing"\nversion = "1.0"\n'
    )
    (folder / "backend.py").write_text(
        f"import zipfile\nfrom pathlib import Path\n\n{inspect.getsource(make_wheel)}\n"
        "def build_wheel(directory, *_):\n    make_wheel(Path(directory), '1.0')\n"
        "    return 'thing-1.0-py3-none-any.whl'\n"
    )
    environments = Environments(tmp_path / "environments")
    first = environments.make(PYTHON, {"thing": str(folder)})
    assert first.packages["thing"] == "1.0"
    assert environments.make(PYTHON, {"thing": str(folder)}) == first
    (folder / "more.py").touch()
    assert environments.make(PYTHON, {"thing": str(folder)}).python != first.python


def test_no_wheel_is_a_finding(tmp_path: Path, wheels: Path) -> None:
    """A package that has wheels for other interpreters only is unavailable, by that word."""
    make_wheel(wheels, "1.0", "cp27-cp27m-win32")
    with pytest.raises(Unavailable, match=f"^{NO_WHEEL}$"):
        Environments(tmp_path / "environments").make(PYTHON, {"thing": "1.0"})


def test_no_interpreter_is_a_finding(tmp_path: Path) -> None:
    """A Python that uv does not find is unavailable, by that word."""
    with pytest.raises(Unavailable, match=f"^{NO_INTERPRETER}$"):
        Environments(tmp_path / "environments").make("3.99", {})


@pytest.mark.usefixtures("wheels")
def test_an_unknown_version_is_an_error(tmp_path: Path) -> None:
    """A version that there never was is no finding about wheels."""
    with pytest.raises(ValueError, match="thing"):
        Environments(tmp_path / "environments").make(PYTHON, {"thing": "1.0"})


def test_no_network_says_nothing_of_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network nothing is found out, and the message says so."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    with pytest.raises(Unreachable, match="package index"):
        Environments(tmp_path / "environments").make(PYTHON, {"grpcio": NEWEST})


def test_without_uv_nothing_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unreachable, match="pip install uv"):
        Environments(tmp_path / "environments").make(PYTHON, {})


def test_pins_are_those_of_the_project(tmp_path: Path) -> None:
    """Each pin is a name and an exact version."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.uv]\nconstraint-dependencies = ["grpcio==1.85.1", "pytest==9.1.1"]\n'
    )
    assert pins(tmp_path) == {"grpcio": "1.85.1", "pytest": "9.1.1"}
