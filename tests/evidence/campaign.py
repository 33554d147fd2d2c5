"""Measures cells: in parallel, or one by one where time is measured; each once, until asked again.

The record of a finished cell is kept at once, with a fingerprint of what it was measured with. So
an interrupted campaign goes on where it stopped, and one after a change measures what it concerns.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from mkdocs_blocks import processes
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.evidence.environments import (
    NO_INTERPRETER,
    Environment,
    Environments,
    Unavailable,
)
from tests.evidence.records import FORMAT, Record, named, this_platform, today


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What measuring one cell found; see `Record`."""

    runs: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    signals: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a cell is measured with."""

    environment: Environment
    runs: int
    others: Mapping[str, Environment] = field(default_factory=dict)
    """The further environments that the cell asked for, but for those that cannot be made."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination to be measured, and how."""

    experiment: str
    """The name of the experiment that it is a part of."""
    parameters: Mapping[str, str]
    """Each thing that the experiment varies, with its value here."""
    python: str
    packages: Mapping[str, str]
    """The packages of its environment, each at a version or the newest."""
    runs: int
    measure: Callable[[Bench], Finding]
    others: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Further environments, each a name and its packages."""
    inputs: Sequence[Path] = ()
    """The files and folders that it runs: a change to them makes an old result void."""
    definition: str = ""
    """What it runs, where that stands in no file of its own: a change makes an old result void."""
    alone: bool = False
    """Whether nothing else may run meanwhile, since time is measured."""

    @property
    def name(self) -> str:
        """The experiment and its parameters, in one line."""
        return f"{self.experiment} {named(self.parameters)}"

    def fingerprint(self, runs: int) -> str:
        """Tell apart results that were made with other packages, runs, inputs or platforms."""
        made_with = [FORMAT, self.python, self.packages, self.others, runs, this_platform()]
        made_with += [self.definition] if self.definition else []
        digest = hashlib.sha256(json.dumps(made_with, sort_keys=True).encode())
        for path in self.inputs:
            files = [path] if path.is_file() else sorted(path.rglob("*.*"))
            for file in files:
                if file.is_file() and "__pycache__" not in file.parts:
                    digest.update(file.name.encode() + file.read_bytes())
        return digest.hexdigest()[:16]


class Memory(Protocol):
    """Where the records of finished cells are; several threads may use it at a time."""

    def recall(self, cell: Cell) -> Record | None:
        """Return the record of a cell, however it was measured, or None when there is none."""

    def keep(self, cell: Cell, record: Record) -> None:
        """Put a record into the place of the one that there was of this cell."""


class Campaign:
    """Measures cells in throw-away environments and remembers what is done."""

    def __init__(
        self, environments: Path, memory: Memory, console: Console, *, again: bool = False
    ) -> None:
        """Make environments in their folder; `again` measures also what is in the memory."""
        self._environments = Environments(environments)
        self._memory = memory
        self._console = console
        self._again = again

    def run(self, cells: Sequence[Cell], *, jobs: int, runs: int | None = None) -> list[Record]:
        """Measure the cells, `jobs` at a time, and return their records in the same order.

        `runs` replaces each cell's own number of runs. Raises `Unmeasurable` at the first
        cell that needs what is not there, such as uv or a network; what is done is kept.
        """
        records: dict[str, Record] = {}
        with self._progress(len(cells)) as advance:
            todo = []
            for cell in cells:
                record = self._remembered(cell, runs or cell.runs)
                if record is None:
                    todo.append(cell)
                else:
                    records[cell.name] = record
                    advance(cell)
            with ThreadPoolExecutor(jobs) as pool:
                futures = {
                    pool.submit(self._measure, cell, runs or cell.runs): cell
                    for cell in todo
                    if not cell.alone
                }
                try:
                    for future in as_completed(futures):
                        records[futures[future].name] = future.result()
                        advance(futures[future])
                except KeyboardInterrupt:
                    processes.stop()
                    raise
                finally:
                    pool.shutdown(cancel_futures=True)
            for cell in todo:
                if cell.alone:
                    records[cell.name] = self._measure(cell, runs or cell.runs)
                    advance(cell)
        return [records[cell.name] for cell in cells]

    def _measure(self, cell: Cell, runs: int) -> Record:
        try:
            environment = self._environments.make(cell.python, cell.packages)
        except Unavailable as reason:
            record = Record(
                parameters=cell.parameters,
                date=today(),
                platform=this_platform(),
                unavailable=str(reason),
            )
        else:
            others = self._others(cell)
            finding = cell.measure(Bench(environment=environment, runs=runs, others=others))
            record = Record(
                parameters=cell.parameters,
                date=today(),
                platform=this_platform(),
                python=environment.release,
                packages={name: environment.packages[name] for name in sorted(cell.packages)},
                runs=finding.runs,
                outcomes=dict(sorted(finding.outcomes.items())),
                signals=dict(sorted(finding.signals.items())),
                facts=finding.facts,
            )
        # That this machine lacks a Python is no finding about any package.
        if record.unavailable != NO_INTERPRETER:
            record = replace(record, fingerprint=cell.fingerprint(runs))
            self._memory.keep(cell, record)
        return record

    def _others(self, cell: Cell) -> dict[str, Environment]:
        others = {}
        for name, packages in cell.others.items():
            with suppress(Unavailable):
                others[name] = self._environments.make(cell.python, packages)
        return others

    def _remembered(self, cell: Cell, runs: int) -> Record | None:
        record = None if self._again else self._memory.recall(cell)
        measured_so = record is not None and record.fingerprint == cell.fingerprint(runs)
        return record if measured_so else None

    @contextmanager
    def _progress(self, total: int) -> Iterator[Callable[[Cell], None]]:
        """Show a bar on a terminal, and nothing where nobody watches."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(
            *columns, console=self._console, disable=not self._console.is_terminal
        ) as progress:
            task = progress.add_task("measuring", total=total)

            def advance(cell: Cell) -> None:
                progress.update(task, advance=1, description=cell.name)

            yield advance


def jobs_of_this_machine() -> int:
    """Return how many cells to measure at a time: one for each processor."""
    return os.cpu_count() or 1
