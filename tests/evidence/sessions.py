"""One pytest session over a copy of a suite: how it ended, and what it reported of each test."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.evidence import meter
from tests.evidence.environments import Environment
from tests.evidence.outcome import Outcome, Run, run
from tests.evidence.subjects import GUARD, PLUGINS

# What makes a folder of test files a project of its own.
_INI = "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\n"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a session reported of one test in one phase."""

    test: str
    """The test's name, without its file."""
    when: str
    outcome: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session, or several in a row, that ended; the outcome is the worst of them."""

    outcome: Outcome
    signal: str
    seconds: float
    output: str
    reports: tuple[Report, ...] = ()
    notes: tuple[str, ...] = ()
    """The lines that the tests wrote into the file that EVIDENCE_NOTES names."""
    cpu: float = 0.0
    """The processor seconds of all its processes, if it was metered."""

    def verdicts(self) -> dict[str, list[str]]:
        """Return all that each test was reported as, of passed, failed, error and skipped."""
        verdicts: dict[str, set[str]] = {}
        for report in self.reports:
            said = verdicts.setdefault(report.test, set())
            if report.outcome == "failed":
                said.add("error" if report.when in {"setup", "teardown"} else "failed")
            elif report.outcome == "skipped" or report.when == "call":
                said.add(report.outcome)
        return {test: sorted(said) for test, said in verdicts.items()}


def suite_session(  # noqa: PLR0913 - a suite and the ways to run it
    environment: Environment,
    suite: Path,
    arguments: Sequence[str] = (),
    *,
    seconds: float = 60.0,
    variables: Mapping[str, str] | None = None,
    two_modules: bool = False,
    per_file: bool = False,
    only: str = ".",
    under: Sequence[str | Path] = (),
    metered: bool = False,
) -> Session:
    """Run pytest over a copy of a suite: a folder, or one file of tests; or over one path in it.

    `two_modules` runs the suite's module twice, under two names, with the late client in the last
    alone. `per_file` runs one session for each file, as a shell loop would. The plugins of this
    package and the guard can be imported. `under` is a program that runs the interpreter, with its
    options; `metered` says that the processor time is wanted, and that no session will crash.
    """
    with tempfile.TemporaryDirectory(prefix="evidence-") as temporary:
        folder = Path(temporary) / "suite"
        if suite.is_dir():
            shutil.copytree(suite, folder, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir()
            (folder / "pytest.ini").write_text(_INI, encoding="utf-8")
            shutil.copy(suite, folder / f"test_{suite.stem.removeprefix('test_')}.py")
        without = []
        if two_modules:
            for module in list(folder.glob("test_*.py")):
                first = folder / f"test_first_{module.name.removeprefix('test_')}"
                shutil.copy(module, first)
                # It would use up the request that each server of this module has pending.
                without += ["--deselect", f"{first.name}::test_late_client"]
        targets = sorted(path.name for path in folder.glob("test_*.py")) if per_file else [only]
        sessions = [
            session(
                environment,
                folder,
                [*arguments, *without, target],
                seconds=seconds,
                variables=variables,
                under=under,
                metered=metered,
            )
            for target in targets
        ]
    return _combined(sessions)


def session(  # noqa: PLR0913 - a project and the ways to run it
    environment: Environment,
    folder: Path,
    arguments: Sequence[str],
    *,
    seconds: float,
    variables: Mapping[str, str] | None = None,
    under: Sequence[str | Path] = (),
    metered: bool = False,
) -> Session:
    """Run pytest in a folder that is a project of its own, for at most so many seconds."""
    with tempfile.TemporaryDirectory(prefix="evidence-") as temporary:
        reports, notes = Path(temporary) / "reports.jsonl", Path(temporary) / "notes"
        taken = Path(temporary) / "taken.json"
        if metered:
            under = [environment.python, Path(meter.__file__), taken, *under]
        ended = run(
            [
                *(*under, environment.python, "-m", "pytest"),
                *("-p", "evidence_reports", *arguments),
            ],
            folder=folder,
            seconds=seconds,
            variables={
                "PYTHONPATH": f"{PLUGINS}:{GUARD.parent}",
                "PYTHONDONTWRITEBYTECODE": "1",
                "NO_COLOR": "1",
                "EVIDENCE_REPORTS": str(reports),
                "EVIDENCE_NOTES": str(notes),
                # What a plugin leaves there when its session dies goes too.
                "TMPDIR": temporary,
                **(variables or {}),
            },
            pytest=True,
        )
        return Session(
            outcome=ended.outcome,
            signal=ended.signal,
            seconds=ended.seconds,
            output=ended.output,
            reports=tuple(_reports(reports)),
            notes=tuple(notes.read_text().splitlines()) if notes.exists() else (),
            cpu=json.loads(taken.read_text())["cpu"] if taken.exists() else 0.0,
        )


def repeated(outcomes: Sequence[Run | Session]) -> dict[str, dict[str, int]]:
    """Count outcomes and signals, for a record."""
    counted: dict[str, dict[str, int]] = {"outcomes": {}, "signals": {}}
    for ended in outcomes:
        counted["outcomes"][ended.outcome] = counted["outcomes"].get(ended.outcome, 0) + 1
        if ended.signal:
            counted["signals"][ended.signal] = counted["signals"].get(ended.signal, 0) + 1
    return counted


def _reports(path: Path) -> list[Report]:
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Report(**{**line, "test": line["test"].rpartition("::")[2]}) for line in lines]


def _combined(sessions: Sequence[Session]) -> Session:
    severity = list(Outcome)
    worst = max(sessions, key=lambda session: severity.index(session.outcome))
    return Session(
        outcome=worst.outcome,
        signal=worst.signal,
        seconds=sum(session.seconds for session in sessions),
        output="".join(session.output for session in sessions),
        reports=tuple(report for session in sessions for report in session.reports),
        notes=tuple(note for session in sessions for note in session.notes),
        cpu=sum(session.cpu for session in sessions),
    )
