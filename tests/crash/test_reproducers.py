"""The reproducers do what their pages say, with the grpcio that is installed."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SEGFAULT = Path(__file__).parents[2] / "examples" / "segfault"
SUITE = SEGFAULT / "leaking_suite"
VARIANTS = sorted(path.name for path in (SUITE / "variants").glob("test_*.py"))
HARMLESS = "test_yielded_port.py"
# How those variants end, once the server is stopped, in which something fails on purpose.
FAILING = {
    "test_failing_fixture.py": {"passed": 1, "errors": 1},
    "test_failing_test.py": {"failed": 1, "passed": 1},
}


# Ends a run in which a test hangs. Not for forked tests: a child that fails waits for the parent's
# watchdog forever.
PATIENCE = ("-o", "faulthandler_timeout=4", "-o", "faulthandler_exit_on_timeout=true")


def run(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the folder to its end."""
    return subprocess.run(
        [sys.executable, str(SEGFAULT / script), *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_suite(*options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in the leaking suite."""
    own = {"PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"}  # of the run that this test is part of
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=SUITE,
        env={name: text for name, text in os.environ.items() if name not in own},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def outcomes(process: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return the counts in pytest's last line, without the warnings."""
    counts = pytest.RunResult.parse_summary_nouns(process.stdout.splitlines())
    return {noun: count for noun, count in counts.items() if noun != "warnings"}


def test_repro_crashes() -> None:
    """The reproducer prints its versions, then dies in the garbage collector."""
    process = run("repro.py")
    assert process.returncode == -signal.SIGSEGV
    assert re.match(r"Python [\d.]+\S*, grpcio [\d.]+\S*, \S+\n", process.stdout)
    assert "Fatal Python error: Segmentation fault" in process.stderr
    assert "Garbage-collecting" in process.stderr


def test_repro_survives_when_stopped() -> None:
    """The same work with the servers stopped in their loop ends well."""
    process = run("repro.py", "--stopped")
    assert process.returncode == 0
    assert process.stdout.endswith("survived\n")


def test_repro_is_short() -> None:
    """The reproducer fits into an upstream report."""
    assert len((SEGFAULT / "repro.py").read_text().splitlines()) <= 40


def test_pinned_crashes_without_its_references() -> None:
    """Without the option it is the reproducer again: the loop's end has freed every RPCState."""
    process = run("pinned.py")
    assert process.returncode == -signal.SIGSEGV
    assert "RPCStates: 0, pinned: 0\n" in process.stdout
    assert "Garbage-collecting" in process.stderr


def test_pinned_survives_by_its_references() -> None:
    """With them, and with no server stopped, the same late calls do no harm."""
    process = run("pinned.py", "--pinned")
    assert process.returncode == 0
    assert "RPCStates: 8, pinned: 8\n" in process.stdout
    assert process.stdout.endswith("survived\n")


def test_generators_are_said_to_run_already() -> None:
    """Where generators take the memory, the same writes make one of them refuse to go on."""
    process = run("generators.py")
    assert process.returncode == 1
    assert "generators that wait: 5000\n" in process.stdout
    assert "generators that went on" not in process.stdout
    assert process.stderr.endswith("\nValueError: generator already executing\n")


def test_generators_go_on_when_stopped() -> None:
    """The same generators, and servers that are stopped in their loop: all of them go on."""
    process = run("generators.py", "--stopped")
    assert process.returncode == 0
    assert process.stdout.endswith("generators that went on: 5000\n")


def test_hang_says_where() -> None:
    """The second symptom: the deadline ends the process and names the line that hangs."""
    process = run("hang.py")
    number = (SEGFAULT / "hang.py").read_text().splitlines().index("gc.collect()") + 1
    assert process.returncode == 1
    assert "Timeout (" in process.stderr
    assert f'hang.py", line {number} in <module>' in process.stderr
    assert "ended" not in process.stdout


def test_hang_ends_when_stopped() -> None:
    """With the server stopped in its loop, nothing is left to wait for."""
    process = run("hang.py", "--stopped")
    assert process.returncode == 0
    assert process.stdout.endswith("ended\n")


def test_leaking_suite_crashes() -> None:
    """A plain run of the leaking suite dies in the garbage collector, before its summary."""
    process = run_suite()
    assert process.returncode == -signal.SIGSEGV
    assert "Garbage-collecting" in process.stderr
    assert " in test_late_client" in process.stderr
    assert " passed" not in process.stdout


@pytest.mark.parametrize("option", ["--forked", "--stopped"])
def test_leaking_suite_passes(option: str) -> None:
    """A process for each test contains the crash; stopping the servers prevents it."""
    process = run_suite(option)
    assert outcomes(process) == {"passed": 25}
    assert process.returncode == 0


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != HARMLESS])
def test_variant_ends_the_session(variant: str) -> None:
    """Each ordinary way to leak a server kills the session, or hangs it."""
    try:
        process = run_suite(f"variants/{variant}", *PATIENCE)
    except subprocess.TimeoutExpired:  # so deep that not even faulthandler ends it
        return
    hung = process.returncode == 1 and "Timeout (" in process.stderr
    killed = process.returncode < 0
    assert hung or killed, f"{process.returncode}\n{process.stdout}\n{process.stderr}"


def test_harmless_variant() -> None:
    """A server that nothing keeps is stopped by its own destructor."""
    process = run_suite(f"variants/{HARMLESS}")
    assert outcomes(process) == {"passed": 2}


@pytest.mark.parametrize("variant", VARIANTS)
def test_variant_is_cured(variant: str) -> None:
    """The same tests end with their own results when the server is stopped in its loop."""
    process = run_suite(f"variants/{variant}", "--stopped")
    counts = outcomes(process)
    assert counts == FAILING.get(variant, {"passed": counts.get("passed")})
    assert process.returncode == (1 if variant in FAILING else 0)


def test_not_among_the_tests_of_the_project(pytestconfig: pytest.Config) -> None:
    """A run of the project's own tests does not collect what is meant to crash."""
    roots = [pytestconfig.rootpath / name for name in pytestconfig.getini("testpaths")]
    assert roots
    assert not any(SUITE.is_relative_to(root) for root in roots)
