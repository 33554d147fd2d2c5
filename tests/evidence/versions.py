"""Which versions crash: grpcio, Python, and the same work plain, with its stop(), or guarded."""

from collections.abc import Mapping, Sequence
from functools import partial

from tests.evidence import svg
from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import Environment
from tests.evidence.experiment import BASE, PYTHONS, Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, dated, listing, provenance, share, table, told
from tests.evidence.outcome import Run, run
from tests.evidence.records import Record
from tests.evidence.sessions import (
    GUARD,
    LEAKING_SUITE,
    PROJECT,
    Session,
    repeated,
    suite_session,
)

REPRODUCER = PROJECT / "examples/segfault/repro.py"

# Minor lines of grpcio since 1.62; the newest is the pin.
OLDER = ("1.62.3", "1.66.2", "1.71.2", "1.76.0", "1.80.1")
MODES = {
    "plain": "`repro.py`",
    "stopped": "`repro.py --stopped`",
    "guard": "The leaking suite under the guard",
}
RUNS = 3
SECONDS = 60.0


def attempt(environment: Environment, mode: str) -> Run | Session:
    """Run the reproducer, plain or stopped, or the leaking suite under the guard."""
    if mode == "guard":
        return suite_session(environment, LEAKING_SUITE, ["-p", "grpc_guard"], seconds=SECONDS)
    arguments = ["--stopped"] if mode == "stopped" else []
    return run(
        [environment.python, REPRODUCER.name, *arguments],
        folder=REPRODUCER.parent,
        seconds=SECONDS,
    )


def _measure(bench: Bench, mode: str) -> Finding:
    ended = [attempt(bench.environment, mode) for _ in range(bench.runs)]
    return Finding(runs=bench.runs, **repeated(ended))


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            name=("versions", grpcio, python, mode),
            python=python,
            packages={name: pins[name] for name in BASE} | {"grpcio": grpcio},
            runs=RUNS,
            measure=partial(_measure, mode=mode),
            inputs=[GUARD, LEAKING_SUITE] if mode == "guard" else [REPRODUCER],
        )
        for grpcio in [*OLDER, pins["grpcio"]]
        for python in PYTHONS
        for mode in MODES
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    cells = {record.cell: record for record in records}
    lines = list(dict.fromkeys(record.cell[0] for record in records))
    absent = list(
        dict.fromkeys(f"{r.cell[0]} on Python {r.cell[1]}" for r in records if r.unavailable)
    )
    sections = {
        "chart": _chart(cells, lines),
        "table": table(
            ["grpcio", *(f"Python {python}" for python in PYTHONS)],
            ([line, *(_together(cells, line, python) for python in PYTHONS)] for line in lines),
        ),
        "summary": "\n".join(
            f"- {_sentence(title, [r for r in records if r.cell[2] == mode])}"
            for mode, title in MODES.items()
        ),
        "affected": _affected([r for r in records if r.cell[2] == "plain" and not r.unavailable]),
        "dated": dated(records),
        "measured": provenance(records, "just evidence versions"),
        "absent": f"There is no wheel of grpcio {listing(absent)}." if absent else "",
    }
    for mode, title in MODES.items():
        sections[mode] = _sentence(title, [r for r in records if r.cell[2] == mode])
    return sections


def _together(cells: Mapping[tuple[str, ...], Record], line: str, python: str) -> str:
    """Give the figures of all modes, or the one word that they share."""
    said = [told(cells.get((line, python, mode))) for mode in MODES]
    return said[0] if len(set(said)) == 1 and "/" not in said[0] else " · ".join(said)


def _affected(plain: Sequence[Record]) -> str:
    """Name the grpcios and Pythons with which the reproducer crashed."""
    tried = list(dict.fromkeys(record.cell[0] for record in plain))
    crashed = [record for record in plain if record.lost]
    lines = list(dict.fromkeys(record.cell[0] for record in crashed))
    if not lines:
        return f"no grpcio that was tried: {listing(tried)}" if tried else NOT_MEASURED
    which = f"{lines[0]} to {lines[-1]}, each that was tried" if lines == tried else listing(lines)
    pythons = listing(sorted({record.cell[1] for record in crashed}))
    return f"grpcio {which}; Python {pythons}"


def _sentence(title: str, records: Sequence[Record]) -> str:
    measured = [record for record in records if not record.unavailable]
    lost = sum(record.lost for record in measured)
    runs = sum(record.runs for record in measured)
    passed = sum(record.count("passed") for record in measured)
    return (
        f"{title}: on {len(measured)} combinations of grpcio and Python, {share(lost, runs)} runs "
        f"crashed and {share(passed, runs)} passed."
    )


def _chart(cells: Mapping[tuple[str, ...], Record], lines: Sequence[str]) -> str:
    groups = {f"Python {python}": list(MODES) for python in PYTHONS}
    squares = [
        [_square(cells.get((line, python, mode))) for python in PYTHONS for mode in MODES]
        for line in lines
    ]
    return svg.heat_map(
        title="Which versions crash",
        description=(
            "For each grpcio and Python, how many runs crashed: of the reproducer (plain), "
            "with its servers stopped (stopped), and of the leaking suite under the guard (guard); "
            "none where there is no wheel. The table below has the same figures."
        ),
        rows=[f"{line}" for line in lines],
        groups=groups,
        squares=squares,
    )


def _square(record: Record | None) -> svg.Square:
    if record is None or record.unavailable:
        return svg.Square(label="none", tone="absent")
    return svg.Square(
        label=share(record.lost, record.runs), tone="crash" if record.lost else "held"
    )


EXPERIMENT = Experiment(
    name="versions", varies=frozenset({"grpcio"}), cells=_cells, sections=_sections
)
