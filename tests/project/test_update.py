"""The pins are renewed by what uv resolves, and nothing else of pyproject.toml changes."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.project.update import update

PROJECT = Path(__file__).parents[2]
SETTINGS = """\
[project]
name = "a-project"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["thing>=1"]  # a comment

[tool.uv]
package = false
# Every package, at the version that was tried.
constraint-dependencies = [
    "gone==0.1",
    "thing==1.0",
]

[tool.other]
kept = [ 1,2 ]
"""


def make_wheel(folder: Path, name: str, version: str, needs: str = "") -> None:
    """Make an empty wheel."""
    information = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{information}/METADATA", metadata)
        wheel.writestr(f"{information}/WHEEL", tag)
        wheel.writestr(f"{information}/RECORD", "")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of uv's, and a folder of wheels, which is all that uv knows."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "thing", "1.0")
    make_wheel(wheels, "thing", "2.0", "Requires-Dist: another\n")
    make_wheel(wheels, "another", "3.0")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(SETTINGS)
    return project


def test_pins_are_the_newest_that_go_together(project: Path) -> None:
    """A newer version, what it needs, and nothing that is needed no more; the rest stays."""
    update(project)
    assert (project / "pyproject.toml").read_text() == SETTINGS.replace(
        '    "gone==0.1",\n    "thing==1.0",\n', '    "another==3.0",\n    "thing==2.0",\n'
    )


def test_a_pin_does_not_stand_in_the_way_of_a_bound(project: Path) -> None:
    """A bound that contradicts its pin is what there is to be resolved."""
    settings = project / "pyproject.toml"
    settings.write_text(SETTINGS.replace("thing>=1", "thing>=2"))
    update(project)
    assert '"thing==2.0"' in settings.read_text()


def test_nothing_changes_when_uv_cannot_resolve(project: Path) -> None:
    """A dependency that there is not is said in a line, and the pins are as they were."""
    settings = project / "pyproject.toml"
    settings.write_text(SETTINGS.replace("thing>=1", "no-such-thing"))
    before = settings.read_text()
    ended = subprocess.run(
        [sys.executable, PROJECT / "tests/project/update.py"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "uv could not resolve; pyproject.toml is as it was"
    assert "no-such-thing" in ended.stderr
    assert settings.read_text() == before
