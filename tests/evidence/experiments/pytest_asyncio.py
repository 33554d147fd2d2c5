"""Which pytest-asyncio crashes on the leaking suite: it is the plugin that closes the loops."""

from collections.abc import Mapping, Sequence
from functools import partial

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, listing, provenance, share_lost, table
from tests.evidence.records import Record, find, values_of, where
from tests.evidence.sessions import repeated, suite_session
from tests.evidence.subjects import (
    BASE,
    GUARD,
    LEAKING_FILES,
    LEAKING_SUITE,
    MODES,
    OLDER_PYTEST,
    PYTHONS,
)

# The last releases of some minor lines, and those on both sides of the change; with the last
# pytest that all of them know. The newest is the pin, with the pinned pytest.
OLDER = ("0.21.2", "0.23.8", "0.26.0", "1.0.0", "1.1.0")
RUNS = 5


def _measure(bench: Bench, mode: str) -> Finding:
    sessions = [
        suite_session(bench.environment, LEAKING_SUITE, MODES[mode]) for _ in range(bench.runs)
    ]
    return Finding(runs=bench.runs, **repeated(sessions))


def _cells(pins: Pins) -> list[Cell]:
    pinned = {name: pins[name] for name in BASE}
    older = [pinned | {"pytest-asyncio": version, "pytest": OLDER_PYTEST} for version in OLDER]
    return [
        Cell(
            experiment="pytest-asyncio",
            parameters={"version": packages["pytest-asyncio"], "python": python, "mode": mode},
            python=python,
            packages=packages,
            runs=RUNS,
            measure=partial(_measure, mode=mode),
            inputs=[*LEAKING_FILES, *([GUARD] if mode == "guard" else [])],
        )
        for packages in [*older, pinned]
        for python in PYTHONS
        for mode in MODES
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    return {
        "table": table(
            [
                "pytest-asyncio",
                *(f"{python}" for python in PYTHONS),
                *(f"{python}, guard" for python in PYTHONS),
            ],
            (
                [
                    version,
                    *(
                        share_lost(find(records, version=version, python=python, mode=mode))
                        for mode in MODES
                        for python in PYTHONS
                    ),
                ]
                for version in values_of(records, "version")
            ),
        ),
        "crashing": _crashing(where(records, mode="plain")),
        "measured": provenance(records, "just evidence pytest-asyncio"),
    }


def _crashing(plain: Sequence[Record]) -> str:
    """Name the versions under which sessions were lost, and those under which none was."""
    versions = values_of([record for record in plain if not record.unavailable], "version")
    lost = [v for v in versions if any(record.lost for record in where(plain, version=v))]
    held = [version for version in versions if version not in lost]
    if not versions:
        return f"Which pytest-asyncio crashes is {NOT_MEASURED}."
    return (
        f"With pytest-asyncio {listing(lost) or 'of no version'} sessions of the leaking suite "
        f"were lost; with {listing(held) or 'none'}, none was."
    )


EXPERIMENT = Experiment(
    name="pytest-asyncio",
    cells=_cells,
    sections=_sections,
    varies=frozenset({"pytest-asyncio", "pytest"}),
)
