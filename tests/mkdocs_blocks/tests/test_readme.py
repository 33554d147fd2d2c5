"""The README of the distribution: its blocks are run, and its tables are those of the code."""

import dataclasses
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mkdocs_blocks import plugin
from mkdocs_blocks.kinds import table
from mkdocs_blocks.rules import RULES
from mkdocs_blocks.settings import _ROWS, PREFIX, Settings

Check = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def rows(head: str) -> Iterator[list[str]]:
    """Return the cells of the rows of the table that begins with this cell."""
    found = re.search(rf"^\| {head} \|.*\n\|.*\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert found is not None
    for line in found[1].splitlines():
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


def test_what_the_readme_shows_is_true(project: Path, page: Write, check: Check) -> None:
    """A reader who types what stands there, beside a mkdocs.yml, sees what stands there."""
    (project / "pytest.ini").unlink()
    page(README, "readme.md")
    done = check()
    assert done.returncode == 0, done.stdout
    assert "docs/readme.md: 4 run, 4 checked, 0 excused" in done.stdout


def test_the_kinds_are_those_of_the_code() -> None:
    """The table is the one that the kinds make."""
    assert table() in README


def test_the_rules_are_those_of_the_code() -> None:
    """Each rule, with what it finds, in their order."""
    assert [(name.strip("`"), said) for name, said in rows("Rule")] == list(RULES.items())


def shown(value: object) -> str:
    """Return a default as the tables write it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else f"{value}" if value else "none"


def test_the_settings_are_those_of_the_code() -> None:
    """Each setting has a row, in their order, with its default."""
    wanted = {PREFIX: "false"} | {
        f"{PREFIX}_{field.name}": shown(getattr(Settings(), field.name))
        for field in dataclasses.fields(Settings)
    }
    found = {name.strip("`"): default for name, _, default in rows("Setting")}
    assert list(found) == list(wanted)
    for name, default in found.items():
        written = re.match(r"`(?P<code>[^`]+)`|(?P<word>\w+)", default)
        assert written is not None
        assert (written["code"] or written["word"]).strip() == wanted[name].strip()


def test_the_help_has_the_same_defaults() -> None:
    """Where `pytest --help` tells a default, it is the one that counts."""
    told = {
        name: found[1].strip()
        for name, row in _ROWS.items()
        if (found := re.search(r"\((?P<default>[^()]*)\)$", row.explained))
    }
    assert told == {name: shown(getattr(Settings(), name)).strip() for name in told}
    assert len(told) > 5


def test_the_options_are_those_of_the_code() -> None:
    """Each option has a row, in their order."""

    class Recorded:
        """A parser of pytest, as far as the plugin needs one."""

        options: list[str] = []  # noqa: RUF012 - of one use

        def getgroup(self, *_: str) -> "Recorded":
            return self

        def addoption(self, name: str, **_: Any) -> None:  # noqa: ANN401 - as argparse has them
            self.options.append(name)

        def addini(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - the settings have a test
            pass

    plugin.pytest_addoption(Recorded())  # type: ignore[arg-type] # enough of one
    assert [name.strip("`") for name, _ in rows("Option")] == Recorded.options


def test_the_extras_are_those_of_the_distribution() -> None:
    """What it tells to install can be installed."""
    with (Path(__file__).parents[1] / "pyproject.toml").open("rb") as stream:
        extras = tomllib.load(stream)["project"]["optional-dependencies"]
    named = re.search(r"Extras: (.*)", README)
    assert named is not None
    assert re.findall(r"`(\w+)` for", named[1]) == list(extras)
