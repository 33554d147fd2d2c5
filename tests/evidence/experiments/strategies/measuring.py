"""How the strategies are measured: on the leaking suite, on crashing tests, and by the clock."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import NEWEST, Environment
from tests.evidence.experiment import Pins
from tests.evidence.experiments.strategies.catalogue import (
    GUARDED,
    NOTHING,
    STRATEGIES,
    TIMED,
    Strategy,
)
from tests.evidence.sessions import Session, repeated, session, suite_session
from tests.evidence.subjects import (
    BASE,
    GUARD,
    LEAKING_FILES,
    LEAKING_SUITE,
    NEWEST_PYTHON,
    PROJECT,
    PYTHONS,
    SUITES,
)

RUNS = 20
SLOW_RUNS = 5
ROUNDS = 5
GUARD_ROUNDS = 25
PROFILED_RUNS = 3
"""Under the profiler, which tells the guard's cost where 25 rounds differ by more than it."""
SECONDS = 180.0

# What the 24 integration tests need besides, and what they are: files of the project.
_SYSTEM = ("grpcio-health-checking", "protobuf", "rich", "typer", "websockets")
_INTEGRATION = ("pyproject.toml", "examples", "tests/integration")
# The option of pytest-timeout, beside which some of the strategies refuse to run.
_TIMEOUT = re.compile(r"^timeout = .*$", re.MULTILINE)
_BAD = {"failed", "error"}


def _run(strategy: Strategy, environment: Environment, suite: Path) -> Session:
    return suite_session(
        environment,
        suite,
        strategy.arguments,
        seconds=SECONDS,
        variables=strategy.variables,
        two_modules=strategy.two_modules and suite == LEAKING_SUITE,
        per_file=strategy.per_file,
    )


def _leak(bench: Bench, strategy: Strategy) -> Finding:
    """Run the leaking suite; note how often each test was blamed."""
    sessions = [_run(strategy, bench.environment, LEAKING_SUITE) for _ in range(bench.runs)]
    blamed: dict[str, int] = {}
    for ended in sessions:
        verdicts = ended.verdicts()
        # All of a test's parameters count as the one test.
        for test in {test.partition("[")[0] for test in verdicts if _BAD & {*verdicts[test]}}:
            blamed[test] = blamed.get(test, 0) + 1
    reported = min(len(ended.verdicts()) for ended in sessions)
    return Finding(
        runs=bench.runs,
        **repeated(sessions),
        facts={"blamed": dict(sorted(blamed.items())), "reported at least": reported},
    )


def _report(bench: Bench, strategy: Strategy) -> Finding:
    """Find out what is reported of tests that crash, and how often a module fixture is built."""
    body, teardown, fixture = (
        _run(strategy, bench.environment, SUITES / f"{name}.py")
        for name in ("crash_in_body", "crash_in_teardown", "module_fixture")
    )
    return Finding(
        runs=1,
        facts={
            "body": {"session": body.outcome, "tests": body.verdicts()},
            "teardown": {"session": teardown.outcome, "tests": teardown.verdicts()},
            "fixture": {"session": fixture.outcome, "set-ups": len(fixture.notes)},
        },
    )


def _wall(bench: Bench, strategies: Sequence[Strategy]) -> Finding:
    """Time the 24 integration tests under each strategy in turn, round by round."""
    seconds: dict[str, list[float]] = {strategy.name: [] for strategy in strategies}
    passed: dict[str, int] = {}
    load = os.getloadavg()[0]
    with _project_copy() as project:
        # One more round comes first: it warms up, and finds what loses the session.
        for number in range(bench.runs + 1):
            for strategy in strategies:
                environment = bench.others.get(strategy.name)
                if environment is None or passed.get(strategy.name) == 0:
                    continue
                took, green = _integration(strategy, environment, project)
                passed[strategy.name] = green if number == 0 else min(green, passed[strategy.name])
                if number:
                    seconds[strategy.name].append(round(took, 2))
    return Finding(
        runs=bench.runs,
        facts={
            "seconds": seconds,
            "passed": passed,
            "load before": round(load, 1),
            "load after": round(os.getloadavg()[0], 1),
        },
    )


