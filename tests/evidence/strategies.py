"""What each way to run a leaking suite does to the crash, to the report, and to the wall time."""

import os
import re
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tests.docs.checker.sandbox import copy_project
from tests.evidence import svg
from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import NEWEST, Environment
from tests.evidence.experiment import BASE, PYTHONS, Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, TIMES, listing, provenance, share, table
from tests.evidence.outcome import Outcome
from tests.evidence.records import Record
from tests.evidence.sessions import (
    GUARD,
    LEAKING_SUITE,
    PROJECT,
    Session,
    repeated,
    session,
    suite_session,
)

SUITES = Path(__file__).parent / "suites"
RUNS = 20
SLOW_RUNS = 5
ROUNDS = 5
GUARD_ROUNDS = 25
PROFILED_RUNS = 3
"""Under the profiler, which tells the guard's cost where 25 rounds differ by more than it."""
SECONDS = 180.0

# What the 24 integration tests need besides.
_SYSTEM = ("grpcio-health-checking", "protobuf", "rich", "typer", "websockets")
# The option of pytest-timeout, beside which some of the strategies refuse to run.
_TIMEOUT = re.compile(r"^timeout = .*$", re.MULTILINE)
_MODULE_LOOPS = (
    *("-o", "asyncio_default_fixture_loop_scope=module"),
    *("-o", "asyncio_default_test_loop_scope=module"),
)
_BAD = {"failed", "error"}
_FIXED_UPSTREAM = "the leaks are gone, or grpcio is fixed"


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A way to run tests that may leak servers."""

    name: str
    title: str
    remove_when: str
    arguments: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """Its plugins: at their pins, or the newest where there is no pin."""
    variables: Mapping[str, str] = field(default_factory=dict)
    two_modules: bool = False
    per_file: bool = False
    slow: bool = False
    """Whether it starts an interpreter for each test: fewer runs, on the newest Python alone."""
    own_suite: bool = False
    """Whether it changes the suite, not the way to run it: then only the crash is measured."""


STRATEGIES = (
    Strategy(name="nothing", title="nothing", remove_when="there is nothing to remove"),
    Strategy(
        name="gc-fixture",
        title="the GC fixture",
        arguments=("-p", "gc_fixture"),
        remove_when="now",
    ),
    Strategy(
        name="module-loops",
        title="module-scoped loops, one module",
        arguments=_MODULE_LOOPS,
        remove_when="the suite gets a second module",
    ),
    Strategy(
        name="module-loops-2",
        title="module-scoped loops, two modules",
        arguments=_MODULE_LOOPS,
        two_modules=True,
        own_suite=True,
        remove_when="now",
    ),
    Strategy(
        name="stopped",
        title="stop the server in its loop",
        arguments=("--stopped",),
        own_suite=True,
        remove_when="never: it is right anyway",
    ),
    Strategy(
        name="guard",
        title="`grpc_guard.py`",
        arguments=("-p", "grpc_guard"),
        remove_when="grpcio is fixed",
    ),
    Strategy(
        name="forked",
        title="`--forked`",
        arguments=("--forked",),
        packages=("pytest-forked",),
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="xdist",
        title="pytest-xdist, `-n 2`",
        arguments=("-n", "2"),
        packages=("pytest-xdist",),
        remove_when="it contains nothing; it is for speed",
    ),
    Strategy(
        name="isolate",
        title="pytest-isolate",
        arguments=("--isolate",),
        packages=("pytest-isolate",),
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="isolated",
        title="pytest-isolated",
        arguments=("--isolated",),
        packages=("pytest-isolated",),
        slow=True,
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="insubprocess",
        title="pytest-insubprocess",
        arguments=("--insubprocess",),
        packages=("pytest-insubprocess",),
        slow=True,
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="subproc",
        title="pytest-subproc",
        arguments=("-p", "mark_every_test"),
        variables={"EVIDENCE_MARK": "subproc"},
        packages=("pytest-subproc",),
        slow=True,
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="zygote",
        title="pytest-zygote, 2 workers",
        arguments=("--workers=2",),
        packages=("pytest-zygote",),
        remove_when="it contains nothing; it is for speed",
    ),
    Strategy(
        name="warden",
        title="pytest-warden, 2 processes",
        arguments=("--warden", "--numprocesses=2"),
        packages=("pytest-warden",),
        remove_when="it contains nothing; it is for time-outs",
    ),
    Strategy(
        name="per-file",
        title="one pytest per file",
        two_modules=True,
        per_file=True,
        remove_when=_FIXED_UPSTREAM,
    ),
)
_BY_NAME = {strategy.name: strategy for strategy in STRATEGIES}
_TIMED = tuple(strategy for strategy in STRATEGIES if not strategy.own_suite)


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
    timed = _wall(bench, [_BY_NAME["nothing"], _BY_NAME["guard"]])
    profiled = ["-p", "share_of_guard", *_BY_NAME["guard"].arguments, "tests/integration"]
    with _project_copy() as project:
        shares = [
            round(float(note), 5)
            for _ in range(PROFILED_RUNS)
            for note in session(bench.environment, project, profiled, seconds=SECONDS).notes
        ]
    return replace(timed, facts={**timed.facts, "shares": shares})


@contextmanager
def _project_copy() -> Iterator[Path]:
    """Copy the project, so that nothing of the checkout is touched, without pytest-timeout."""
    with tempfile.TemporaryDirectory(prefix="evidence-") as temporary:
        project = Path(temporary) / "project"
        copy_project(PROJECT, project)
        settings = project / "pyproject.toml"
        text, options = _TIMEOUT.subn("", settings.read_text(encoding="utf-8"))
        if options != 1:
            raise ValueError(f"{settings.name} has no option `timeout`, which was to be removed")
        settings.write_text(text, encoding="utf-8")
        yield project


def _integration(strategy: Strategy, environment: Environment, project: Path) -> tuple[float, int]:
    """Run the integration tests; give the seconds and how many passed, 0 if a session was lost."""
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


def _cells(pins: Pins) -> list[Cell]:
    newest = PYTHONS[-1]
    leaks = [
        Cell(
            name=("strategies", "leak", strategy.name, python),
            python=python,
            packages=_packages(strategy, pins),
            runs=SLOW_RUNS if strategy.slow else RUNS,
            measure=partial(_leak, strategy=strategy),
            inputs=[LEAKING_SUITE, *([GUARD] if strategy.name == "guard" else [])],
        )
        for strategy in STRATEGIES
        for python in ([newest] if strategy.slow else PYTHONS)
    ]
    reports = [
        Cell(
            name=("strategies", "report", strategy.name, newest),
            python=newest,
            packages=_packages(strategy, pins),
            runs=1,
            measure=partial(_report, strategy=strategy),
            inputs=[SUITES, *([GUARD] if strategy.name == "guard" else [])],
        )
        for strategy in _TIMED
    ]
    system = {name: pins[name] for name in _SYSTEM}
    walls = [
        Cell(
            name=("strategies", "wall", which, newest),
            python=newest,
            packages=_packages(_BY_NAME["nothing"], pins) | system,
            others={strategy.name: _packages(strategy, pins) | system for strategy in timed},
            runs=rounds,
            measure=measure,
            inputs=[GUARD, PROJECT / "tests/integration", PROJECT / "examples/voice_pipeline"],
            alone=True,
        )
        for which, measure, timed, rounds in (
            ("all", partial(_wall, strategies=_TIMED), _TIMED, ROUNDS),
            ("guard", _cost_of_guard, (_BY_NAME["nothing"], _BY_NAME["guard"]), GUARD_ROUNDS),
        )
    ]
    return [*leaks, *reports, *walls]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    cells = {record.cell: record for record in records}
    ratios = _ratios(cells.get(("wall", "all", PYTHONS[-1])))
    leaks = {
        strategy.name: [r for r in records if r.cell[:2] == ("leak", strategy.name)]
        for strategy in STRATEGIES
    }
    reports = {
        strategy.name: cells.get(("report", strategy.name, PYTHONS[-1])) for strategy in STRATEGIES
    }
    sections = {
        "lost": table(
            ["Strategy", *PYTHONS, "A crash is blamed on", "Remove when"],
            (
                [
                    strategy.title,
                    *(_lost(cells.get(("leak", strategy.name, python))) for python in PYTHONS),
                    _blame(leaks[strategy.name]),
                    strategy.remove_when,
                ]
                for strategy in STRATEGIES
            ),
        ),
        "reported": table(
            [
                "Strategy",
                "A test that crashes",
                "A test that passes, and its teardown crashes",
                "Set-ups of a module fixture, 6 tests",
                "Wall time",
            ],
            (
                [
                    strategy.title,
                    _reported(reports[strategy.name], "body"),
                    _reported(reports[strategy.name], "teardown"),
                    _set_ups(reports[strategy.name]),
                    ratios.get(strategy.name, NOT_MEASURED),
                ]
                for strategy in _TIMED
            ),
        ),
        "chart": _chart(leaks, cells.get(("wall", "all", PYTHONS[-1]))),
        "measured": provenance(records, "just evidence strategies"),
        "timed": _timed(cells.get(("wall", "all", PYTHONS[-1]))),
        "cost-of-the-guard": _told_cost(cells.get(("wall", "guard", PYTHONS[-1]))),
    }
    for strategy in STRATEGIES:
        sections[strategy.name] = _sentence(
            strategy, leaks[strategy.name], ratios.get(strategy.name)
        )
    return sections


def _lost(record: Record | None) -> str:
    if record is None:
        return NOT_MEASURED
    if record.count("refused"):
        return f"refused {share(record.count('refused'), record.runs)}"
    return record.unavailable or share(record.lost, record.runs)


def _blame(leaks: Sequence[Record]) -> str:
    measured = [record for record in leaks if not record.unavailable]
    if not measured:
        return NOT_MEASURED
    blamed = {test for record in measured for test in record.facts["blamed"]}
    said = []
    if any(record.lost for record in measured):
        said.append("nobody: the session dies")
    if "test_late_client" in blamed:
        said.append("an innocent test")
    if blamed - {"test_late_client"}:
        said.append("a test that leaks")
    return "; or ".join(said) or "there is none"


def _reported(record: Record | None, where: str) -> str:
    if record is None or record.unavailable:
        return record.unavailable if record else NOT_MEASURED
    session_ended = Outcome(record.facts[where]["session"])
    if session_ended is Outcome.REFUSED:
        return "the session does not run"
    if session_ended.lost:
        return "the session dies"
    said = record.facts[where]["tests"].get("test_crashes", [])
    words = listing([word.upper() for word in said]) if said else "nothing"
    return f"{words}, and the session passes" if session_ended is Outcome.PASSED else words


def _set_ups(record: Record | None) -> str:
    if record is None or record.unavailable:
        return record.unavailable if record else NOT_MEASURED
    fixture = record.facts["fixture"]
    return f"{fixture['set-ups']}" if fixture["session"] == Outcome.PASSED else "its tests fail"


def _factors(wall: Record | None) -> dict[str, list[float]]:
    """Give each strategy's time against plain pytest's, round by round.

    Those under which a test did not pass are left out.
    """
    if wall is None or wall.unavailable:
        return {}
    seconds, passed = wall.facts["seconds"], wall.facts["passed"]
    return {
        name: [took / plain for took, plain in zip(took_all, seconds["nothing"], strict=True)]
        for name, took_all in seconds.items()
        if took_all and passed[name] == passed["nothing"]
    }


def _ratios(wall: Record | None) -> dict[str, str]:
    """Give what a table says of each strategy's time: the median, or that tests do not pass."""
    if wall is None or wall.unavailable:
        return {}
    passed = wall.facts["passed"]
    return {name: f"{share(n, passed['nothing'])} tests pass" for name, n in passed.items()} | {
        name: f"{statistics.median(factors):.2f} {TIMES}"
        for name, factors in _factors(wall).items()
    }


