"""The settings of a site: read from pytest's ini file, typed, and checked before anything runs."""

import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

PREFIX = "mkdocs_blocks"


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


class _Row(NamedTuple):
    kind: Literal["string", "args", "linelist", "bool", "int", "float"]
    """Pytest's type."""
    convert: Callable[[Any], Any]
    """Makes the setting's value of pytest's; raises `ValueError` with what is wrong with it."""
    write: str
    """What to write instead of a wrong value."""
    explained: str
    """The line of `pytest --help`."""


def positive(value: float) -> float:
    """Return a number above zero that has an end; raise `ValueError` for any other."""
    if not 0 < value < math.inf:
        raise ValueError(f"{value:g} is none")
    return value


def _percent(value: float) -> float:
    if not 0 <= value <= 100:
        raise ValueError(f"{value:g} is none")
    return value


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty")
    return value


def _pairs(separator: str) -> Callable[[Sequence[str]], dict[str, str]]:
    def read(lines: Sequence[str]) -> dict[str, str]:
        found = {}
        for line in lines:
            name, sep, value = (part.strip() for part in line.partition(separator))
            if not (name and sep and value):
                raise ValueError(f"{line!r} is none")
            found[name] = value
        return found

    return read


_WRITE_BOOL = "true or false"

_ROWS: Mapping[str, _Row] = {
    "config": _Row(
        "string",
        _not_empty,
        "the path of MkDocs's configuration below pytest's rootdir, such as mkdocs.yml",
        "MkDocs's configuration file (mkdocs.yml)",
    ),
    "install": _Row(
        "string",
        lambda value: tuple(shlex.split(value)),
        "a command as for a shell, each quotation closed, such as uv sync --group docs",
        "the command that installs a sandbox, such as: uv sync --group docs (none)",
    ),
    "variables": _Row(
        "args",
        tuple,
        "names or patterns of variables, such as DATABASE_URL X_*",
        "environment variables that blocks may see; patterns such as X_*",
    ),
    "seconds": _Row(
        "float",
        positive,
        "a number above zero, such as 60",
        "seconds that one block may take (120)",
    ),
    "types": _Row(
        "bool", bool, _WRITE_BOOL, "let mypy read the Python files that pages show (false)"
    ),
    "files": _Row(
        "linelist",
        _pairs("="),
        "each line as `*.tmpl = jinja`",
        "languages of file names: *.tmpl = jinja",
    ),
    "fences": _Row(
        "linelist",
        _pairs(":"),
        "each line as `mermaid: it is drawn`",
        "languages that the site turns into something else; mermaid: it is drawn",
    ),
    "soften": _Row(
        "linelist",
        _pairs(":"),
        "each line as `only-defines: the reason`",
        "rules that fail no page; only-defines: the reason",
    ),
    "excuse": _Row(
        "string",
        _not_empty,
        "the beginning of such a title, or leave the setting out",
        "how the title of a block begins that is not run (Not run: )",
    ),
    "shortest_reason": _Row(
        "int",
        positive,
        "a whole number above zero, such as 12",
        "characters that an excuse has at least (12)",
    ),
    "most_excused": _Row(
        "float",
        _percent,
        "a number from 0 to 100",
        "percent of the blocks that may be excused (100)",
    ),
    "baseline": _Row(
        "string",
        _not_empty,
        "the path of a file, in a folder that is there, or leave the setting out",
        "the file with what is not proven yet",
    ),
    "results": _Row(
        "string",
        _not_empty,
        "the path of a file, in a folder that is there, or leave the setting out",
        "a JSON file to write what is proven to, and when it was",
    ),
}


def add_settings(parser: pytest.Parser) -> None:
    """Register the settings with pytest."""
    parser.addini(PREFIX, "check the blocks of the MkDocs site in every run", type="bool")
    for name, row in _ROWS.items():
        said = f"mkdocs-blocks: {row.explained}"
        parser.addini(f"{PREFIX}_{name}", said, type=row.kind, default=None)


def asks_for_the_site(config: pytest.Config) -> bool:
    """Tell whether the ini file asks for a check in every run.

    Raises `pytest.UsageError` with the file, the setting and what to write.
    """
    try:
        return bool(config.getini(PREFIX))
    except (TypeError, ValueError) as error:
        raise _usage(config, PREFIX, f"write {_WRITE_BOOL} ({_without_name(error)})") from None


def read_settings(config: pytest.Config, rules: Iterable[str]) -> Settings:
    """Read the settings of this run; `rules` are those that can be softened.

    Raises `pytest.UsageError` with the file, the setting and what to write.
    """
    read = {
        name: value
        for name, row in _ROWS.items()
        if (value := _setting(config, name, row)) is not None
    }
    asks_for_the_site(config)
    settings = Settings(**read)
    known = sorted(set(rules))
    for rule in settings.soften:
        if rule not in known:
            raise _usage(
                config,
                f"{PREFIX}_soften",
                f"no rule is called {rule!r}: write one of {', '.join(known)}",
            )
    for name in read.keys() & {"baseline", "results"}:
        wrong = _not_a_file(config.rootpath / read[name])
        if wrong:
            raise _usage(config, f"{PREFIX}_{name}", f"write {_ROWS[name].write} ({wrong})")
    here = config.invocation_params.dir
    asked = any(config.getoption(name) for name in ("docs", "bless_docs", "docs_baseline"))
    if asked and "config" not in read and here != config.rootpath:
        _check_site_of(here, settings.config, config.rootpath)
    site = config.rootpath / settings.config
    if _not_a_file(site) or not site.is_file():
        if "config" in read:
            said = f"there is no file {settings.config} in {config.rootpath}"
            raise _usage(config, f"{PREFIX}_config", f"{said}: write {_ROWS['config'].write}")
        raise pytest.UsageError(
            f"there is no {settings.config} in {config.rootpath}, which is pytest's rootdir: run "
            f"pytest in the folder of the site, or name the file with {PREFIX}_config"
        )
    return settings


def _not_a_file(path: Path) -> str:
    """Return why no file can be there, "" where one can."""
    try:
        if path.is_dir():
            return f"{path} is a folder"
        if not path.parent.is_dir():
            return f"there is no folder {path.parent}"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _check_site_of(here: Path, name: str, root: Path) -> None:
    """Refuse to pass over the site of this folder, since pytest has found an ini file above it."""
    if (here / name).is_file():
        raise pytest.UsageError(
            f"the site of {here / name} would not be checked, since pytest's rootdir is {root}: "
            "write a pytest.ini beside that file, which may be empty"
        )


def _setting(config: pytest.Config, name: str, row: _Row) -> Any:  # noqa: ANN401 - each setting has a type of its own
    try:
        value = config.getini(f"{PREFIX}_{name}")
        return None if value is None else row.convert(value)
    except (TypeError, ValueError) as error:
        said = f"write {row.write} ({_without_name(error)})"
        raise _usage(config, f"{PREFIX}_{name}", said) from None


def _without_name(error: Exception) -> str:
    """Return what pytest says of a value, without the file and the setting."""
    return re.sub(r"^.*?config option '\w+' ", "", str(error))


def _usage(config: pytest.Config, setting: str, said: str) -> pytest.UsageError:
    """Return the error for a setting, which names where it is set: `-o` outdoes the file."""
    overridden = config.getoption("override_ini") or ()
    if any(given.partition("=")[0] == setting for given in overridden) or not config.inipath:
        return pytest.UsageError(f"-o {setting}: {said}")
    return pytest.UsageError(f"{config.inipath.name}: {setting}: {said}")