def _cost_of_guard(bench: Bench) -> Finding:
    """Time the integration tests with and without the guard, and profile them under it."""
    timed = _wall(bench, [NOTHING, GUARDED])
    profiled = ["-p", "share_of_guard", *GUARDED.arguments, "tests/integration"]
    with _project_copy() as project:
        shares = [
            round(float(note), 5)
            for _ in range(PROFILED_RUNS)
            for note in session(bench.environment, project, profiled, seconds=SECONDS).notes
        ]
    return replace(timed, facts={**timed.facts, "shares": shares})


@contextmanager
def _project_copy() -> Iterator[Path]:
    """Copy the integration tests and what they need, without the option of pytest-timeout.

    So nothing of the checkout is touched.
    """
    with tempfile.TemporaryDirectory(prefix="evidence-") as temporary:
        project = Path(temporary) / "project"
        for name in _INTEGRATION:
            target = project / name
            if (PROJECT / name).is_dir():
                shutil.copytree(
                    PROJECT / name, target, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / name, target)
        settings = project / "pyproject.toml"
        text, options = _TIMEOUT.subn("", settings.read_text(encoding="utf-8"))
        if options != 1:
            raise ValueError(f"{settings.name} has no option `timeout`, which was to be removed")
        settings.write_text(text, encoding="utf-8")
        yield project


def _integration(strategy: Strategy, environment: Environment, project: Path) -> tuple[float, int]:
    """Run the integration tests; return the seconds, and how many passed: 0 of a lost session."""
    tests = project / "tests/integration"
    targets = sorted(tests.glob("test_*.py")) if strategy.per_file else [tests]
    took, passed = 0.0, 0
    for target in targets:
        ended = session(
            environment,
            project,
            # Warnings are errors there, and some plugins have warnings of their own.
            [*strategy.arguments, "-W", "ignore", str(target.relative_to(project))],
            seconds=SECONDS,
            variables=strategy.variables,
        )
        if ended.outcome.lost:
            return took, 0
        took += ended.seconds
        passed += sum(said == ["passed"] for said in ended.verdicts().values())
    return took, passed


def _packages(strategy: Strategy, pins: Pins) -> dict[str, str]:
    return {name: pins.get(name, NEWEST) for name in (*BASE, *strategy.packages)}


def cells(pins: Pins) -> list[Cell]:
    """Return the cells: leaks on each Python, reports of crashes, and the wall times."""
    leaks = [
        Cell(
            experiment="strategies",
            parameters={"measured": "leak", "strategy": strategy.name, "python": python},
            python=python,
            packages=_packages(strategy, pins),
            runs=SLOW_RUNS if strategy.slow else RUNS,
            measure=partial(_leak, strategy=strategy),
            inputs=[*LEAKING_FILES, *([GUARD] if strategy.name == "guard" else [])],
        )
        for strategy in STRATEGIES
        for python in ([NEWEST_PYTHON] if strategy.slow else PYTHONS)
    ]
    reports = [
        Cell(
            experiment="strategies",
            parameters={"measured": "report", "strategy": strategy.name, "python": NEWEST_PYTHON},
            python=NEWEST_PYTHON,
            packages=_packages(strategy, pins),
            runs=1,
            measure=partial(_report, strategy=strategy),
            inputs=[SUITES, *([GUARD] if strategy.name == "guard" else [])],
        )
        for strategy in TIMED
    ]
    system = {name: pins[name] for name in _SYSTEM}
    walls = [
        Cell(
            experiment="strategies",
            parameters={"measured": "wall", "compared": compared, "python": NEWEST_PYTHON},
            python=NEWEST_PYTHON,
            packages=_packages(NOTHING, pins) | system,
            others={strategy.name: _packages(strategy, pins) | system for strategy in timed},
            runs=rounds,
            measure=measure,
            inputs=[GUARD, PROJECT / "tests/integration", PROJECT / "examples/voice_pipeline"],
            alone=True,
        )
        for compared, measure, timed, rounds in (
            ("all", partial(_wall, strategies=TIMED), TIMED, ROUNDS),
            ("guard", _cost_of_guard, (NOTHING, GUARDED), GUARD_ROUNDS),
        )
    ]
    return [*leaks, *reports, *walls]
