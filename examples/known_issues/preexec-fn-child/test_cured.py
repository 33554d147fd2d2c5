"""The same children; the new session is made by the C code that forks, not by Python code."""

import subprocess

import pytest

CHILDREN = 1_000


@pytest.mark.usefixtures("channel")
def test_children(long_path: dict[str, str]) -> None:
    """Each child does its work."""
    for number in range(1, CHILDREN + 1):
        child = subprocess.run(
            ["sh", "-c", "echo done"],
            start_new_session=True,
            env=long_path,
            capture_output=True,
            text=True,
            check=False,
        )
        if child.returncode:
            print(f"child {number} ended with {child.returncode} and said:\n{child.stderr}")
        assert (child.returncode, child.stdout) == (0, "done\n")
    print(f"{CHILDREN} children have done their work")
