"""The commands: write what is made of the known issues, and begin a new one."""

import sys
from pathlib import Path

import typer

from tests.known_issues import catalogue

PROJECT = Path(__file__).parents[2]

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def known_issues() -> None:
    """The pages of docs/known-issues/ and what is made of their front matter."""


@app.command()
def generate() -> None:
    """Write what is made from the front matter of the pages; say which files have changed."""
    try:
        changed = catalogue.write(PROJECT)
    except ValueError as faults:
        sys.exit(str(faults))
    for path in changed:
        typer.echo(path.relative_to(PROJECT))


if __name__ == "__main__":
    app()
