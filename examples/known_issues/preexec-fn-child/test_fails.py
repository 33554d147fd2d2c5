"""Children that are started with preexec_fn, so that Python code runs between fork and exec."""

import os
import subprocess

import pytest

CHILDREN = 1_000  # at most: a few in a hundred die


@pytest.mark.usefixtures("channel")
def test_children() -> None:
    """Each child does its work."""
    for number in range(1, CHILDREN + 1):
        child = subprocess.run(
            ["/bin/sh", "-c", "echo done"],
            preexec_fn=os.setsid,
            capture_output=True,
            text=True,
            check=False,
        )
        if child.returncode:
            print(f"child {number} ended with {child.returncode} and said:\n{child.stderr}")
        assert (child.returncode, child.stdout) == (0, "done\n")
    print(f"{CHILDREN} children have done their work")
