"""Which ways to leak a server crash or hang, and whether the guard holds each of them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.leaks import Leak, survivors, ways_to_leak
from tests.evidence.markdown import NOT_MEASURED, endings, provenance, share, table
from tests.evidence.records import Record, find, together, where
from tests.evidence.sessions import repeated, suite_session
from tests.evidence.subjects import GUARD, LEAKING_SUITE, MODES, PYTHONS

RUNS = 10
SECONDS = 40.0
"""A session takes a second or two, on a busy machine ten; what then has not ended never will."""

# What stands above the column of each group of patterns, all but the variants.
HEADINGS = {
    "loops": "Who runs and closes the loop",
    "keepers": "What keeps the server past its loop",
    "stops": "When its stop comes, or why it does not",
}
# What a session is called that does not survive, the worst first.
_WORDS = {
    "crashed": "crashes",
    "hung": "hangs",
    "broke": "ends in an INTERNALERROR",
    "refused": "does not run",
    "failed": "fails",
}


def _measure(bench: Bench, leak: Leak, mode: str) -> Finding:
    sessions = [
        suite_session(
            bench.environment, LEAKING_SUITE, MODES[mode], seconds=SECONDS, only=leak.target
        )
        for _ in range(bench.runs)
    ]
    return Finding(runs=bench.runs, **repeated(sessions))


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            experiment="leaks",
            parameters={"group": leak.group, "leak": leak.name, "python": python, "mode": mode},
            python=python,
            packages={name: pins[name] for name in leak.packages},
            runs=RUNS,
            measure=partial(_measure, leak=leak, mode=mode),
            inputs=[*leak.inputs, *([GUARD] if mode == "guard" else [])],
        )
        for leak in ways_to_leak()
        for python in leak.pythons
        for mode in MODES
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    leaks = ways_to_leak()
    return {
        "summary": _summary(records),
        "table": table(
            ["Leak", *(f"{python}" for python in PYTHONS), "With the guard"],
            (
                [
                    f"`test_{leak.name}.py`: {leak.said[:1].lower()}{leak.said[1:]}",
                    *(
                        _ending([_cell(records, leak, "plain", python=python)])
                        for python in PYTHONS
                    ),
                    _ending(_of(records, leak, "guard")),
                ]
                for leak in leaks
                if leak.group not in HEADINGS
            ),
        ),
        **{
            group: table(
                [heading, "As it is", "With the guard"],
                (
                    [leak.said, *(_ending(_of(records, leak, mode)) for mode in MODES)]
                    for leak in leaks
                    if leak.group == group
                ),
            )
            for group, heading in HEADINGS.items()
        },
        "measured": provenance(records, "just evidence leaks"),
    }


def _summary(records: Sequence[Record]) -> str:
    """Say how many sessions survived of how many, as they are and under the guard."""
    survived = {}
    for mode in MODES:
        measured = [record for record in where(records, mode=mode) if not record.unavailable]
        held = sum(r.count(*survivors(r.parameters["leak"])) for r in measured)
        survived[mode] = share(held, sum(record.runs for record in measured))
    ways = {(r.parameters["group"], r.parameters["leak"]) for r in records if not r.unavailable}
    return (
        f"{len(ways)} ways to leak a server: {survived['plain']} sessions survive as they are, and "
        f"{survived['guard']} under the guard."
    )


def _cell(records: Sequence[Record], leak: Leak, mode: str, python: str) -> Record | None:
    return find(records, group=leak.group, leak=leak.name, mode=mode, python=python)


def _of(records: Sequence[Record], leak: Leak, mode: str) -> list[Record | None]:
    return [_cell(records, leak, mode, python) for python in leak.pythons]


def _ending(found: Iterable[Record | None]) -> str:
    """Say how the sessions of some cells ended, taken together."""
    measured = [record for record in found if record and not record.unavailable]
    if not measured:
        return NOT_MEASURED
    record = together(measured)
    survived = survivors(record.parameters["leak"])
    words = {outcome: word for outcome, word in _WORDS.items() if outcome not in survived}
    return endings(record, words) or f"survives {share(record.runs, record.runs)}"


EXPERIMENT = Experiment(name="leaks", cells=_cells, sections=_sections)
