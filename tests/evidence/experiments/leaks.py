"""Which of the ordinary ways to leak a server crash, and whether the guard holds each of them."""

import ast
from collections.abc import Mapping, Sequence
from functools import partial

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import NEWEST
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, endings, provenance, share, table
from tests.evidence.records import Record, find, values_of, where
from tests.evidence.sessions import repeated, suite_session
from tests.evidence.subjects import BASE, GUARD, LEAKING_SUITE, MODES, PYTHONS

VARIANTS = LEAKING_SUITE / "variants"
RUNS = 5
SECONDS = 20.0
"""A session takes a second or two; what has not ended by then never will."""

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
            MODES[mode],
            seconds=SECONDS,
            only=f"variants/{variant}.py",
        )
        for _ in range(bench.runs)
    ]
    return Finding(runs=bench.runs, **repeated(sessions))


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            experiment="leaks",
            parameters={
                "variant": path.stem.removeprefix("test_"),
                "python": python,
                "mode": mode,
            },
            python=python,
            packages={name: pins[name] for name in BASE} | {"anyio": pins.get("anyio", NEWEST)},
            runs=RUNS,
            measure=partial(_measure, variant=path.stem, mode=mode),
            inputs=[LEAKING_SUITE, *([GUARD] if mode == "guard" else [])],
        )
        for path in sorted(VARIANTS.glob("test_*.py"))
        for python in PYTHONS
        for mode in MODES
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    return {
        "table": table(
            ["Leak", *(f"{python}" for python in PYTHONS), "With the guard"],
            (
                [
                    f"`test_{variant}.py`: {_described(variant)}",
                    *(
                        _ending(find(records, variant=variant, python=python, mode="plain"))
                        for python in PYTHONS
                    ),
                    _guarded(where(records, variant=variant, mode="guard")),
                ]
                for variant in values_of(records, "variant")
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


def _ending(record: Record | None) -> str:
    survived = f"survives {share(record.runs, record.runs)}" if record else NOT_MEASURED
    return endings(record, _WORDS) or survived


def _guarded(records: Sequence[Record]) -> str:
    measured = [record for record in records if not record.unavailable]
    if not measured:
        return NOT_MEASURED
    survived = sum(record.count("passed", "failed") for record in measured)
    return f"survives {share(survived, sum(record.runs for record in measured))}"


EXPERIMENT = Experiment(name="leaks", cells=_cells, sections=_sections)
