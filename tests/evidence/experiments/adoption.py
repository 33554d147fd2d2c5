"""Whether the guard is at work where its instructions say so: layouts, ways to switch it on."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from examples.grpc_guard.tests import layouts
from examples.grpc_guard.tests.layouts import COPIES, LAYOUTS, lay_out
from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import NEWEST
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, provenance, share, table
from tests.evidence.outcome import Outcome
from tests.evidence.records import Record, find, where
from tests.evidence.sessions import Session, repeated, session
from tests.evidence.subjects import (
    BASE,
    DISTRIBUTION,
    GUARD,
    LEAKING_FILES,
    NEWEST_PYTHON,
    OLDER_PYTEST,
    PLUGINS,
)

NOT_AT_ALL = "not at all"
INSTALLED = "installed"
BOTH = "the line, and installed"
WAYS = (INSTALLED, *COPIES, BOTH)
OLDER_PYTHONS = ("3.9", "3.10", "3.11", "3.12")
"""On which the wheel is tried too, with the newest packages that each of them has."""
OLDEST = {"grpcio": "1.62.3", "pytest": "8.0.2", "pytest-asyncio": "0.23.8"}
"""The oldest packages with which the guard is said to work."""
ANY_LAYOUT = "package"

GUARDED, TOLD, FAILED = "guarded", "told", "failed"
_LEAK = re.compile(r"GrpcLeakWarning: The fixture 'worker' left 24 grpc\.aio servers running")
_ADVICE = re.compile(r"^(?:ERROR: |E +)?(Please move it to a top level conftest .*)$", re.MULTILINE)


def verdict(ended: Session) -> tuple[str, str]:
    """Tell whether a session over the leaking suite was guarded, and the line that says why not.

    Guarded is one in which every test passed and the leak was told, once. Where it was told what to
    write instead, that is the line.
    """
    if ended.outcome is Outcome.PASSED and len(_LEAK.findall(ended.output)) == 1:
        return GUARDED, ""
    advice = _ADVICE.search(ended.output)
    if ended.outcome is Outcome.REFUSED and advice is not None:
        return TOLD, advice[1]
    return FAILED, ""


def _measure(bench: Bench, layout: str, way: str) -> Finding:
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        project = lay_out(Path(folder), layout)
        if way in {*COPIES, BOTH}:
            COPIES["the line" if way == BOTH else way](project)
        ended = session(
            bench.environment,
            project.root,
            ["-p", "no:cacheprovider", *project.arguments],
            seconds=60.0,
            # Nothing of this project but the harness: the guard is found as its users find it.
            variables={"PYTHONPATH": str(PLUGINS)},
        )
    said, line = verdict(ended)
    return Finding(runs=bench.runs, **repeated([ended]), facts={"verdict": said, "line": line})


def _cell(parameters: Mapping[str, str], packages: Mapping[str, str]) -> Cell:
    layout, way = parameters["layout"], parameters["way"]
    wheel = {"pytest-grpc-guard": DISTRIBUTION} if way in {INSTALLED, BOTH} else {}
    return Cell(
        experiment="adoption",
        parameters=parameters,
        python=parameters["python"],
        packages={**packages, **wheel},
        runs=1,
        measure=partial(_measure, layout=layout, way=way),
        inputs=[*LEAKING_FILES, GUARD, GUARD.parent / "pyproject.toml", Path(layouts.__file__)],
    )


def _cells(pins: Pins) -> list[Cell]:
    pinned = {name: pins[name] for name in BASE}
    matrix = [
        _cell(
            {"python": NEWEST_PYTHON, "pytest": pytest, "layout": layout, "way": way},
            pinned | {"pytest": pytest},
        )
        for layout in LAYOUTS
        for way in WAYS
        for pytest in (OLDER_PYTEST, pins["pytest"], NEWEST)
    ]
    pythons = [
        _cell(
            {"python": python, "pytest": packages["pytest"], "layout": ANY_LAYOUT, "way": way},
            packages,
        )
        for python, packages in (
            ("3.11", OLDEST),
            *((python, dict.fromkeys(BASE, NEWEST)) for python in OLDER_PYTHONS),
            (NEWEST_PYTHON, pinned | {"pytest": NEWEST}),
        )
        for way in (NOT_AT_ALL, INSTALLED)
        if not (python == NEWEST_PYTHON and way == INSTALLED)  # is in the matrix
    ]
    return [*matrix, *pythons]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    matrix = [r for r in records if r.parameters["way"] in WAYS]
    of_newest = where(matrix, python=NEWEST_PYTHON)
    lines = dict.fromkeys(r.facts["line"] for r in matrix if r.facts.get("line"))
    return {
        "matrix": table(
            ["layout", *WAYS],
            (
                [layout, *(_square(where(of_newest, layout=layout, way=way)) for way in WAYS)]
                for layout in LAYOUTS
            ),
        ),
        "summary": _summary(matrix),
        "lines": "\n".join(f"- `{line}`" for line in lines) or "- none",
        "pythons": table(
            ["Python", *BASE, "without the guard", "installed"],
            (
                _python(without, find(records, **{**without.parameters, "way": INSTALLED}))
                for without in where(records, way=NOT_AT_ALL)
            ),
        ),
        "measured": provenance(records, "just evidence adoption"),
    }


def _square(records: Sequence[Record]) -> str:
    """Say the verdict of all pytests, or each one's where they differ."""
    verdicts = {r.packages["pytest"]: r.facts["verdict"] for r in records if not r.unavailable}
    if len(set(verdicts.values())) == 1:
        return str(next(iter(verdicts.values())))
    return ", ".join(f"{said} by {pytest}" for pytest, said in verdicts.items()) or NOT_MEASURED


def _summary(matrix: Sequence[Record]) -> str:
    measured = [record.facts["verdict"] for record in matrix if not record.unavailable]
    counts = {said: share(measured.count(said), len(measured)) for said in (GUARDED, TOLD, FAILED)}
    return (
        f"Of the sessions, {counts[GUARDED]} were guarded, {counts[TOLD]} were told in one line "
        f"what to write, and {counts[FAILED]} were neither."
    )


def _python(without: Record, installed: Record | None) -> list[str]:
    """Give a Python's row: the versions that it has, and what comes of the suite."""
    if without.unavailable:
        return [without.parameters["python"], *[without.unavailable] * (len(BASE) + 2)]
    return [
        without.python,
        *(without.packages[name] for name in BASE),
        *without.outcomes,
        NOT_MEASURED if installed is None else installed.facts.get("verdict", NOT_MEASURED),
    ]


EXPERIMENT = Experiment(
    name="adoption",
    cells=_cells,
    sections=_sections,
    varies=frozenset(BASE),
)
