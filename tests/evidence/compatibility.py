"""Whether `--forked` works at all, for each pytest and pytest-forked."""

from collections.abc import Mapping, Sequence

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import NEWEST, Environment
from tests.evidence.experiment import PYTHONS, Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, dated, listing, provenance, share, table
from tests.evidence.records import Record
from tests.evidence.sessions import Session, repeated, suite_session
from tests.evidence.strategies import SUITES

SUITE = SUITES / "one_test.py"
OLDER_PYTEST = "8.4.2"
OLDEST_FORKED = "1.6.0"
RUNS = 3


def attempt(environment: Environment) -> Session:
    """Run one test that passes, with `--forked`."""
    return suite_session(environment, SUITE, ["--forked"])


def message(ended: Session) -> str:
    """Give what pytest says of the test, without the folder it ran in; nothing if it passed."""
    said = [report.message for report in ended.reports if report.outcome == "failed"]
    return said[0].strip().rpartition(": ")[2].splitlines()[0] if said else ""


def _measure(bench: Bench) -> Finding:
    sessions = [attempt(bench.environment) for _ in range(bench.runs)]
    messages = sorted({message(ended) for ended in sessions} - {""})
    return Finding(runs=bench.runs, **repeated(sessions), facts={"messages": messages})


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            name=("compatibility", f"pytest {pytest}", f"pytest-forked {forked}"),
            python=PYTHONS[-1],
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
                    *(_says(by_version.get((pytest, forked))) for forked in columns),
                ]
                for pytest in rows
            ),
        ),
        "messages": "\n".join(f"- `{text}`: {listing(who)}." for text, who in messages.items())
        or "None fails.",
        "dated": dated(measured),
        "measured": provenance(measured, "just evidence compatibility"),
    }


def _says(record: Record | None) -> str:
    if record is None:
        return NOT_MEASURED
    passed = record.count("passed")
    works = {record.runs: "works", 0: "every test fails"}.get(passed, "sometimes works")
    return f"{works}: {share(passed, record.runs)} passed"


EXPERIMENT = Experiment(
    name="compatibility",
    varies=frozenset({"pytest", "pytest-forked"}),
    cells=_cells,
    sections=_sections,
)
