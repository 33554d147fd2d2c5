"""Which versions crash: grpcio, Python, and the work plain, stopped, pinned, or guarded."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.evidence import svg
from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import Environment
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import (
    NOT_MEASURED,
    dated,
    listing,
    provenance,
    share,
    share_lost,
    table,
)
from tests.evidence.outcome import Run, run
from tests.evidence.records import Record, find, values_of, where
from tests.evidence.sessions import Session, repeated, suite_session
from tests.evidence.subjects import (
    BASE,
    GUARD,
    LEAKING_FILES,
    LEAKING_SUITE,
    MODES,
    PINNED,
    PYTHONS,
    REPRODUCER,
)

# Minor lines of grpcio since 1.62; the newest is the pin.
OLDER = ("1.62.3", "1.66.2", "1.71.2", "1.76.0", "1.80.1")
TITLES = {
    "plain": "`repro.py`",
    "stopped": "`repro.py --stopped`",
    "pinned": "`pinned.py --pinned`",
    "guard": "The leaking suite under the guard",
}
INPUTS = {
    "plain": [REPRODUCER],
    "stopped": [REPRODUCER],
    "pinned": [PINNED],
    "guard": [GUARD, *LEAKING_FILES],
}
RUNS = 3
SECONDS = 60.0


def reproduce(environment: Environment, *options: str) -> Run:
    """Run the reproducer: plain, or with `--stopped`."""
    return _script(environment, REPRODUCER, *options)


def _script(environment: Environment, script: Path, *options: str) -> Run:
    return run([environment.python, script.name, *options], folder=script.parent, seconds=SECONDS)


def _run(environment: Environment, mode: str) -> Run | Session:
    if mode == "guard":
        return suite_session(environment, LEAKING_SUITE, MODES[mode], seconds=SECONDS)
    if mode == "pinned":
        return _script(environment, PINNED, "--pinned")
    return reproduce(environment, *(["--stopped"] if mode == "stopped" else []))


def _measure(bench: Bench, mode: str) -> Finding:
    ended = [_run(bench.environment, mode) for _ in range(bench.runs)]
    return Finding(runs=bench.runs, **repeated(ended))


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            experiment="versions",
            parameters={"grpcio": grpcio, "python": python, "mode": mode},
            python=python,
            packages={name: pins[name] for name in BASE} | {"grpcio": grpcio},
            runs=RUNS,
            measure=partial(_measure, mode=mode),
            inputs=INPUTS[mode],
        )
        for grpcio in [*OLDER, pins["grpcio"]]
        for python in PYTHONS
        for mode in TITLES
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    lines = values_of(records, "grpcio")
    absent = list(
        dict.fromkeys(
            f"{r.parameters['grpcio']} on Python {r.parameters['python']}"
            for r in records
            if r.unavailable
        )
    )
    sections = {
        "chart": _chart(records, lines),
        "table": table(
            ["grpcio", *(f"Python {python}" for python in PYTHONS)],
            (
                [line, *(_figures(where(records, grpcio=line, python=p)) for p in PYTHONS)]
                for line in lines
            ),
        ),
        "summary": "\n".join(
            f"- {_sentence(title, where(records, mode=mode))}" for mode, title in TITLES.items()
        ),
        "affected": _affected([r for r in where(records, mode="plain") if not r.unavailable]),
        "dated": dated(records),
        "measured": provenance(records, "just evidence versions"),
        "absent": f"There is no wheel of grpcio {listing(absent)}." if absent else "",
    }
    for mode, title in TITLES.items():
        sections[mode] = _sentence(title, where(records, mode=mode))
    return sections


def _figures(records: Sequence[Record]) -> str:
    """Return the figures of all modes, or the one word that they share."""
    figures = [share_lost(find(records, mode=mode)) for mode in TITLES]
    same = len(set(figures)) == 1 and "/" not in figures[0]
    return figures[0] if same else " · ".join(figures)


def _affected(plain: Sequence[Record]) -> str:
    """Name the grpcios and Pythons with which the reproducer crashed."""
    tried = values_of(plain, "grpcio")
    crashed = [record for record in plain if record.lost]
    lines = values_of(crashed, "grpcio")
    if not lines:
        return f"no grpcio that was tried: {listing(tried)}" if tried else NOT_MEASURED
    which = f"{lines[0]} to {lines[-1]}, each that was tried" if lines == tried else listing(lines)
    pythons = listing(sorted(values_of(crashed, "python")))
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


def _chart(records: Sequence[Record], lines: Sequence[str]) -> str:
    groups = {f"Python {python}": list(TITLES) for python in PYTHONS}
    squares = [
        [
            _square(find(records, grpcio=line, python=python, mode=mode))
            for python in PYTHONS
            for mode in TITLES
        ]
        for line in lines
    ]
    return svg.heat_map(
        words=svg.Words(
            id="versions",
            finding=_finding(records),
            unit="Runs that were lost, of the runs that were made",
            description=(
                "For each grpcio and Python, how many runs crashed: of the reproducer (plain), "
                "with its servers stopped (stopped), of pinned.py, which keeps what gRPC writes to "
                "(pinned), and of the leaking suite under the guard (guard); none where there is "
                "no wheel. A table has the same figures."
            ),
            legend={
                "held": "none lost",
                "crashed": "crashed",
                "hung": "hung",
                "absent": "no wheel",
            },
        ),
        axis="grpcio",
        rows=lines,
        groups=groups,
        squares=squares,
    )


def _finding(records: Sequence[Record]) -> str:
    """Say on how many combinations the reproducer crashes, and on how many what is mended."""
    lost = {
        mode: [bool(r.lost) for r in where(records, mode=mode) if not r.unavailable]
        for mode in TITLES
    }
    plain = lost.pop("plain")
    said = [
        f"The reproducer crashes on {sum(plain)} of {len(plain)} combinations of grpcio and Python"
    ]
    never = [mode for mode, each in lost.items() if each and not any(each)]
    said += [f"{listing(never)} on none"] if never else []
    said += [f"{mode} on {sum(each)} of {len(each)}" for mode, each in lost.items() if any(each)]
    return "; ".join(said)


def _square(record: Record | None) -> svg.Square:
    if record is None or record.unavailable:
        return svg.Square(label="", tone="absent")
    tone: svg.Tone = "held"
    if record.lost:
        tone = "crashed" if record.count("crashed", "broke") else "hung"
    return svg.Square(label=share(record.lost, record.runs), tone=tone)


EXPERIMENT = Experiment(
    name="versions", cells=_cells, sections=_sections, varies=frozenset({"grpcio"})
)
