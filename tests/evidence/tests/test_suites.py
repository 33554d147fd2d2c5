"""What the guard says of suites over published packages: each leak, and nothing else."""

from tests.evidence import records
from tests.evidence.__main__ import DOCS, EXPERIMENTS
from tests.evidence.experiments import suites
from tests.evidence.outcome import Outcome
from tests.evidence.sessions import Report, Session


def left(test: str, message: str) -> Report:
    """Return the report of a teardown that fails, or passes when there is no message."""
    outcome = "failed" if message else "passed"
    return Report(test=test, when="teardown", outcome=outcome, message=message)


def test_reports_are_held_against_what_leaks() -> None:
    """Rightly named, wrongly named, missed, and named at a line that is not the suite's."""
    here, elsewhere = "left it (created at test_thing.py:3)", "left it (created at /lib/thing.py:3)"
    reports = (
        left("test_leaks", here),
        left("test_leaks_too", ""),
        left("test_stops", elsewhere),
        left("test_next", ""),
    )
    guarded = Session(outcome=Outcome.FAILED, signal="", seconds=1.0, output="", reports=reports)
    assert suites.reports(["test_leaks", "test_leaks_too", "test_stops", "test_next"], guarded) == {
        "named": ["test_leaks"],
        "wrong": ["test_stops"],
        "missed": ["test_leaks_too"],
        "at no line of the suite": ["test_stops"],
    }


def test_each_suite_has_a_package() -> None:
    """No suite of the folder is left out, and each package has one."""
    modules = {path.stem for path in suites.FOLDER.glob("test_*.py")}
    assert modules == {f"test_{name.replace('-', '_')}" for name in suites.PACKAGES}


def test_no_package_is_accused_falsely() -> None:
    """Every leak in the suites over packages is named, at a line of the suite, and nothing else."""
    for record in records.read(EXPERIMENTS["suites"].data(DOCS)):
        if record.unavailable:
            continue
        assert record.outcomes == {"passed": record.runs}, record.name
        wrong = {k: record.facts[k] for k in ("wrong", "missed", "at no line of the suite")}
        assert not any(wrong.values()), (record.name, wrong)
