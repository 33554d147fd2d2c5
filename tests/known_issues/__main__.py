"""The commands: write what is made of the known issues, and begin a new one."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import typer

from tests.evidence.environments import pins
from tests.known_issues import catalogue, front_matter, proofs, skeleton

PROJECT = Path(__file__).parents[2]

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def generate() -> None:
    """Write what is made from the front matter of the pages; say which files have changed.

    Exits with 1 and a line for each fault when a page does not say or show what it has to.
    """
    if faults := [*front_matter.faults(PROJECT), *proofs.faults(PROJECT)]:
        _give_up(sorted(faults, key=_place))
    try:
        changed = catalogue.write(PROJECT)
    except ValueError as fault:
        _give_up([f"{fault}"])
    for path in changed:
        typer.echo(path.relative_to(PROJECT))


@app.command()
def new(issue: str) -> None:
    """Begin an issue: its page, and a suite that fails and is cured."""
    try:
        files = skeleton.begin(PROJECT, issue, pins(PROJECT))
    except ValueError as fault:
        _give_up([f"{fault}"])
    for path in files:
        typer.echo(path.relative_to(PROJECT))


def _place(fault: str) -> tuple[str, int]:
    """Return page and line of a fault, to sort by."""
    page, line, _ = fault.split(":", maxsplit=2)
    return page, int(line)


def _give_up(faults: Iterable[str]) -> NoReturn:
    sys.exit("\n".join(faults))


if __name__ == "__main__":
    app()
