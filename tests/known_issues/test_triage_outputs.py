"""What the suites and the crashes really print leads to their pages, and what is cured to none."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence.environments import bare_variables
from tests.known_issues import suites
from tests.known_issues.conftest import PROJECT, Ask, Record

RUNS = list(suites.runs())
SEGFAULT = PROJECT / "examples/segfault"

SILENT = {
    "abandoned-call: fails": "a server that takes its time says nothing",
    "shared-port: shared: fails": "an answer is wrong, in the words of whoever asked",
}
"""Failing runs in whose output no text of any page can stand, by what they are."""

BESIDE = {
    "fork-noise-on-stderr: fails": "its forked child may die, with the message of another page",
}
"""Failing runs in whose output the message of another page can stand, too, and why."""


def _name(run: suites.Run) -> str:
    return f"{run.suite.name}: {run.name}"


def _fails(run: suites.Run) -> bool:
    """Whether a run shows its issue: `fails`, or a cure that is none."""
    return "fails" in run.name or "does not help" in run.name


@pytest.mark.parametrize("run", [run for run in RUNS if _fails(run)], ids=_name)
def test_a_failing_run_leads_to_its_page(run: suites.Run, record: Record, ask: Ask) -> None:
    """Its page is the first; where nothing in the output can tell, none is named."""
    fits = [fit["id"] for fit in ask(record(run).output)]
    if _name(run) in BESIDE:
        assert run.suite.name in fits
        return
    assert fits[:1] == ([] if _name(run) in SILENT else [run.suite.name])


def test_all_that_is_silent_is_a_failing_run() -> None:
    """No excuse outlives its run, and nine of ten runs need none."""
    failing = [_name(run) for run in RUNS if _fails(run)]
    assert set(failing) >= SILENT.keys() | BESIDE.keys()
    assert len(SILENT) < len(failing) / 9


@pytest.mark.parametrize("run", [run for run in RUNS if not _fails(run)], ids=_name)
def test_a_cured_run_does_not_lead_to_its_page(run: suites.Run, record: Record, ask: Ask) -> None:
    """Nothing fits what passes; what fails on purpose is not taken for its issue."""
    ended = record(run)
    fits = [fit["id"] for fit in ask(ended.output)]
    assert run.suite.name not in fits
    assert ended.status or not fits


def test_a_command_tells_what_its_output_does_not(ask: Ask) -> None:
    """Coverage of forked tests is looked into although nothing has failed."""
    for options in ("--forked -n 2 --cov=src", "--cov src tests --forked"):
        (fit,) = ask(f"$ pytest {options}\n2 passed in 1.21s")
        assert fit["id"] == "forked-coverage"
        assert fit["strength"] == "sign"


def _print(*command: str | Path, folder: Path = PROJECT) -> str:
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=bare_variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    ).stdout


@pytest.mark.parametrize(
    "command",
    [
        (SEGFAULT / "repro.py",),
        (SEGFAULT / "pinned.py",),
        ("-m", "pytest", "-p", "no:cacheprovider", SEGFAULT / "leaking_suite/test_worker.py"),
    ],
    ids=["repro", "pinned", "suite"],
)
def test_the_crash_leads_to_its_page(command: tuple[str | Path, ...], ask: Ask) -> None:
    """Whichever program crashes."""
    output = _print(*command)
    assert "Fatal Python error" in output
    assert ask(output)[0]["id"] == "grpc-segfault"


def test_the_hang_leads_to_the_page_of_hangs(ask: Ask) -> None:
    """It is told from others there."""
    assert ask(_print(SEGFAULT / "hang.py"))[0]["id"] == "run-does-not-end"


@pytest.mark.parametrize("program", ["repro.py --stopped", "hang.py --stopped"])
def test_what_is_prevented_leads_nowhere(program: str, ask: Ask) -> None:
    """The same programs with the fix."""
    name, option = program.split()
    output = _print(SEGFAULT / name, option)
    assert ask(output) == []
