"""Which of the ordinary ways to leak a server crash, and whether the guard holds each of them."""

import ast
from collections.abc import Mapping, Sequence
from functools import partial

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import NEWEST
from tests.evidence.experiment import BASE, PYTHONS, Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, provenance, share, table
from tests.evidence.records import Record
from tests.evidence.sessions import GUARD, LEAKING_SUITE, repeated, suite_session

VARIANTS = LEAKING_SUITE / "variants"
RUNS = 5
SECONDS = 20.0
"""A session takes a second or two; what has not ended by then never will."""

_MODES: Mapping[str, tuple[str, ...]] = {"plain": (), "guard": ("-p", "grpc_guard")}
# What a session is called that does not survive, the worst first.
_WORDS = {
    "crashed": "crashes",
    "hung": "hangs",
    "broke": "ends in an INTERNALERROR",
    "refused": "does not run",
}


def _measure(bench: Bench, variant: str, mode: str) -> Finding:
    sessions = [
        suite_session(
            bench.environment,
            LEAKING_SUITE,
            _MODES[mode],
            seconds=SECONDS,
            only=f"variants/{variant}.py",
        )
        for _ in range(bench.runs)
    ]
    return Finding(runs=bench.runs, **repeated(sessions))


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            name=("leaks", path.stem.removeprefix("test_"), python, mode),
            python=python,
            packages={name: pins[name] for name in BASE} | {"anyio": pins.get("anyio", NEWEST)},
            runs=RUNS,
            measure=partial(_measure, variant=path.stem, mode=mode),
            inputs=[LEAKING_SUITE, *([GUARD] if mode == "guard" else [])],
        )
        for path in sorted(VARIANTS.glob("test_*.py"))
        for python in PYTHONS
        for mode in _MODES
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    cells = {record.cell: record for record in records}
    variants = list(dict.fromkeys(record.cell[0] for record in records))
    return {
        "table": table(
            ["Leak", *(f"{python}" for python in PYTHONS), "With the guard"],
            (
                [
                    f"`test_{variant}.py`: {_described(variant)}",
                    *(_says(cells.get((variant, python, "plain"))) for python in PYTHONS),
                    _guarded([r for r in records if r.cell[0] == variant and r.cell[2] == "guard"]),
                ]
                for variant in variants
            ),
        ),
        "measured": provenance(records, "just evidence leaks"),
    }


def _described(variant: str) -> str:
    """Take the first sentence of the variant's own docstring, without its full stop."""
    path = VARIANTS / f"test_{variant}.py"
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    sentence = " ".join(said.split("\n\n")[0].split()).removesuffix(".")
    return sentence[:1].lower() + sentence[1:]


def _says(record: Record | None) -> str:
    if record is None or record.unavailable:
        return record.unavailable if record else NOT_MEASURED
    lost = [
        f"{word} {share(record.count(outcome), record.runs)}"
        for outcome, word in _WORDS.items()
        if record.count(outcome)
    ]
    return ", ".join(lost) or f"survives {share(record.runs, record.runs)}"


def _guarded(records: Sequence[Record]) -> str:
    measured = [record for record in records if not record.unavailable]
    if not measured:
        return NOT_MEASURED
    survived = sum(record.count("passed", "failed") for record in measured)
    return f"survives {share(survived, sum(record.runs for record in measured))}"


EXPERIMENT = Experiment(name="leaks", varies=frozenset(), cells=_cells, sections=_sections)
