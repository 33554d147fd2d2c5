"""The commands: measure, prove, render, and check the newest releases."""

import resource
import signal
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from tests.evidence import experiments, records, watch
from tests.evidence.campaign import Campaign, Cell, jobs_of_this_machine
from tests.evidence.environments import Unmeasurable, pins
from tests.evidence.experiment import Data
from tests.evidence.experiments import proof
from tests.evidence.records import Record
from tests.evidence.subjects import PROJECT

EXPERIMENTS = experiments.load()
MEASURED = tuple(name for name, experiment in EXPERIMENTS.items() if not experiment.on_its_own)
UNMEASURABLE = 3
"""The exit status when what is needed is not there: uv, a network, a wheel, valgrind."""
DOCS = PROJECT / "docs/evidence"
ENVIRONMENTS = PROJECT / ".evidence_cache"

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = Console()


@app.command()
def evidence(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXPERIMENTS", help=f"Of {', '.join(MEASURED)}; without any, all."),
    ] = None,
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Only cells with this value, such as 3.13 or python=3.13; again for one more."
        ),
    ] = None,
    runs: Annotated[
        int | None, typer.Option(min=1, help="Runs of each cell, instead of its own number.")
    ] = None,
    again: Annotated[bool, typer.Option(help="Measure also what is measured already.")] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Cells at a time, instead of one per processor.")
    ] = None,
) -> None:
    """Measure, write data and snippets under docs/evidence/, and show what was measured."""
    names = names or list(MEASURED)
    unknown = [name for name in names if name not in MEASURED]
    if unknown:
        raise typer.BadParameter(f"no experiment {unknown[0]!r}: there are {', '.join(MEASURED)}")
    pinned = pins(PROJECT)
    cells = [cell for name in names for cell in EXPERIMENTS[name].cells(pinned)]
    cells = [cell for cell in cells if _wanted(cell, only or [])]
    if not cells:
        raise typer.BadParameter(f"no cell has the values {', '.join(only or [])}")
    found = _measure(cells, again=again, jobs=jobs, runs=runs)
    table = Table(box=None, pad_edge=False)
    for heading in ("cell", "runs", "ended"):
        table.add_column(heading)
    for cell, record in zip(cells, found, strict=True):
        ended = ", ".join(f"{count} {outcome}" for outcome, count in record.outcomes.items())
        table.add_row(cell.name, f"{record.runs or ''}", record.unavailable or ended or "done")
    console.print(table, markup=False)


@app.command()
def prove(
    *,
    leaks: Annotated[
        bool,
        typer.Option(help="Also each way to leak a server, plainly and guarded: for half an hour."),
    ] = False,
    again: Annotated[bool, typer.Option(help="Also those that are measured already.")] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Of these at a time, instead of one per processor.")
    ] = None,
) -> None:
    """Run the reproducer and its cures under valgrind and show the write into freed memory."""
    cells = EXPERIMENTS["proof"].cells(pins(PROJECT))
    scripts = [cell for cell in cells if cell.parameters["group"] == proof.SCRIPTS]
    found = _measure(scripts, again=True, jobs=1)
    for cell, record in zip(scripts, found, strict=True):
        if record.unavailable:
            _give_up(f"Python {cell.python}: {record.unavailable}")
        for line in record.facts.get("extract", []):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        console.print(cell.name, f"{record.facts['errors']} errors", markup=False, highlight=False)
    if leaks:
        _measure([cell for cell in cells if cell not in scripts], again=again, jobs=jobs)


@app.command()
def bench(
    *,
    pages: Annotated[
        list[str] | None, typer.Option(help="Only sites of so many pages; again for one more.")
    ] = None,
    runs: Annotated[
        int | None, typer.Option(min=1, help="Rounds, instead of their number.")
    ] = None,
) -> None:
    """Measure the checker of the pages, in turn with others; write the data and show a summary."""
    cells = EXPERIMENTS["speed"].cells(pins(PROJECT))
    cells = [cell for cell in cells if not pages or cell.parameters["pages"] in pages]
    if not cells:
        raise typer.BadParameter(f"there is no site of {', '.join(pages or [])} pages")
    _measure(cells, again=True, runs=runs)
    sections = EXPERIMENTS["speed"].sections(records.read(EXPERIMENTS["speed"].data(DOCS)))
    for name in ("ratios", "wall", "cpu", "growth", "workers"):
        console.print(sections[name], "", sep="\n", markup=False, highlight=False, soft_wrap=True)


@app.command()
def check_upstream(
    *,
    report: Annotated[
        Path | None, typer.Option(help="A file for the table and the lines to change, as Markdown.")
    ] = None,
    pre: Annotated[bool, typer.Option("--pre", help="Count pre-releases as releases.")] = False,
) -> None:
    """Ask whether the newest releases still need the workarounds. Changes no page and no data.

    Exits with 0 when pages and reality agree, with 1 when a page is out of date, and with 3 when
    that could not be found out: no network, no wheel, no interpreter.
    """
    try:
        answers = watch.ask(PROJECT, pre_releases=pre)
    except ValueError as faults:
        _give_up(f"{faults}")
    table = Table(box=None, pad_edge=False)
    for heading in watch.HEADER:
        table.add_column(heading, overflow="fold")
    for answer in answers:
        table.add_row(*answer.row())
    console.print(table, markup=False)
    stale = watch.stale_lines(PROJECT / "docs", answers)
    for line in stale:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if report is not None:
        report.write_text(watch.report(answers, stale), encoding="utf-8")
    if stale:
        raise typer.Exit(watch.OUT_OF_DATE)
    if any(answer.holds is None for answer in answers):
        console.print("Not everything could be checked. Nothing has changed.")
        raise typer.Exit(UNMEASURABLE)


@app.command()
def render() -> None:
    """Write the snippets anew from the data."""
    for experiment in EXPERIMENTS.values():
        experiment.render(DOCS)


def _measure(
    cells: Sequence[Cell], *, again: bool, jobs: int | None = None, runs: int | None = None
) -> list[Record]:
    """Measure cells and write what came of it; exit with `UNMEASURABLE` when that is impossible."""
    data = Data(DOCS, EXPERIMENTS, pins(PROJECT))
    campaign = Campaign(ENVIRONMENTS, data, console, again=again)
    try:
        return campaign.run(cells, jobs=jobs or jobs_of_this_machine(), runs=runs)
    except Unmeasurable as reason:
        _give_up(f"{reason}")


def _give_up(reason: str) -> NoReturn:
    console.print(f"{reason}\nNothing else has changed under docs/evidence/.", markup=False)
    raise typer.Exit(UNMEASURABLE)


def _wanted(cell: Cell, only: list[str]) -> bool:
    said = [
        spelling
        for name, value in cell.parameters.items()
        for spelling in (value, f"{name}={value}")
    ]
    return all(any(fnmatchcase(spelling, word) for spelling in said) for word in only)


def main() -> None:
    """Run the command line; the crashes that it provokes leave no core files."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    # To be told to end is to be interrupted: what runs is killed, what is measured is kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()


if __name__ == "__main__":
    main()
