"""The triage in both of its languages, and what the runs of the suites have really printed."""

import contextlib
import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from mkdocs_blocks.printed import PrintedBlock
from mkdocs_blocks.sandbox import visible_variables
from py_mini_racer import mini_racer

from docs.assets import triage
from tests.evidence import outcome
from tests.evidence.environments import Environments, pins
from tests.known_issues import suites
from tests.known_issues.front_matter import PAGES
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


Record = Callable[[suites.Run], suites.Ending]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process of the session after the other do something."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def on_page(
    mkdocs_blocks_printed: Callable[[str], Sequence[PrintedBlock]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[suites.Run], suites.Ended | None]:
    """Look up how a run ended on its page, if the page was checked in this session.

    Only where that is as good as another run: the reader's commands have had this interpreter, and
    the packages that they name are those that the project pins, or the run is not about those.
    """
    folder = tmp_path_factory.mktemp("reader")
    reader = {**visible_variables(empty=True), "HOME": f"{folder}"}
    found = subprocess.run(
        ["uv", "python", "find", "--no-project"],
        cwd=folder,
        env=reader,
        capture_output=True,
        text=True,
        check=False,
    )
    same_python = Path(found.stdout.strip()).resolve() == Path(sys.executable).resolve()
    pinned = pins(PROJECT)

    def look_up(run: suites.Run) -> suites.Ended | None:
        if not same_python or (run.project and not run.installs(pinned)):
            return None
        return suites.on_page(run, mkdocs_blocks_printed(f"{PAGES}/{run.suite.name}.md"))

    return look_up


@pytest.fixture(scope="session")
def record(
    on_page: Callable[[suites.Run], suites.Ended | None], tmp_path_factory: pytest.TempPathFactory
) -> Record:
    """Make a run of a suite, once in this session, pages included; skip where Python is too old.

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

    def make(run: suites.Run) -> suites.Ending:
        if tuple(map(int, run.python.split("."))) > sys.version_info:
            pytest.skip(f"needs Python {run.python}")
        if shown := on_page(run):
            return shown
        path = folder / (re.sub(r"\W+", "-", f"{run.suite.name} {run.name}") + ".json")
        with locked(path):
            if not path.exists():
                ended = suites.attempt(run, programs(run), seconds=PATIENCE)
                path.write_text(json.dumps(asdict(ended)), encoding="utf-8")
        recorded = json.loads(path.read_text(encoding="utf-8"))
        return outcome.Run(**recorded | {"outcome": outcome.Outcome(recorded["outcome"])})

    return make
