"""The settings of a site: read from pytest's ini file, typed, and checked before anything runs."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

PREFIX = "mkdocs_blocks"

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a site decides; the defaults are right for a site that decides nothing."""

    config: str = "mkdocs.yml"
    """MkDocs's configuration, a path below pytest's rootdir."""
    install: tuple[str, ...] = ()
    """The command that installs a sandbox; without one, blocks use the checker's environment."""
    variables: tuple[str, ...] = ()
    """Names or patterns of the environment variables that blocks may see beside the usual ones."""
    seconds: float = 120.0
    """The time that one block may take, and every other process that the checker starts."""
    types: bool = False
    """Whether mypy reads the Python files that the pages show."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Languages of file names that Pygments does not know, such as `*.tmpl` and `jinja`."""
    fences: Mapping[str, str] = field(default_factory=dict)
    """Languages of fences that the site itself turns into something else, each with a reason."""
    soften: Mapping[str, str] = field(default_factory=dict)
    """Rules that fail no page of this site, each with a reason."""
    excuse: str = "Not run: "
    """How the title of a block begins that is shown and not run."""
    shortest_reason: int = 12
    """Characters that the reason after it has at least: one word tells a reader nothing."""
    most_excused: float = 100.0
    """The share of excused blocks, in percent, above which the run fails."""
    baseline: str = "mkdocs-blocks-baseline.json"
    """The list of what is not proven yet, a path below pytest's rootdir."""
    results: str = ""
    """Where to write what is proven, a path below pytest's rootdir; empty: nowhere."""


# Each setting: pytest's type, how its value is made of pytest's, and the line of `pytest --help`.
_Row = tuple[str, Callable[[Any], Any], str]


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("write a number above zero")
    return value


def _percent(value: float) -> float:
    if not 0 <= value <= 100:
        raise ValueError("write a number from 0 to 100")
    return value


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError("write something there, or leave the setting out")
    return value


def _pairs(separator: str, wanted: str) -> Callable[[Sequence[str]], dict[str, str]]:
    def read(lines: Sequence[str]) -> dict[str, str]:
        found = {}
        for line in lines:
            name, sep, value = (part.strip() for part in line.partition(separator))
            if not (name and sep and value):
                raise ValueError(f"write each line as `{wanted}`, not {line!r}")
            found[name] = value
        return found

    return read


_ROWS: Mapping[str, _Row] = {
    "config": ("string", _not_empty, "MkDocs's configuration file (mkdocs.yml)"),
    "install": (
        "string",
        lambda value: tuple(shlex.split(value)),
        "the command that installs a sandbox, such as: uv sync --group docs (none)",
    ),
    "variables": ("args", tuple, "environment variables that blocks may see; patterns such as X_*"),
    "seconds": ("float", _positive, "seconds that one block may take (120)"),
    "types": ("bool", bool, "let mypy read the Python files that pages show (false)"),
    "files": ("linelist", _pairs("=", "*.tmpl = jinja"), "languages of file names: *.tmpl = jinja"),
    "fences": (
        "linelist",
        _pairs(":", "mermaid: it is drawn"),
        "languages that the site turns into something else; mermaid: it is drawn",
    ),
    "soften": (
        "linelist",
        _pairs(":", "only-defines: the reason"),
        "rules that fail no page; only-defines: the reason",
    ),
    "excuse": ("string", _not_empty, "how the title of a block begins that is not run (Not run: )"),
    "shortest_reason": ("int", _positive, "characters that an excuse has at least (12)"),
    "most_excused": ("float", _percent, "percent of the blocks that may be excused (100)"),
    "baseline": ("string", _not_empty, "the file with what is not proven yet"),
    "results": ("string", _not_empty, "a JSON file to write what is proven to, and when it was"),
}


def add_settings(parser: pytest.Parser) -> None:
    """Register the settings with pytest."""
    parser.addini(PREFIX, "check the blocks of the MkDocs site in every run", type="bool")
    for name, (kind, _, explained) in _ROWS.items():
        parser.addini(f"{PREFIX}_{name}", f"mkdocs-blocks: {explained}", type=kind, default=None)  # type: ignore[arg-type] # one of pytest's types


def read_settings(config: pytest.Config, rules: Iterable[str]) -> Settings:
    """Read the settings of this run; `rules` are those that can be softened.

    Raises `pytest.UsageError` with the file, the setting and what to write.
    """
    read = {
        name: value
        for name, (_, convert, _) in _ROWS.items()
        if (value := _setting(config, name, convert)) is not None
    }
    settings = Settings(**read)
    known = sorted(set(rules))
    for rule in settings.soften:
        if rule not in known:
            raise _usage(config, "soften", f"no rule is called {rule!r}: {', '.join(known)}")
    here = config.invocation_params.dir
    asked = any(config.getoption(name) for name in ("docs", "bless_docs", "docs_baseline"))
    if asked and "config" not in read and here != config.rootpath:
        _check_site_of(here, settings.config, config.rootpath)
    if not (config.rootpath / settings.config).is_file():
        if "config" in read:
            said = f"there is no file {settings.config} in {config.rootpath}"
            raise _usage(config, "config", said)
        raise pytest.UsageError(
            f"there is no {settings.config} in {config.rootpath}, which is pytest's rootdir: run "
            f"pytest in the folder of the site, or name the file with {PREFIX}_config"
        )
    return settings


def _check_site_of(here: Path, name: str, root: Path) -> None:
    """Refuse to pass over the site of this folder, since pytest has found an ini file above it."""
    if (here / name).is_file():
        raise pytest.UsageError(
            f"the site of {here / name} would not be checked, since pytest's rootdir is {root}: "
            "write a pytest.ini beside that file, which may be empty"
        )


def _setting(config: pytest.Config, name: str, convert: Callable[[Any], _T]) -> _T | None:
    try:
        value = config.getini(f"{PREFIX}_{name}")
        return None if value is None else convert(value)
    except (TypeError, ValueError) as error:
        said = re.sub(r"^.*?config option '\w+' ", "", str(error))
        raise _usage(config, name, said) from None


def _usage(config: pytest.Config, name: str, said: str) -> pytest.UsageError:
    file = config.inipath.name if config.inipath else "the command line"
    return pytest.UsageError(f"{file}: {PREFIX}_{name}: {said}")
