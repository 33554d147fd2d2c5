"""The command line says what it does not understand, and writes what it has measured."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.evidence import __main__ as commands
from tests.evidence import records
from tests.evidence.environments import (
    NO_INTERPRETER,
    NO_WHEEL,
    Environments,
    Unavailable,
    Unreachable,
)
from tests.evidence.records import Record


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "no experiment 'nonsense'"),
        (["versions", "--only", "2.7"], "no cell has the values 2.7"),
        (["versions", "--runs", "0"], "Invalid value for '--runs'"),
    ],
)
def test_what_is_not_understood_is_said(arguments: list[str], message: str) -> None:
    """The message names the word; nothing is measured."""
    result = CliRunner().invoke(commands.app, ["evidence", *arguments], terminal_width=200)
    assert result.exit_code == 2
    assert message in result.output


def test_a_size_that_is_not_measured_is_said() -> None:
    """The message names the number; nothing is measured."""
    result = CliRunner().invoke(commands.app, ["bench", "--pages", "7"], terminal_width=200)
    assert result.exit_code == 2
    assert "there is no site of 7 pages" in result.output


def test_without_a_network_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is given, the exit status is its own, and no data are written."""

    def make(*_: object) -> None:
        raise Unreachable("uv could not reach the package index")

    monkeypatch.setattr(Environments, "make", make)
    monkeypatch.setattr(commands, "ENVIRONMENTS", tmp_path / "environments")
    monkeypatch.setattr(commands, "DOCS", tmp_path / "docs")
    result = CliRunner().invoke(commands.app, ["evidence", "compatibility"])
    assert result.exit_code == commands.UNMEASURABLE
    assert "could not reach" in result.output
    assert not (tmp_path / "docs").exists()


def narrowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> list[Record]:
    """Measure one of two known cells, which cannot be for this reason; return the data after it."""

    def make(*_: object) -> None:
        raise Unavailable(reason)

    monkeypatch.setattr(Environments, "make", make)
    monkeypatch.setattr(commands, "ENVIRONMENTS", tmp_path / "environments")
    monkeypatch.setattr(commands, "DOCS", tmp_path)
    data = tmp_path / "data/versions.json"
    records.write(
        data,
        [
            Record(
                parameters={"grpcio": "1.62.3", "python": "3.11", "mode": mode},
                date="2001-01-01",
                platform="elsewhere",
                python="3.11.9",
                packages={"grpcio": "1.62.3"},
                runs=3,
                outcomes={"crashed": 3},
            )
            for mode in ("plain", "guard")
        ],
    )
    options = ["--only", "1.62.3", "--only", "python=3.11", "--only", "guard"]
    result = CliRunner().invoke(commands.app, ["evidence", "versions", *options])
    assert result.exit_code == 0
    assert reason in result.output
    return records.read(data)


def test_a_narrowed_run_keeps_the_other_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the cells that were asked for are replaced in the data; the snippets follow."""
    kept, replaced = narrowed(tmp_path, monkeypatch, NO_WHEEL)
    assert (kept.date, kept.outcomes) == ("2001-01-01", {"crashed": 3})
    assert (replaced.unavailable, replaced.outcomes) == (NO_WHEEL, {})
    row = "| 1.62.3 | 3/3 · not measured · not measured · no wheel |"
    assert row in (tmp_path / "generated/versions.md").read_text()


def test_a_python_that_is_not_here_leaves_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one machine lacks is shown, and replaces nothing that another has measured."""
    for record in narrowed(tmp_path, monkeypatch, NO_INTERPRETER):
        assert (record.date, record.outcomes) == ("2001-01-01", {"crashed": 3})
