"""The suites of the known issues fail and are cured as they say, with the project's packages."""

from pathlib import Path

import pytest

from tests.known_issues import suites
from tests.known_issues.conftest import Record

RUNS = [run for run in suites.runs() if run.project]


def test_every_folder_is_a_suite() -> None:
    """Each folder has its runs, of which one fails and one is cured, and a pytest.ini."""
    folders = {path for path in suites.ROOT.iterdir() if path.is_dir()}
    assert folders == {run.suite for run in suites.runs()}
    for folder in folders:
        names = [run.name for run in suites.runs() if run.suite == folder]
        assert len(names) == len(set(names))
        assert any("fails" in name for name in names)
        assert any("cured" in name for name in names)
        assert (folder / "pytest.ini").is_file()


@pytest.mark.parametrize(
    "run", list(suites.runs()), ids=lambda run: f"{run.suite.name}: {run.name}"
)
def test_run_is_a_readers(run: suites.Run) -> None:
    """Each command needs nothing but uv, says exactly what it installs, and has a control."""
    lines = run.command.strip().splitlines()
    installed = [line for line in lines if not line.startswith("cp ")]
    assert installed
    assert all(suites.LAUNCHER.search(line) for line in installed)
    assert "uv run" not in run.with_programs([Path("/bin")] * len(run.installed))
    assert run.message
    assert run.control


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.suite.name}: {run.name}")
def test_run(run: suites.Run, record: Record) -> None:
    """The message, the control and the exit status are those that the suite promises."""
    ended = record(run)
    assert not run.lacks(ended), ended.output
