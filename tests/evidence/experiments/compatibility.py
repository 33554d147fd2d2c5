"""Whether `--forked` works at all, for each pytest and pytest-forked, and with the cure."""

from collections.abc import Mapping, Sequence
from functools import partial

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import NEWEST, Environment
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, dated, listing, provenance, share, table
from tests.evidence.records import Record
from tests.evidence.sessions import Session, repeated, suite_session
from tests.evidence.subjects import NEWEST_PYTHON, OLDER_PYTEST, PLUGINS, PROJECT, SUITES

SUITE = SUITES / "one_test.py"
CURE = PROJECT / "examples/known_issues/pytest-forked-pytest-9.2/cured_conftest.py"
"""What the page of the issue has its readers copy into their conftest.py."""
OLDEST_FORKED = "1.6.0"
RUNS = 3
_CURED = {"cure": "conftest.py"}


def run_one_test(environment: Environment, *, cured: bool) -> Session:
    """Run one test that passes, with `--forked`; as it comes, or with the cure as a plugin."""
    if not cured:
        return suite_session(environment, SUITE, ["--forked"])
    return suite_session(
        environment,
        SUITE,
        ["-p", CURE.stem, "--forked"],
        variables={"PYTHONPATH": f"{PLUGINS}:{CURE.parent}"},
    )


def message(ended: Session) -> str:
    """Return what pytest says of the test, without the folder it ran in; nothing if it passed."""
    said = [report.message for report in ended.reports if report.outcome == "failed"]
    return said[0].strip().rpartition(": ")[2].splitlines()[0] if said else ""


def _measure(bench: Bench, *, cured: bool) -> Finding:
    sessions = [run_one_test(bench.environment, cured=cured) for _ in range(bench.runs)]
    messages = sorted({message(ended) for ended in sessions} - {""})
    return Finding(runs=bench.runs, **repeated(sessions), facts={"messages": messages})


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            experiment="compatibility",
            parameters={"pytest": pytest, "pytest-forked": forked, **how},
            python=NEWEST_PYTHON,
            packages={"pytest": pytest, "pytest-forked": forked},
            runs=RUNS,
            measure=partial(_measure, cured=bool(how)),
            inputs=[SUITE, *([CURE] if how else [])],
        )
        for how in ({}, _CURED)
        for pytest in (OLDER_PYTEST, pins["pytest"], NEWEST)
        for forked in (OLDEST_FORKED, NEWEST)
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    measured = [record for record in records if not record.unavailable]
    as_it_comes = [record for record in measured if not record.parameters.get("cure")]
    forked = list(dict.fromkeys(record.packages["pytest-forked"] for record in measured))
    columns = [(version, how) for how in ("", _CURED["cure"]) for version in forked]
    by_place = {
        (r.packages["pytest"], (r.packages["pytest-forked"], r.parameters.get("cure", ""))): r
        for r in measured
    }
    messages: dict[str, list[str]] = {}
    for record in as_it_comes:
        who = "pytest {pytest} with pytest-forked {pytest-forked}".format(**record.packages)
        for text in record.facts["messages"]:
            messages.setdefault(text, []).append(who)
    return {
        "table": table(
            [
                "pytest",
                *(
                    f"pytest-forked {version}{', with the cure' if how else ''}"
                    for version, how in columns
                ),
            ],
            (
                [pytest, *(_verdict(by_place.get((pytest, column))) for column in columns)]
                for pytest in dict.fromkeys(record.packages["pytest"] for record in measured)
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
