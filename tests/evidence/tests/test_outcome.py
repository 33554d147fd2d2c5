"""How a process ended is told by its status and signal; nothing that it started outlives it."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tests.evidence.outcome import Outcome, classify, run

PROJECT = Path(__file__).parents[3]


def run_python(folder: Path, script: str, *, seconds: float = 60.0) -> tuple[Outcome, str, str]:
    """Run a script; return its outcome, its signal and its output."""
    ended = run([sys.executable, "-c", textwrap.dedent(script)], folder=folder, seconds=seconds)
    return ended.outcome, ended.signal, ended.output


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("status", "of_pytest", "outcome"),
    [
        (0, False, Outcome.PASSED),
        (1, False, Outcome.FAILED),
        (3, False, Outcome.FAILED),
        (1, True, Outcome.FAILED),
        (2, True, Outcome.REFUSED),
        (3, True, Outcome.BROKE),
        (4, True, Outcome.REFUSED),
        (5, True, Outcome.REFUSED),
        (-signal.SIGSEGV, True, Outcome.CRASHED),
        (-signal.SIGABRT, False, Outcome.CRASHED),
        (-signal.SIGTERM, False, Outcome.FAILED),
        (None, True, Outcome.HUNG),
    ],
)
def test_status_tells_the_outcome(status: int | None, outcome: Outcome, *, of_pytest: bool) -> None:
    """A status of pytest's means what pytest says; a signal means the same of any process."""
    assert classify(status, pytest=of_pytest) is outcome


def test_output_does_not_tell_the_outcome(tmp_path: Path) -> None:
    """A process that prints of a crash, and ends well, has passed; both its outputs are kept."""
    script = """
        import sys
        print("Fatal Python error", flush=True)
        print("Segmentation fault", file=sys.stderr)
    """
    ended = run_python(tmp_path, script)
    assert ended == (Outcome.PASSED, "", "Fatal Python error\nSegmentation fault\n")


def test_a_crash_is_told_with_its_signal(tmp_path: Path) -> None:
    """A signal that a process sends itself is named."""
    script = "import os, signal; os.kill(os.getpid(), signal.SIGBUS)"
    assert run_python(tmp_path, script) == (Outcome.CRASHED, "SIGBUS", "")


def test_a_hang_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """At the deadline a process is killed, and a child in a session of its own as well."""
    script = """
        import subprocess, time
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        print(child.pid, flush=True)
        time.sleep(600)
    """
    outcome, ended_by, output = run_python(tmp_path, script, seconds=1.0)
    assert (outcome, ended_by) == (Outcome.HUNG, "")
    assert not alive(int(output))


def test_a_child_does_not_outlive_its_parent(tmp_path: Path) -> None:
    """What a process leaves behind when it ends is killed, and does not delay its outcome."""
    script = """
        import subprocess
        print(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
    """
    outcome, _, output = run_python(tmp_path, script)
    assert outcome is Outcome.PASSED
    assert not alive(int(output))


def test_standard_input_is_closed(tmp_path: Path) -> None:
    """A process that asks for input gets none, and does not wait."""
    assert run_python(tmp_path, "print(repr(input.__name__)); input()")[0] is Outcome.FAILED


def test_the_caller_s_settings_do_not_reach_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that change what gRPC, Python or pytest do are those of the measurement alone."""
    for name in ("GRPC_ENABLE_FORK_SUPPORT", "PYTHONMALLOC", "PYTEST_ADDOPTS"):
        monkeypatch.setenv(name, "debug")
    script = """
        import os
        print(sorted(n for n in os.environ if n.startswith(("GRPC_", "PYTHON", "PYTEST_"))))
    """
    assert run_python(tmp_path, script)[2] == "[]\n"


def test_an_interrupted_harness_leaves_nothing(tmp_path: Path) -> None:
    """SIGTERM ends a campaign and what it runs; no result is kept of what was cut short."""
    script = f"""
        import signal, sys
        from pathlib import Path
        from rich.console import Console
        from tests.evidence.campaign import Campaign, Cell, Finding
        from tests.evidence.environments import Environment, Environments
        from tests.evidence.experiment import Data, Experiment
        from tests.evidence.outcome import run
        from tests.evidence.sessions import repeated

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        Environments.make = lambda *_: Environment(
            python=Path(sys.executable), release="3", packages={{}}
        )
        program = "import os, time; print(os.getpid(), file=open('pid', 'w'), flush=True); "
        def measure(bench):
            command = [sys.executable, "-c", program + "time.sleep(600)"]
            return Finding(
                runs=1, **repeated([run(command, folder=Path({str(tmp_path)!r}), seconds=600)])
            )
        cell = Cell(
            experiment="e", parameters={{}}, python="3", packages={{}}, runs=1, measure=measure
        )
        e = Experiment(name="e", cells=lambda _: [cell], sections=lambda _: {{}})
        folder = Path({str(tmp_path)!r})
        Campaign(folder, Data(folder, {{"e": e}}, {{}}), Console()).run([cell], jobs=1)
    """
    harness = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=PROJECT, stderr=subprocess.PIPE
    )
    started = tmp_path / "pid"
    deadline = time.monotonic() + 60
    while not (started.exists() and started.read_text().strip()):
        assert time.monotonic() < deadline
        assert harness.poll() is None
        time.sleep(0.05)
    harness.terminate()
    _, errors = harness.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    assert not alive(int(started.read_text()))
    assert not (tmp_path / "data").exists()
