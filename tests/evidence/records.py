"""What was measured, as data: one JSON file for each experiment, one record for each cell."""

import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FORMAT = 1
"""The number that a data file starts with; another one when a field changes its meaning."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """The result of one cell: one combination of what an experiment varies."""

    parameters: Mapping[str, str]
    """Each thing that the experiment varies, with its value in this cell."""
    date: str
    """ISO date, in UTC, of the day on which it was measured."""
    platform: str
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    """The versions that this cell depends on."""
    unavailable: str = ""
    """Why nothing could be measured, such as `no wheel`; then the rest is empty."""
    runs: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    signals: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else the experiment found; JSON values."""
    fingerprint: str = ""
    """Of all that it was measured with: the same again would be the same measurement."""

    @property
    def name(self) -> str:
        """Its parameters in one line; see `named`."""
        return named(self.parameters)

    def count(self, *outcomes: str) -> int:
        """Return how many of the runs ended so."""
        return sum(self.outcomes.get(outcome, 0) for outcome in outcomes)

    @property
    def lost(self) -> int:
        """How many sessions were lost: crashed, hung, or given up by pytest."""
        return self.count("crashed", "hung", "broke")


def named(parameters: Mapping[str, str]) -> str:
    """Return parameters in one line: `grpcio=1.85.1 python=3.13 mode=plain`."""
    return " ".join(f"{name}={value}" for name, value in parameters.items())


def where(records: Sequence[Record], **values: str) -> list[Record]:
    """Return the records whose parameters have these values."""
    return [r for r in records if values.items() <= r.parameters.items()]


def find(records: Sequence[Record], **values: str) -> Record | None:
    """Return the record whose parameters have these values, or None when there is none."""
    return next(iter(where(records, **values)), None)


def values_of(records: Iterable[Record], parameter: str) -> list[str]:
    """Return the values that a parameter has in the records, each once, in their order."""
    return list(dict.fromkeys(record.parameters[parameter] for record in records))


def together(records: Sequence[Record]) -> Record:
    """Return one record with the runs and outcomes of several; the rest is the first one's."""
    outcomes: Counter[str] = Counter()
    for record in records:
        outcomes.update(record.outcomes)
    return replace(records[0], runs=sum(record.runs for record in records), outcomes=outcomes)


def today() -> str:
    """Return the date of a record made now."""
    return f"{datetime.now(tz=UTC):%Y-%m-%d}"


def this_platform() -> str:
    """Name the platform as records do: system, machine and C library."""
    libc = " ".join(part for part in platform.libc_ver() if part)
    return " ".join(part for part in (platform.system(), platform.machine(), libc) if part)


def write(path: Path, records: Iterable[Record]) -> None:
    """Write an experiment's records, a line for each, without what is empty in them."""
    lines = [
        json.dumps(
            {name: value for name, value in asdict(record).items() if value not in ("", 0, {}, ())},
            ensure_ascii=False,
        )
        for record in records
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f'{{"format": {FORMAT}, "records": [\n' + ",\n".join(lines) + "\n]}\n"
    path.write_text(text, encoding="utf-8")


def read(path: Path) -> list[Record]:
    """Read an experiment's records; none when there is no file yet.

    Raises `ValueError` when the file has another format.
    """
    if not path.exists():
        return []
    data = json.loads(path.read_text(encoding="utf-8"))
    found = data.get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        raise ValueError(f"{path}: has format {found}, not {FORMAT}: remove it and measure again")
    return [Record(**entry) for entry in data["records"]]
