"""Where the guard is at work: a session is guarded, or told what to write, or neither."""

import pytest

from tests.evidence import records
from tests.evidence.__main__ import DOCS, EXPERIMENTS
from tests.evidence.experiments import adoption
from tests.evidence.outcome import Outcome
from tests.evidence.records import Record
from tests.evidence.sessions import Session

LEAK = "conftest.py:36: GrpcLeakWarning: The fixture 'worker' left 24 grpc.aio servers running (..."
ADVICE = "Please move it to a top level conftest file at the rootdir:"


def session(outcome: Outcome, output: str = "") -> Session:
    """Return a session that ended so and printed this."""
    return Session(outcome=outcome, signal="", seconds=1.0, output=output)


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (session(Outcome.PASSED, f"{LEAK}\n"), ("guarded", "")),
        (session(Outcome.PASSED, f"{LEAK}\n{LEAK}\n"), ("failed", "")),
        (session(Outcome.PASSED), ("failed", "")),
        (session(Outcome.FAILED, f"{LEAK}\n"), ("failed", "")),
        (session(Outcome.REFUSED, f"E   {ADVICE}\nE     /a/folder\n"), ("told", ADVICE)),
        (session(Outcome.REFUSED, "ERROR: No module named 'grpc_guard'\n"), ("failed", "")),
        (session(Outcome.BROKE, f"{ADVICE}\n"), ("failed", "")),
    ],
)
def test_a_session_is_guarded_or_told_or_neither(ended: Session, verdict: tuple[str, str]) -> None:
    """One that passes in silence, or tells one line twice, is not guarded."""
    assert adoption.verdict(ended) == verdict


def test_every_layout_is_guarded_or_told() -> None:
    """Of each way that the instructions name, in each layout, for each pytest and Python."""
    measured = records.read(EXPERIMENTS["adoption"].data(DOCS))
    switched_on = [r for r in measured if r.parameters["way"] != adoption.NOT_AT_ALL]
    assert {r.facts["verdict"] for r in switched_on if not r.unavailable} == {"guarded", "told"}
    installed = [r for r in switched_on if r.parameters["way"] == adoption.INSTALLED]
    assert {r.facts["verdict"] for r in installed if not r.unavailable} == {"guarded"}


def test_what_pytests_disagree_about_is_told_of_each() -> None:
    """A square of the matrix does not hide that one pytest has failed."""
    matrix = [
        Record(
            parameters={"python": "3.13", "pytest": pytest, "layout": "flat", "way": "installed"},
            date="2001-01-01",
            platform="here",
            packages={"pytest": pytest},
            facts={"verdict": verdict},
        )
        for pytest, verdict in {"8.4.2": "failed", "9.1.1": "guarded"}.items()
    ]
    sections = EXPERIMENTS["adoption"].sections(matrix)
    assert "| flat | failed by 8.4.2, guarded by 9.1.1 | not measured |" in sections["matrix"]
    assert "1/2 were guarded, 0/2 were told" in sections["summary"]
