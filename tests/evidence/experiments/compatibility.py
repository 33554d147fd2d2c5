"""Whether `--forked` works at all, for each pytest and pytest-forked."""

from collections.abc import Mapping, Sequence

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import NEWEST, Environment
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, dated, listing, provenance, share, table
from tests.evidence.records import Record
from tests.evidence.sessions import Session, repeated, suite_session
from tests.evidence.subjects import NEWEST_PYTHON, OLDER_PYTEST, SUITES

SUITE = SUITES / "one_test.py"
OLDEST_FORKED = "1.6.0"
RUNS = 3


def run_one_test(environment: Environment) -> Session:
    """Run one test that passes, with `--forked`."""
    return suite_session(environment, SUITE, ["--forked"])


def message(ended: Session) -> str:
    """Return what pytest says of the test, without the folder it ran in; nothing if it passed."""
    said = [report.message for report in ended.reports if report.outcome == "failed"]
    return said[0].strip().rpartition(": ")[2].splitlines()[0] if said else ""


def _measure(bench: Bench) -> Finding:
    sessions = [run_one_test(bench.environment) for _ in range(bench.runs)]
    messages = sorted({message(ended) for ended in sessions} - {""})
    return Finding(runs=bench.runs, **repeated(sessions), facts={"messages": messages})


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            experiment="compatibility",
            parameters={"pytest": pytest, "pytest-forked": forked},
            python=NEWEST_PYTHON,
            packages={"pytest": pytest, "pytest-forked": forked},
            runs=RUNS,
            measure=_measure,
            inputs=[SUITE],
        )
        for pytest in (OLDER_PYTEST, pins["pytest"], NEWEST)
        for forked in (OLDEST_FORKED, NEWEST)
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    measured = [record for record in records if not record.unavailable]
    versions = [
        (record.packages["pytest"], record.packages["pytest-forked"]) for record in measured
    ]
    by_version = dict(zip(versions, measured, strict=True))
    columns = list(dict.fromkeys(forked for _, forked in versions))
    rows = list(dict.fromkeys(pytest for pytest, _ in versions))
    messages: dict[str, list[str]] = {}
    for (pytest, forked), record in by_version.items():
        for text in record.facts["messages"]:
            messages.setdefault(text, []).append(f"pytest {pytest} with pytest-forked {forked}")
    return {
        "table": table(
            ["pytest", *(f"pytest-forked {forked}" for forked in columns)],
            (
                [
                    pytest,
                    *(_verdict(by_version.get((pytest, forked))) for forked in columns),
                ]
                for pytest in rows
            ),
        ),
        "messages": "\n".join(f"- `{text}`: {listing(who)}." for text, who in messages.items())
        or "None fails.",
        "dated": dated(measured),
        "measured": provenance(measured, "just evidence compatibility"),
    }


def _verdict(record: Record | None) -> str:
    if record is None:
        return NOT_MEASURED
    passed = record.count("passed")
    works = {record.runs: "works", 0: "every test fails"}.get(passed, "sometimes works")
    return f"{works}: {share(passed, record.runs)} passed"


EXPERIMENT = Experiment(
    name="compatibility",
    cells=_cells,
    sections=_sections,
    varies=frozenset({"pytest", "pytest-forked"}),
)
