"""Records are kept with names for their values, and a number for the format of the file."""

import json
from pathlib import Path

import pytest

from tests.evidence import records
from tests.evidence.records import Record


def made(**parameters: str) -> Record:
    """Return a record of a cell with these parameters."""
    return Record(parameters=parameters, date="2001-01-01", platform="here")


RECORDS = [
    made(python="3.12", mode="plain"),
    made(python="3.13", mode="plain"),
    made(python="3.13", mode="guard"),
]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A file gives the same records in the same order, each parameter by its name."""
    path = tmp_path / "data/things.json"
    records.write(path, RECORDS)
    assert records.read(path) == RECORDS
    data = json.loads(path.read_text())
    assert data["format"] == records.FORMAT
    assert data["records"][0]["parameters"] == {"python": "3.12", "mode": "plain"}


def test_nothing_is_read_where_nothing_was_measured(tmp_path: Path) -> None:
    """An experiment without a file has no records yet."""
    assert records.read(tmp_path / "things.json") == []


@pytest.mark.parametrize(("text", "found"), [("[]", "None"), ('{"format": 0, "records": []}', "0")])
def test_another_format_is_refused(tmp_path: Path, text: str, found: str) -> None:
    """A file of another format is told with its path, not taken for an empty one."""
    path = tmp_path / "things.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"things\.json: has format {found}, not \d"):
        records.read(path)


def test_records_are_found_by_their_parameters() -> None:
    """All that are named must have these values; those that are not may have any."""
    assert records.where(RECORDS, python="3.13") == RECORDS[1:]
    assert records.find(RECORDS, python="3.13", mode="guard") is RECORDS[2]
    assert records.find(RECORDS, python="3.11") is None
    assert records.values_of(RECORDS, "python") == ["3.12", "3.13"]
    assert RECORDS[0].name == "python=3.12 mode=plain"
