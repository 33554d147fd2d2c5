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


def write(path: Path, text: str) -> Path:
    """Write a file, and the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_whatever_installs_the_old_pin_installs_the_new_one(project: Path) -> None:
    """Pages, the runs of the known issues and headers of scripts; every other version stays."""
    page = write(project / "docs/deep/page.md", "$ uv run --with thing==1.0 --with thing==0.9 x\n")
    other = write(project / "docs/other.md", "something==1.0 thing==1.0.1 thing 1.0\n")
    runs = write(
        project / "examples/known_issues/x/runs.toml",
        'command = "uv run --with Thing==1.0 x"\ncontrol = ["thing 1.0 is here"]\n',
    )
    script = write(
        project / "tests/script.py",
        '# /// script\n# dependencies = ["thing==1.0"]\n# ///\nPIN = "thing==1.0"\n',
    )
    before = other.read_text()
    assert update(project) == [page, runs, script]
    assert page.read_text() == "$ uv run --with thing==2.0 --with thing==0.9 x\n"
    assert other.read_text() == before
    assert runs.read_text() == (
        'command = "uv run --with Thing==2.0 x"\ncontrol = ["thing 2.0 is here"]\n'
    )
    assert script.read_text() == (
        '# /// script\n# dependencies = ["thing==2.0"]\n# ///\nPIN = "thing==1.0"\n'
    )


def test_nothing_else_changes_when_no_pin_has_moved(project: Path) -> None:
    """A second time there is nothing to do."""
    page = write(project / "docs/page.md", "thing==1.0\n")
    assert update(project) == [page]
    assert update(project) == []


def test_a_page_is_as_it_was_when_uv_cannot_resolve(project: Path) -> None:
    """Pages follow the pins, and these have not moved."""
    page = write(project / "docs/page.md", "thing==1.0\n")
    settings = project / "pyproject.toml"
    settings.write_text(SETTINGS.replace("thing>=1", "no-such-thing"))
    with pytest.raises(subprocess.CalledProcessError):
        update(project)
    assert page.read_text() == "thing==1.0\n"
