"""What a command takes is written down, and its exit status handed on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence import meter


def measured(result: Path, *program: str) -> int:
    """Measure a Python program by a meter of its own, and return its exit status.

    The meter waits for every child of its process, which a process of tests has others of.
    """
    command = [sys.executable, meter.__file__, str(result), sys.executable, *program]
    return subprocess.run(command, check=False).returncode


def test_all_processes_of_a_command_are_measured(tmp_path: Path) -> None:
    """A child that computes and holds memory counts, not only the command itself."""
    child = "held = bytearray(64 * 1024 * 1024); sum(range(2_000_000))"
    command = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    )
    result = tmp_path / "result.json"
    assert measured(result, "-c", command) == 0
    taken = json.loads(result.read_text(encoding="utf-8"))
    assert taken["peak"] > 64
    assert taken["cpu"] > 0
    assert taken["wall"] > 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
def test_what_outlives_its_parent_is_measured(tmp_path: Path) -> None:
    """A process that nobody waits for counts as well."""
    orphan = "held = bytearray(64 * 1024 * 1024)"
    command = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {orphan!r}])"
    result = tmp_path / "result.json"
    assert measured(result, "-c", command) == 0
    assert json.loads(result.read_text(encoding="utf-8"))["peak"] > 64


def test_the_exit_status_is_the_command_s(tmp_path: Path) -> None:
    """A command that fails is not taken for one that was quick."""
    assert measured(tmp_path / "result.json", "-c", "raise SystemExit(3)") == 3
