"""What was measured, as data: one JSON file for each experiment, one record for each cell."""

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Record:
    """The result of one cell: one combination of what an experiment varies."""

    cell: tuple[str, ...]
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

    def count(self, *outcomes: str) -> int:
        """Give how many of the runs ended so."""
        return sum(self.outcomes.get(outcome, 0) for outcome in outcomes)

    @property
    def lost(self) -> int:
        """How many sessions were lost: crashed, hung, or given up by pytest."""
        return self.count("crashed", "hung", "broke")


def today() -> str:
    """Give the date of a record made now."""
    return f"{datetime.now(tz=UTC):%Y-%m-%d}"


def this_platform() -> str:
    """Name the platform as records do: system, machine and C library."""
    libc = " ".join(part for part in platform.libc_ver() if part)
    return " ".join(part for part in (platform.system(), platform.machine(), libc) if part)


def write(path: Path, records: Iterable[Record]) -> None:
    """Write an experiment's records, without what is empty in them."""
    entries = [
        {name: value for name, value in asdict(record).items() if value not in ("", 0, {}, ())}
        for record in records
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(entry, ensure_ascii=False) for entry in entries]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def read(path: Path) -> list[Record]:
    """Read an experiment's records; none when there is no file yet."""
    if not path.exists():
        return []
    entries = json.loads(path.read_text(encoding="utf-8"))
    return [Record(**{**entry, "cell": tuple(entry["cell"])}) for entry in entries]
