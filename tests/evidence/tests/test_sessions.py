"""A session over a copy of a suite tells how it ended and what it reported of each test."""

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.evidence.environments import Environment
from tests.evidence.outcome import Outcome
from tests.evidence.sessions import suite_session
from tests.evidence.subjects import LEAKING_SUITE, SUITES

HERE = Environment(python=Path(sys.executable), release="", packages={"pytest": version("pytest")})


def test_reports_are_those_of_the_session() -> None:
    """Each test has the verdict that the session's summary counts."""
    ended = suite_session(HERE, SUITES / "module_fixture.py")
    assert ended.outcome is Outcome.PASSED
    assert ended.verdicts() == {f"test_shares[{number}]": ["passed"] for number in range(6)}


@pytest.mark.parametrize(
    ("arguments", "set_ups"), [([], 1), (["--forked"], 6), (["-n", "2", "--dist", "each"], 2)]
)
def test_set_ups_of_a_module_fixture_are_counted(arguments: list[str], set_ups: int) -> None:
    """Whichever process builds the fixture, its note is counted."""
    assert len(suite_session(HERE, SUITES / "module_fixture.py", arguments).notes) == set_ups


def test_a_crash_ends_a_plain_session() -> None:
    """The session is lost with its signal; the test after the crash has no verdict."""
    ended = suite_session(HERE, SUITES / "crash_in_body.py")
    assert (ended.outcome, ended.signal) == (Outcome.CRASHED, "SIGSEGV")
    assert ended.verdicts() == {"test_before": ["passed"], "test_crashes": []}


@pytest.mark.parametrize("where", ["body", "teardown"])
def test_forked_names_the_test_that_crashes(where: str) -> None:
    """It is failed, whether its body or its teardown crashes; the others have their own verdict."""
    ended = suite_session(HERE, SUITES / f"crash_in_{where}.py", ["--forked"])
    assert ended.outcome is Outcome.FAILED
    assert ended.verdicts() == {
        "test_before": ["passed"],
        "test_crashes": ["failed"],
        "test_after": ["passed"],
    }


def test_both_verdicts_of_a_test_are_seen() -> None:
    """pytest-xdist reports a test as passed, and as failed when its teardown has crashed."""
    ended = suite_session(HERE, SUITES / "crash_in_teardown.py", ["-n", "1"])
    assert ended.verdicts()["test_crashes"] == ["failed", "passed"]


def test_the_processor_time_of_a_session_is_that_of_all_its_processes() -> None:
    """It is known only of a metered one; what a forked test computes is a part of it."""
    plain, forked = (
        suite_session(HERE, SUITES / "module_fixture.py", options, metered=True)
        for options in ([], ["--forked"])
    )
    assert plain.cpu > 0
    assert forked.cpu > 0
    assert suite_session(HERE, SUITES / "module_fixture.py").cpu == 0
    assert plain.verdicts() == forked.verdicts()


def test_a_session_runs_under_another_program() -> None:
    """That program is given the interpreter and its arguments."""
    ended = suite_session(HERE, SUITES / "one_test.py", under=["env", "PYTEST_ADDOPTS=--co"])
    assert ended.outcome is Outcome.PASSED
    assert ended.verdicts() == {}


def test_a_leak_crashes_and_its_cures_do_not() -> None:
    """The leaking suite dies as it is, and passes with its servers stopped or guarded."""
    assert suite_session(HERE, LEAKING_SUITE).outcome.lost
    assert suite_session(HERE, LEAKING_SUITE, ["--stopped"]).outcome is Outcome.PASSED
    assert suite_session(HERE, LEAKING_SUITE, ["-p", "grpc_guard"]).outcome is Outcome.PASSED


def test_one_session_per_file_survives_in_the_other_files() -> None:
    """The worst session tells the outcome; the reports of all are kept."""
    ended = suite_session(HERE, SUITES / "crash_in_body.py", two_modules=True, per_file=True)
    assert ended.outcome is Outcome.CRASHED
    assert [report.test for report in ended.reports if report.when == "call"] == ["test_before"] * 2


def test_a_session_that_runs_no_test_is_refused() -> None:
    """A mistaken option is no failed test."""
    assert suite_session(HERE, LEAKING_SUITE, ["--no-such-option"]).outcome is Outcome.REFUSED
