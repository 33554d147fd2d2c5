"""What breaks in a gRPC suite on the way from an old pytest-asyncio to the newest."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, provenance, table
from tests.evidence.records import Record, find, values_of
from tests.evidence.sessions import Session, repeated, suite_session
from tests.evidence.subjects import OLDER_PYTEST, PYTHONS, SUITES

SUITE = SUITES / "upgrade_path"
RUNS = 3

_FIXTURE_LOOP = "asyncio_default_fixture_loop_scope"
_TEST_LOOP = "asyncio_default_test_loop_scope"
STYLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "own `event_loop` fixture and channel, of the session": ("test_own_event_loop.py", {}),
    "channel of the session, no word about loops": ("test_session_channel.py", {}),
    "test asks for `event_loop`": ("test_asks_for_event_loop.py", {}),
    "sync fixture asks for `event_loop`": ("test_fixture_asks_for_event_loop.py", {}),
    "mark with `scope=`": ("test_mark_with_scope.py", {}),
    "`loop_scope=` at fixture and mark": ("test_loop_scope.py", {}),
    "both default loop scopes in the ini": (
        "test_session_channel.py",
        {_FIXTURE_LOOP: "session", _TEST_LOOP: "session"},
    ),
    "fixture loop scope alone in the ini": (
        "test_session_channel.py",
        {_FIXTURE_LOOP: "session"},
    ),
    "`function` in the ini, channel of the session": (
        "test_session_channel.py",
        {_FIXTURE_LOOP: "function"},
    ),
    "channel cached by the application": ("test_cached_channel.py", {}),
    "channel of each test": ("test_channel_of_each_test.py", {}),
    "client made in a sync test, after an async one": ("test_client_in_sync_test.py", {}),
}
"""Each way to write such a suite: its file, and the options of its ini file."""

_MESSAGES = {
    "fixture 'event_loop' not found": "not found",
    "ScopeMismatch": "ScopeMismatch",
    "Event loop is closed": "closed",
    "attached to a different loop": "different loop",
    "There is no current event loop": "no loop",
    "unexpected keyword argument 'loop_scope'": "no such argument",
}
"""What a session says when it fails, and what the table calls it."""

# The last release of each minor line before the pin, with a pytest that it knows.
_OLDEST_PYTEST = "7.4.4"
_OLDER = {
    "0.21.2": _OLDEST_PYTEST,
    **dict.fromkeys(("0.23.8", "0.24.0", "0.25.3", "0.26.0"), OLDER_PYTEST),
    **dict.fromkeys(("1.0.0", "1.1.0", "1.2.0"), OLDER_PYTEST),
}
_NEWER = ("1.3.0", "1.4.0")


def _measure(bench: Bench, style: str) -> Finding:
    file, options = STYLES[style]
    arguments = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    sessions = [
        suite_session(bench.environment, SUITE, arguments, only=file) for _ in range(bench.runs)
    ]
    return Finding(
        runs=bench.runs,
        **repeated(sessions),
        facts={"verdicts": sorted({verdict(session) for session in sessions})},
    )


def verdict(session: Session) -> str:
    """Return in a word how a session went: passes, warns, or the message of its failure."""
    if session.outcome == "passed":
        return "warns" if " warning" in session.output else "passes"
    said = [word for message, word in _MESSAGES.items() if message in session.output]
    return said[0] if said else str(session.outcome)


def _cells(pins: Pins) -> list[Cell]:
    versions = {**_OLDER, **dict.fromkeys((*_NEWER, pins["pytest-asyncio"]), pins["pytest"])}
    return [
        Cell(
            experiment="upgrade-path",
            parameters={"style": style, "pytest-asyncio": version},
            python=PYTHONS[0],  # the newest with wheels of all of them
            packages={"grpcio": pins["grpcio"], "pytest-asyncio": version, "pytest": pytest},
            runs=RUNS,
            measure=partial(_measure, style=style),
            inputs=[SUITE],
            definition=f"{file} {dict(options)}",
        )
        for style, (file, options) in STYLES.items()
        for version, pytest in versions.items()
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    versions = values_of(records, "pytest-asyncio")
    return {
        "table": table(
            ["The suite has", *versions],
            (
                [style, *(_shown(records, style, version) for version in versions)]
                for style in STYLES
            ),
        ),
        "steps": _steps(records, versions),
        "measured": provenance(records, "just evidence upgrade-path"),
    }


def _shown(records: Sequence[Record], style: str, version: str) -> str:
    record = find(records, style=style, **{"pytest-asyncio": version})
    if record is None or record.unavailable:
        return record.unavailable if record else NOT_MEASURED
    return " or ".join(record.facts["verdicts"])


def _steps(records: Sequence[Record], versions: Sequence[str]) -> str:
    """Say what changes at each step from a version to the next."""
    lines = []
    for before, after in pairwise(versions):
        changes = [
            f"{style}: {was} \N{RIGHTWARDS ARROW} {becomes}"
            for style in STYLES
            if (was := _shown(records, style, before)) != (becomes := _shown(records, style, after))
        ]
        lines.append(
            f"- **{before} \N{RIGHTWARDS ARROW} {after}**: {'; '.join(changes) or 'nothing'}."
        )
    return "\n".join(lines) or f"What changes at which step is {NOT_MEASURED}."


EXPERIMENT = Experiment(
    name="upgrade-path",
    cells=_cells,
    sections=_sections,
    varies=frozenset({"pytest-asyncio", "pytest"}),
)
