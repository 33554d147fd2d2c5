"""Six tests share a module-scoped fixture, which notes each time that it is set up."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def shared() -> int:
    """Note the set-up."""
    with Path(os.environ["EVIDENCE_NOTES"]).open("a") as notes:
        notes.write("set up\n")
    return 1


@pytest.mark.parametrize("number", range(6))
def test_shares(shared: int, number: int) -> None:
    """Use it."""
    assert shared + number > number
