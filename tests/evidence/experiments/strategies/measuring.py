"""How the strategies are measured: on the leaking suite, on crashing tests, and by their cost.

The cost is processor time, of all processes of a run: a busy machine makes it longer by a little,
where it makes the time by the clock longer by any factor.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
    PLUGINS,
    PROJECT,
    PYTHONS,
    SUITES,
)

RUNS = 20
SLOW_RUNS = 5
ROUNDS = 3
GUARD_ROUNDS = 10
GUARD_TESTS = 1_000
"""Each with a server: so many that what the guard costs at the start is not all that is seen."""
SECONDS = 600.0

SERVERS = SUITES / "servers.py"
_REPORTED = ("crash_in_body", "crash_in_teardown", "module_fixture")

# What the 24 integration tests need besides, and what they are: files of the project.
_SYSTEM = ("grpcio-health-checking", "protobuf", "rich", "typer", "websockets")
_INTEGRATION = ("pyproject.toml", "examples", "tests/integration")
# The option of pytest-timeout, beside which some of the strategies refuse to run; and those of the
# checker of the pages, which is not there.
_TIMEOUT = re.compile(r"^timeout = .*$", re.MULTILINE)
_CHECKER = re.compile(r"^mkdocs_blocks_\w+ = .*$", re.MULTILINE)
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
        _run(strategy, bench.environment, SUITES / f"{name}.py") for name in _REPORTED
    )
    return Finding(
        runs=1,
        facts={
            "body": {"session": body.outcome, "tests": body.verdicts()},
            "teardown": {"session": teardown.outcome, "tests": teardown.verdicts()},
            "fixture": {"session": fixture.outcome, "set-ups": len(fixture.notes)},
        },
    )


def _taking_turns(
    bench: Bench,
    strategies: Mapping[str, Strategy],
    once: Callable[[Strategy, Environment], tuple[float, int]],
) -> Finding:
    """Run tests under strategies in turn, round by round.

    `once` does so under one, and tells the processor seconds, and how many tests passed: 0 of a
    session that was lost.
    """
    cpu: dict[str, list[float]] = {name: [] for name in strategies}
    passed: dict[str, int] = {}
    # One more round comes first: it warms up, and finds what loses the session.
    for number in range(bench.runs + 1):
        for name, strategy in strategies.items():
            environment = bench.others.get(strategy.name)
            if environment is None or passed.get(name) == 0:
                continue
            took, green = once(strategy, environment)
            passed[name] = green if number == 0 else min(green, passed[name])
            if number:
                cpu[name].append(round(took, 3))
    return Finding(runs=bench.runs, facts={"cpu": cpu, "passed": passed})


def _cost_of_all(bench: Bench) -> Finding:
    """Measure what each strategy but the guard takes for the 24 integration tests."""
    strategies = {strategy.name: strategy for strategy in TIMED if strategy is not GUARDED}
    with _project_copy() as project:
        return _taking_turns(bench, strategies, partial(_integration, project=project))


def _cost_of_guard(bench: Bench) -> Finding:
    """Measure plain pytest, the guard, and plain pytest again, on tests with a server each."""
    return _taking_turns(bench, {"nothing": NOTHING, "guard": GUARDED, "again": NOTHING}, _servers)


def _servers(strategy: Strategy, environment: Environment) -> tuple[float, int]:
    ended = suite_session(
        environment,
        SERVERS,
        strategy.arguments,
        seconds=SECONDS,
        variables={"EVIDENCE_TESTS": f"{GUARD_TESTS}"},
        metered=True,
    )
    return ended.cpu, _green(ended)


def _integration(
    strategy: Strategy, environment: Environment, *, project: Path
) -> tuple[float, int]:
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
            metered=True,
        )
        if ended.outcome.lost:
            return took, 0
        took += ended.cpu
        passed += _green(ended)
    return took, passed


def _green(ended: Session) -> int:
    return sum(said == ["passed"] for said in ended.verdicts().values())


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
        settings.write_text(_CHECKER.sub("", text), encoding="utf-8")
        yield project


def _packages(strategy: Strategy, pins: Pins) -> dict[str, str]:
    return {name: pins.get(name, NEWEST) for name in (*BASE, *strategy.packages)}


def _loaded(strategy: Strategy) -> list[Path]:
    """Return the files of this project that a strategy's sessions load as plugins."""
    files = {path.stem: path for path in (GUARD, *PLUGINS.glob("*.py"))}
    return [files[argument] for argument in strategy.arguments if argument in files]


def cells(pins: Pins) -> list[Cell]:
    """Return the cells: leaks on each Python, reports of crashes, and what it all costs."""
    leaks = [
        Cell(
            experiment="strategies",
            parameters={"measured": "leak", "strategy": strategy.name, "python": python},
            python=python,
            packages=_packages(strategy, pins),
            runs=SLOW_RUNS if strategy.slow else RUNS,
            measure=partial(_leak, strategy=strategy),
            inputs=[*LEAKING_FILES, *_loaded(strategy)],
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
            inputs=[*(SUITES / f"{name}.py" for name in _REPORTED), *_loaded(strategy)],
        )
        for strategy in TIMED
    ]
    system = {name: pins[name] for name in _SYSTEM}
    cost_of_all = Cell(
        experiment="strategies",
        parameters={"measured": "cost", "compared": "all", "python": NEWEST_PYTHON},
        python=NEWEST_PYTHON,
        packages=_packages(NOTHING, pins) | system,
        others={
            strategy.name: _packages(strategy, pins) | system
            for strategy in TIMED
            if strategy is not GUARDED
        },
        runs=ROUNDS,
        measure=_cost_of_all,
        inputs=[PROJECT / "tests/integration", PROJECT / "examples/voice_pipeline"],
        alone=True,
    )
    cost_of_guard = Cell(
        experiment="strategies",
        parameters={"measured": "cost", "compared": "guard", "python": NEWEST_PYTHON},
        python=NEWEST_PYTHON,
        packages=_packages(NOTHING, pins),
        others={strategy.name: _packages(strategy, pins) for strategy in (NOTHING, GUARDED)},
        runs=GUARD_ROUNDS,
        measure=_cost_of_guard,
        inputs=[GUARD, SERVERS],
        alone=True,
    )
    return [*leaks, *reports, cost_of_all, cost_of_guard]
