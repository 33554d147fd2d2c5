"""A test in pytest's own process, and then one that is forked: the last one of its file."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """Give what the tests of this file share."""
    print("\nthe service of the module is set up")
    yield "service"
    print("\nthe service of the module is torn down")


def test_plain(service: str) -> None:
    """Runs in pytest's own process."""
    assert service


@pytest.mark.forked
def test_forked() -> None:
    """Runs in a child."""
