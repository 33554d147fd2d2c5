"""The known issues: each run of their suites, failing and cured, on each Python."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, dated, provenance, share, table
from tests.evidence.records import Record, find, where
from tests.evidence.sessions import repeated
from tests.evidence.subjects import PYTHONS
from tests.known_issues import suites
from tests.known_issues.suites import Run

RUNS = 5
SECONDS = 300.0
"""The most that one attempt may take; what hangs ends itself long before."""


def _measure(bench: Bench, run: Run) -> Finding:
    earlier = [bench.others[name].python.parent for name in _others(run)]
    programs = [*earlier, bench.environment.python.parent]
    attempts = [suites.attempt(run, programs, seconds=SECONDS) for _ in range(bench.runs)]
    lacks = [run.lacks(ended) for ended in attempts]
    return Finding(
        runs=bench.runs,
        **repeated(attempts),
        facts={
            "as promised": lacks.count([]),
            "lacks": sorted({text for texts in lacks for text in texts}),
        },
    )


def _others(run: Run) -> dict[str, dict[str, str]]:
    """Return what the lines before the last one install, by a name for each."""
    return {f"line {n}": versions_of(line) for n, line in enumerate(run.installed[:-1], 1)}


def versions_of(installed: Mapping[str, str]) -> dict[str, str]:
    """Return the packages of a line with their versions, or with their bounds."""
    return {name: bounds.removeprefix("==") for name, bounds in installed.items()}


def _cells(_pins: Pins) -> list[Cell]:
    return [
        Cell(
            experiment="issues",
            parameters={"issue": run.suite.name, "run": run.name, "python": python},
            python=python,
            packages=versions_of(run.installed[-1]),
            others=_others(run),
            runs=RUNS,
            measure=partial(_measure, run=run),
            inputs=[path for path in sorted(run.suite.iterdir()) if not _NO_INPUT.match(path.name)],
            definition=json.dumps([run.command, run.status, run.message, run.control]),
        )
        for run in suites.runs()
        for python in PYTHONS
        if _numbers(python) >= _numbers(run.python)
    ]


# A pin that moves in one run is no change of the others; the rest is what pytest leaves behind.
_NO_INPUT = re.compile(r"runs\.toml$|__pycache__$|\.")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    runs = list(suites.runs())
    return {
        "table": table(
            ["Issue", "Run", *PYTHONS],
            (
                [
                    f"[{run.suite.name}](../known-issues/{run.suite.name}.md)",
                    run.name,
                    *(_shown(records, run, python) for python in PYTHONS),
                ]
                for run in runs
            ),
        ),
        "summary": _summary(records),
        **{section(run.suite.name): _of(records, run.suite.name) for run in runs},
        "measured": provenance(records, "just evidence issues"),
    }


def section(issue: str) -> str:
    """Name the section that says of an issue how often it failed and was cured."""
    return issue.replace(".", "-")


def _shown(records: Sequence[Record], run: Run, python: str) -> str:
    if _numbers(python) < _numbers(run.python):
        return "\N{EN DASH}"
    record = find(records, issue=run.suite.name, run=run.name, python=python)
    if record is None or record.unavailable:
        return record.unavailable if record else NOT_MEASURED
    return share(record.facts["as promised"], record.runs)


def _of(records: Sequence[Record], issue: str) -> str:
    """Say how often an issue failed, and was cured, on all Pythons."""
    measured = [r for r in where(records, issue=issue) if not r.unavailable]
    if not measured:
        return NOT_MEASURED
    said = []
    for word in ("fails", "cured"):
        of_word = [record for record in measured if word in record.parameters["run"]]
        shown = sum(record.facts["as promised"] for record in of_word)
        said.append(f"{word} {share(shown, sum(record.runs for record in of_word))}")
    return f"{dated(measured)}: {', '.join(said)}"


def _summary(records: Sequence[Record]) -> str:
    measured = [record for record in records if not record.unavailable]
    if not measured:
        return f"Not measured yet: {NOT_MEASURED}."
    always = [record for record in measured if record.facts["as promised"] == record.runs]
    issues = {record.parameters["issue"] for record in measured}
    rest = [record for record in measured if record not in always]
    others = "; ".join(
        f"{r.parameters['issue']}, `{r.parameters['run']}`, {r.parameters['python']}" for r in rest
    )
    return (
        f"{len(always)} of {len(measured)} cells of {len(issues)} issues showed each time what "
        f"they promise{f'; not each time: {others}' if others else ''}."
    )


EXPERIMENT = Experiment(
    name="issues",
    cells=_cells,
    sections=_sections,
    varies=frozenset(
        {
            *("grpcio", "grpcio-health-checking", "protobuf"),
            *("pytest", "pytest-asyncio", "pytest-forked"),
        }
    ),
)
