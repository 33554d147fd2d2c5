"""Lets pytest-forked send the reports of pytest 9.2: with the id of the test as text."""

import pytest
import pytest_forked

as_it_comes = pytest_forked.serialize_report


def serialize_report(report: pytest.TestReport) -> dict[str, object]:
    """Give what pytest-forked sends to its parent, in Python's plain types alone."""
    data: dict[str, object] = as_it_comes(report)
    if "_id" in data:
        data["nodeid"] = str(data.pop("_id"))
    return data


pytest_forked.serialize_report = serialize_report
