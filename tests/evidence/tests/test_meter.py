"""What a command takes is written down, and its exit status handed on."""

import json
import sys
from pathlib import Path

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


def test_the_exit_status_is_the_command_s(tmp_path: Path) -> None:
    """A command that fails is not taken for one that was quick."""
    status = meter.main(str(tmp_path / "result.json"), sys.executable, "-c", "raise SystemExit(3)")
    assert status == 3
