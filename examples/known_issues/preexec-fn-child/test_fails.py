"""Children that are started with preexec_fn, so that Python code runs between fork and exec."""

import os
import subprocess

import pytest

# Until one dies; of a thousand that is mostly some ten to thirty.
CHILDREN = int(os.environ.get("CHILDREN", "10000"))


@pytest.mark.usefixtures("channel")
def test_children(long_path: dict[str, str]) -> None:
    """Each child does its work."""
    for number in range(1, CHILDREN + 1):
        child = subprocess.run(
            ["sh", "-c", "echo done"],
            preexec_fn=os.setsid,
            env=long_path,
            capture_output=True,
            text=True,
            check=False,
        )
        if child.returncode:
            print(f"child {number} ended with {child.returncode} and said:\n{child.stderr}")
        assert (child.returncode, child.stdout) == (0, "done\n")
    print(f"{CHILDREN} children have done their work")
