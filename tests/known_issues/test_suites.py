"""The suites of the known issues fail and are cured as they say, with the project's packages."""

from pathlib import Path

import pytest
from mkdocs_blocks.printed import PrintedBlock, PrintedCommand

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
    installed = [line for line in run.lines if not line.startswith("cp ")]
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


def test_a_run_installs_pins_when_it_names_no_other_version() -> None:
    """Nor another package, in any of its lines, nor bounds that may mean another version."""
    lines = "uv run --no-project --with a==1 x\nuv run --no-project --with a==1 --with 'b{}' x"

    def run(bounds: str) -> suites.Run:
        return suites.Run(
            suite=suites.ROOT / "sample",
            name="fails",
            command=lines.format(bounds),
            status=1,
            message=("a",),
            control=("b",),
        )

    pins = {"a": "1", "b": "2"}
    assert run("==2").installs(pins)
    assert not any(run(bounds).installs(pins) for bounds in ("==3", "<3", ""))
    assert not run("==2").installs({"a": "1"})


def _shown(*commands: tuple[str, str, int]) -> PrintedBlock:
    return PrintedBlock(
        line=1,
        commands=tuple(
            PrintedCommand(text=text, output=output, status=status)
            for text, output, status in commands
        ),
    )


def test_a_page_ends_a_run_where_it_shows_what_is_promised() -> None:
    """The same command with other files, another message or another status is another run."""
    run = suites.Run(
        suite=suites.ROOT / "sample",
        name="fails",
        command="uv run --no-project --with pytest==9 pytest\nuv run --no-project --with x pytest",
        status=1,
        message=("1 failed",),
        control=("the control",),
    )
    first, second = ((line, "the control\n", 0) for line in run.lines)
    failed = (run.lines[1], "1 failed\n", 1)
    for other in (
        _shown(first, second),
        _shown(first, (run.lines[1], "1 failed\n", 0)),
        _shown(first, (run.lines[1], "2 failed\n", 1)),
        _shown(first),
        _shown(failed, first),
        _shown(first, ("echo $?", "0", 0), failed),
    ):
        assert suites.on_page(run, [other]) is None
        ended = suites.on_page(run, [other, _shown(("cp a b", "", 0), first, failed)])
        assert ended == suites.Ended(output="the control\n\n1 failed\n", status=1)
