"""What a command takes is written down, and its exit status handed on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence import meter


def test_all_processes_of_a_command_are_measured(tmp_path: Path) -> None:
    """A child that computes and holds memory counts, not only the command itself."""
    child = "held = bytearray(64 * 1024 * 1024); sum(range(2_000_000))"
    command = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    )
    result = tmp_path / "result.json"
    assert meter.main(str(result), sys.executable, "-c", command) == 0
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
    meter_of_its_own = [sys.executable, meter.__file__, str(result)]
    subprocess.run([*meter_of_its_own, sys.executable, "-c", command], check=True)
    assert json.loads(result.read_text(encoding="utf-8"))["peak"] > 64


def test_the_exit_status_is_the_command_s(tmp_path: Path) -> None:
    """A command that fails is not taken for one that was quick."""
    status = meter.main(str(tmp_path / "result.json"), sys.executable, "-c", "raise SystemExit(3)")
    assert status == 3
