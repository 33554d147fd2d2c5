"""The guard over published packages that start `grpc.aio` servers, or wrap those of others."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, listing, provenance, share, table
from tests.evidence.records import Record
from tests.evidence.sessions import Session, repeated, suite_session
from tests.evidence.subjects import BASE, DISTRIBUTION, GUARD, NEWEST_PYTHON, PLUGINS, SUITES

FOLDER = SUITES / "packages"
RUNS = 3
LEAKING = "test_leaks"
"""How the names of the tests begin that leave a server on purpose."""

_PIN = "the project's pin"
PACKAGES: Mapping[str, Mapping[str, str]] = {
    "autogen-ext": {"autogen-ext": "0.7.5", "grpcio": "1.70.0"},
    "fastgrpc2": {"fastgrpc2": "0.5.0"},
    "grpc-interceptor": {"grpc-interceptor": "0.15.4", "protobuf": _PIN},
    "grpc-server-kit": {"grpc-server-kit": "0.2.1"},
    "grpc-testkit": {"grpc-testkit": "0.3.1"},
    "grpcio-channelz": {"grpcio-channelz": "1.85.0"},
    "grpcio-health-checking": {"grpcio-health-checking": _PIN},
    "grpcio-reflection": {"grpcio-reflection": "1.85.1"},
    "grpcio-testing": {"grpcio-testing": "1.85.0", "grpcio-health-checking": _PIN},
    "opentelemetry-instrumentation-grpc": {"opentelemetry-instrumentation-grpc": "0.66b2"},
    "pulumi": {"pulumi": "3.272.0"},
    "pynumaflow": {"pynumaflow": "0.14.0"},
    "pytest-grpc-aio": {"pytest-grpc-aio": "0.3.0"},
    "sentry-sdk": {"sentry-sdk": "2.75.0", "protobuf": _PIN},
}
"""Each package, by its name, with the versions that its suite is run with."""

_SUITE_LINE = re.compile(r"\(created at test_\w+\.py:\d+\)")
_THROUGH = re.compile(r"^ +through (?P<file>\S+?):\d+$", re.MULTILINE)


def reports(plain: Sequence[str], guarded: Session) -> dict[str, list[str]]:
    """Hold what the guard names against what leaks.

    `plain` are the suite's tests. In `guarded`, a leak is an error at the teardown of its test.
    Returns the tests that were named rightly, those that were wrongly, those that were missed, and
    those that were named by a line that is not the suite's.
    """
    named = {r.test: r.message for r in guarded.reports if r.when == "teardown" and r.message}
    leaking = [test for test in plain if test.startswith(LEAKING)]
    return {
        "named": [test for test in leaking if test in named],
        "wrong": sorted(named.keys() - set(leaking)),
        "missed": [test for test in leaking if test not in named],
        "at no line of the suite": [t for t, said in named.items() if not _SUITE_LINE.search(said)],
    }


def _measure(bench: Bench, package: str) -> Finding:
    module = f"test_{package.replace('-', '_')}.py"

    def run(*arguments: str) -> Session:
        return suite_session(
            bench.environment,
            FOLDER,
            ["-p", "no:cacheprovider", *arguments],
            only=module,
            # The guard is there as a wheel; nothing of this project but the harness.
            variables={"PYTHONPATH": str(PLUGINS)},
        )

    plain = [run("-p", "no:grpc_guard") for _ in range(bench.runs)]
    guarded = [run() for _ in range(bench.runs)]
    as_errors = run("-o", "grpc_leaked_servers=error")
    return Finding(
        runs=bench.runs,
        **repeated(guarded),
        facts={
            "plain": repeated(plain),
            "tests": len(guarded[0].verdicts()),
            **reports(list(guarded[0].verdicts()), as_errors),
            "through": sorted(set(_THROUGH.findall(as_errors.output))),
        },
    )


def _cells(pins: Pins) -> list[Cell]:
    pinned = {name: pins[name] for name in BASE}
    return [
        Cell(
            experiment="suites",
            parameters={"package": package},
            python=NEWEST_PYTHON,
            packages={
                **pinned,
                **{name: pins[name] if v == _PIN else v for name, v in versions.items()},
                "pytest-grpc-guard": DISTRIBUTION,
            },
            runs=RUNS,
            measure=partial(_measure, package=package),
            inputs=[FOLDER, GUARD, GUARD.parent / "pyproject.toml"],
        )
        for package, versions in PACKAGES.items()
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    measured = [record for record in records if not record.unavailable]
    return {
        "table": table(
            ["package", "tests", "plainly", "guarded", "leaks named", "through"],
            (_row(record) for record in records),
        ),
        "summary": _summary(measured),
        "measured": provenance(records, "just evidence suites"),
    }


def _row(record: Record) -> list[str]:
    package = record.parameters["package"]
    if record.unavailable:
        return [package, *[record.unavailable] * 5]
    facts = record.facts
    leaks = len(facts["named"]) + len(facts["missed"])
    return [
        f"{package} {record.packages[package]}",
        str(facts["tests"]),
        _endings(facts["plain"]["outcomes"], record.runs),
        _endings(record.outcomes, record.runs),
        share(len(facts["named"]), leaks) if leaks else "none to name",
        ", ".join(f"`{file}`" for file in facts["through"]),
    ]


def _endings(outcomes: Mapping[str, int], runs: int) -> str:
    return ", ".join(f"{ended} {share(count, runs)}" for ended, count in outcomes.items())


def _summary(measured: Sequence[Record]) -> str:
    """Count what was named, rightly and wrongly, and what was not."""
    if not measured:
        return f"What the guard names is {NOT_MEASURED}."
    count = {
        kind: sum(len(record.facts[kind]) for record in measured)
        for kind in ("named", "missed", "wrong", "at no line of the suite")
    }
    lost = [
        record.parameters["package"]
        for record in measured
        if {"crashed", "hung"} & record.facts["plain"]["outcomes"].keys()
    ]
    leaks = count["named"] + count["missed"]
    return (
        f"{len(measured)} packages. Plainly, the suites over {listing(lost) or 'none'} were lost; "
        f"under the guard, {sum(record.lost for record in measured)} sessions were. "
        f"The guard named {share(count['named'], leaks)} tests that leave a server, "
        f"and {count['wrong']} that leave none; "
        f"{count['at no line of the suite']} were named at a line that is not the suite's."
    )


EXPERIMENT = Experiment(
    name="suites",
    cells=_cells,
    sections=_sections,
    varies=frozenset({"grpcio"}),
)