def _timed(wall: Record | None) -> str:
    if wall is None or wall.unavailable:
        return "The wall times are not measured yet: `just evidence strategies --only wall`."
    plain = wall.facts["seconds"]["nothing"]
    return (
        f"Wall times: the {wall.facts['passed']['nothing']} integration tests, in {wall.runs} "
        f"rounds in which the strategies took turns; the median of the rounds' ratios against "
        f"plain pytest. That one took {min(plain):.1f} s to {max(plain):.1f} s, so small "
        f"differences are the machine's noise. Load average {wall.facts['load before']} before "
        f"and {wall.facts['load after']} after."
    )


def _told_cost(wall: Record | None) -> str:
    factors = _factors(wall).get("guard")
    if wall is None or factors is None:
        return "What the guard costs is not measured yet: `just evidence strategies --only wall`."
    low, middle, high = statistics.quantiles(factors, n=4)
    return (
        f"The guard's own cost, over {wall.runs} rounds in turn with plain pytest: {middle:.3f} "
        f"{TIMES} its wall time on the {wall.facts['passed']['nothing']} integration tests "
        f"(median; half of the rounds lie between {low:.3f} and {high:.3f}). Its own functions "
        f"take {max(wall.facts['shares']):.2%} of a run under Python's profiler."
    )


