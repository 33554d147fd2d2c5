"""A property that is not of one of Python's plain types, whatever pytest it is."""

from collections.abc import Callable


class Seconds(float):
    """A number with a meaning."""


def test_records(record_property: Callable[[str, object], None]) -> None:
    """Passes, and records how long something took."""
    record_property("took", Seconds(1.5))


def test_records_plainly(record_property: Callable[[str, object], None]) -> None:
    """Passes, and records a plain number."""
    record_property("took", float(Seconds(1.5)))
