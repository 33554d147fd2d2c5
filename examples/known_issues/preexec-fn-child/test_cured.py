"""The same children; the new session is made by the C code that forks, not by Python code."""

import subprocess
import sys

import pytest

CHILDREN = 1_000
LEADS = "import os; print('a child leads a session of its own:', os.getsid(0) == os.getpid())"


def run(env: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a session of its own, which it leads."""
    return subprocess.run(
        command, start_new_session=True, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.usefixtures("channel")
def test_children(long_path: dict[str, str]) -> None:
    """Each child does its work."""
    print(run(long_path, sys.executable, "-c", LEADS).stdout, end="")
    for number in range(1, CHILDREN + 1):
        child = run(long_path, "sh", "-c", "echo done")
        if child.returncode:
            print(f"child {number} ended with {child.returncode} and said:\n{child.stderr}")
        assert (child.returncode, child.stdout) == (0, "done\n")
    print(f"{CHILDREN} children have done their work")