def _sentence(strategy: Strategy, leaks: Sequence[Record], ratio: str | None) -> str:
    measured = [record for record in leaks if not record.unavailable]
    if not measured:
        return f"{strategy.title}: {NOT_MEASURED}."
    lost = listing([f"{_lost(record)} on {record.cell[2]}" for record in measured])
    cost = f"; it takes {ratio} the time of plain pytest" if ratio and TIMES in ratio else ""
    return f"Sessions lost: {lost}{cost if strategy.name != 'nothing' else ''}."


def _chart(leaks: Mapping[str, Sequence[Record]], wall: Record | None) -> str:
    medians = {name: statistics.median(factors) for name, factors in _factors(wall).items()}
    return svg.bars(
        title="What each strategy costs",
        description=(
            "Wall time of the integration tests against plain pytest. A name with a cross loses "
            "sessions of the leaking suite; one with a tick loses none. "
            "The tables below have the same figures."
        ),
        bars=[
            svg.Bar(
                name=f"{'✗' if lost else '✓'} {_BY_NAME[name].title.replace('`', '')}",
                length=median,
                label=f"{median:.2f} {TIMES}",
                tone="crash" if lost else "held",
            )
            for name, median in medians.items()
            for lost in [any(record.lost for record in leaks[name])]
        ],
    )


EXPERIMENT = Experiment(name="strategies", varies=frozenset(), cells=_cells, sections=_sections)
