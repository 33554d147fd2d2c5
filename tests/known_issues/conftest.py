"""The triage in both of its languages, and what the runs of the suites have really printed."""

import contextlib
import fcntl
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from py_mini_racer import mini_racer

from docs.assets import triage
from tests.evidence.environments import Environments
from tests.evidence.outcome import Outcome
from tests.evidence.outcome import Run as Ended
from tests.known_issues import suites
from tests.known_issues.triage import JAVASCRIPT

PROJECT = Path(__file__).parents[2]
PATIENCE = 300.0  # seconds; what hangs ends itself after ten, and a busy machine is slow
TO_THE_END = """
function answer(log, issues) {
  const work = triage(log, issues);
  for (;;) {
    const step = work.next();
    if (step.done) return JSON.stringify(step.value);
  }
}
"""

Ask = Callable[..., list[triage.Fit]]


@pytest.fixture(scope="session")
def in_javascript() -> Iterator[Ask]:
    """Ask triage.js, outside of any page."""
    with mini_racer() as engine:
        engine.eval((PROJECT / JAVASCRIPT).read_text(encoding="utf-8") + TO_THE_END)

        def ask(log: str, issues: list[triage.Issue]) -> list[triage.Fit]:
            answer: list[triage.Fit] = json.loads(str(engine.call("answer", log, issues)))
            return [
                {**fit, "lines": [{"source": "", **line} for line in fit["lines"]]}
                for fit in answer
            ]

        yield ask


@pytest.fixture(scope="session")
def ask(in_javascript: Ask) -> Ask:
    """Ask both languages, which must give the same answer."""

    def both(log: str, issues: list[triage.Issue] = triage.ISSUES) -> list[triage.Fit]:
        answer = triage.triage(triage.rows(log), issues)
        assert in_javascript(log, issues) == answer
        return answer

    return both


Record = Callable[[suites.Run], Ended]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process of the session after the other do something."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Make a run of a suite, once for all tests of this session; skip where Python is too old.

    Where the packages of the project do not show what it is about, it has its own.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # which all workers have
    environments = Environments(folder / "environments")

    def programs(run: suites.Run) -> list[Path]:
        if run.project:
            return [Path(sys.executable).parent] * len(run.installed)
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        packages = [
            {name: bounds.removeprefix("==") for name, bounds in line.items()}
            for line in run.installed
        ]
        with locked(folder / "environments"):
            return [environments.make(python, line).python.parent for line in packages]

    def make(run: suites.Run) -> Ended:
        if tuple(map(int, run.python.split("."))) > sys.version_info:
            pytest.skip(f"needs Python {run.python}")
        path = folder / (re.sub(r"\W+", "-", f"{run.suite.name} {run.name}") + ".json")
        with locked(path):
            if not path.exists():
                ended = suites.attempt(run, programs(run), seconds=PATIENCE)
                path.write_text(json.dumps(asdict(ended)), encoding="utf-8")
        recorded = json.loads(path.read_text(encoding="utf-8"))
        return Ended(**recorded | {"outcome": Outcome(recorded["outcome"])})

    return make
