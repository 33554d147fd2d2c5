"""What becomes of a forked test whose parent process has used gRPC before the fork."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import dated, endings, provenance, table
from tests.evidence.records import Record, find
from tests.evidence.sessions import Session, suite_session
from tests.evidence.subjects import BASE, NEWEST_PYTHON, SUITES

SUITE = SUITES / "fork_traps"
RUNS = 5
SECONDS = 20.0
"""A forked test takes less than one; what has not ended by then never will."""

PARENTS = {
    "nothing": "nothing",
    "closed-channel": "a channel, closed",
    "closed-aio-channel": "a `grpc.aio` channel, closed",
    "open-channel": "a channel, open",
    "open-aio-channel": "a `grpc.aio` channel, open",
    "running-server": "a server, running, that was called",
    "running-aio-server": "a `grpc.aio` server, running, that was called",
    "leaked-aio-server": "a `grpc.aio` server, leaked, that was called",
}
SETTINGS = ("unset", "0", "1")
VARIABLE = "GRPC_ENABLE_FORK_SUPPORT"

# How each ending is told, the best first.
_WORDS = {"passed": "fine", "failed": "fails", "crashed": "crashes", "hung": "hangs"}
# The signal that ended a child, which only pytest-forked has seen, and tells in the test's report.
_CHILD_CRASHED = re.compile(r"running the test CRASHED with signal \d+ \((?P<name>\w+)\)")


def ending(ended: Session) -> tuple[str, str]:
    """Return how the forked test ended, and the signal that ended it."""
    for report in ended.reports:
        crashed = _CHILD_CRASHED.search(report.message)
        if report.outcome == "failed" and crashed:
            return "crashed", crashed["name"]
    return ended.outcome, ended.signal


def _measure(bench: Bench, parent: str, setting: str) -> Finding:
    variables = {"EVIDENCE_PARENT": parent}
    if setting != "unset":
        variables[VARIABLE] = setting
    outcomes: dict[str, int] = {}
    signals: dict[str, int] = {}
    for _ in range(bench.runs):
        ended = suite_session(
            bench.environment, SUITE, ["--forked"], seconds=SECONDS, variables=variables
        )
        outcome, signal = ending(ended)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if signal:
            signals[signal] = signals.get(signal, 0) + 1
    return Finding(runs=bench.runs, outcomes=outcomes, signals=signals)


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            experiment="fork-traps",
            parameters={"parent": parent, "setting": setting},
            python=NEWEST_PYTHON,
            packages={name: pins[name] for name in (*BASE, "pytest-forked")},
            runs=RUNS,
            measure=partial(_measure, parent=parent, setting=setting),
            inputs=[SUITE],
        )
        for parent in PARENTS
        for setting in SETTINGS
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    ended = {
        (parent, setting): endings(find(records, parent=parent, setting=setting), _WORDS)
        for parent in PARENTS
        for setting in SETTINGS
    }
    sections = {
        "table": table(
            ["The parent has", *(_shown(setting) for setting in SETTINGS)],
            (
                [title, *(ended[parent, setting] for setting in SETTINGS)]
                for parent, title in PARENTS.items()
            ),
        ),
        "dated": dated(records),
        "measured": provenance(records, "just evidence fork-traps"),
    }
    for parent in PARENTS:
        said = "; ".join(f"{_shown(setting)}: {ended[parent, setting]}" for setting in SETTINGS)
        sections[parent] = f"With `{VARIABLE}` {said}."
    return sections


def _shown(setting: str) -> str:
    return setting if setting == "unset" else f"`{setting}`"


EXPERIMENT = Experiment(name="fork-traps", cells=_cells, sections=_sections)
