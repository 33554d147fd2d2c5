"""The faults of what people write, a page's front matter or a suite's runs.toml, in a line each."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic_core import ErrorDetails


class FaultyError(Exception):
    """A file is not what it has to be."""

    def __init__(self, lines: list[str]) -> None:
        """Keep a line for each fault: `LINE: key: what is wrong; what to write`."""
        super().__init__(*lines)
        self.lines = lines


def text_of(path: Path) -> str:
    """Return the text of a file, its lines ended by a line feed.

    Raises `FaultyError` when it is not UTF-8, or begins with a byte order mark.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FaultyError(
            [f"{line}: is not UTF-8, of byte 0x{data[error.start]:02X}; save it as UTF-8"]
        ) from error
    if text.startswith("\ufeff"):
        raise FaultyError(["1: begins with a byte order mark; save it as UTF-8 without one"])
    return text.replace("\r\n", "\n")


# What pydantic says in its own words, in those of who writes a page or a suite. `{…}` is what it
# knows.
_WORDS = {
    "missing": "is missing; write it",
    "literal_error": "{input!r} is not known; write {expected}",
    "enum": "{input!r} is not known; write {expected}",
    "string_type": "{input!r} is no text; put it in quotes",
    "string_unicode": "has half a character, of two that make one; take it out",
    "string_too_short": "is empty; write it",
    "string_pattern_mismatch": "{input!r} has other characters than small letters, digits and "
    "hyphens; write it with these",
    "int_type": "{input!r} is no whole number; write one, without quotes",
    "bool_type": "{input!r} is neither true nor false; write one of them, without quotes",
    "tuple_type": "is no list; write each text in quotes between [ and ]",
    "model_type": "{input!r} has no keys; write each of them with what it is",
    "too_short": "is empty; write at least one",
    "too_long": "is {actual_length} characters long; write at most {max_length}",
    "url_parsing": "{input!r} is no address; write https://...",
    "url_scheme": "{input!r} is no address of the web; write https://...",
    "date_from_datetime_parsing": "{input!r} is no day; write it as 2026-11-26",
    "date_type": "{input!r} is no day; write it as 2026-11-26",
    "date_parsing": "{input!r} is no day; write it as 2026-11-26",
}

Keys = Mapping[tuple[str, ...], Sequence[str]]
"""The keys that may stand below a path, by the first key of that path; those of the top by ()."""


def told(
    errors: Sequence[ErrorDetails], lines: Mapping[tuple[str, ...], int], keys: Keys
) -> list[str]:
    """Return a line for each fault that pydantic found, and none for what follows from another.

    A line is `LINE: key: what is wrong; what to write`; `lines` has the line of each path that is
    known.
    """
    paths = [_path(details) for details in errors]
    misspelt = {
        (*path[:-1], meant)
        for path, details in zip(paths, errors, strict=True)
        if details["type"] == "extra_forbidden" and (meant := _meant(path, keys))
    }
    found = []
    for path, details in zip(paths, errors, strict=True):
        if details["type"] == "missing" and path in misspelt:
            continue
        # A list whose one item is faulty counts as empty.
        within = any(other[: len(path)] == path and other != path for other in paths)
        if not (details["type"] == "too_short" and within):
            found.append(_told(path, details, lines, keys))
    return list(dict.fromkeys(found))


def _path(details: ErrorDetails) -> tuple[str, ...]:
    """Return keys and positions that lead to a fault; the tags of alternatives are none."""
    return tuple(str(part) for part in details["loc"] if not str(part).startswith("a "))


def _meant(path: tuple[str, ...], keys: Keys) -> str | None:
    """Return the key that somebody meant who wrote an unknown one."""
    return next(iter(difflib.get_close_matches(path[-1], keys[path[:-1][:1]], n=1)), None)


def _told(
    path: tuple[str, ...],
    details: ErrorDetails,
    lines: Mapping[tuple[str, ...], int],
    keys: Keys,
) -> str:
    """Return one fault in a line: `LINE: key: what is wrong; what to write`."""
    context = details.get("ctx", {})
    if details["type"] == "extra_forbidden":
        meant = _meant(path, keys)
        said = f"there is no such key; {f'write {meant}' if meant else 'leave it out'}"
    elif details["type"] == "value_error":
        said = str(context["error"])
        if not path:
            key, _, said = said.partition(": ")
            path = (key,)
    elif details["type"] in _WORDS:
        given = details["input"]
        said = _WORDS[details["type"]].format(input=given, **context)
    else:
        wrong = f"{details['msg'][:1].lower()}{details['msg'][1:]}"
        said = f"{wrong}; see docs/guides/add-a-known-issue.md"
    where = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 1)
    if details["type"] == "missing" and len(path) == 1:
        where = 1
    return f"{where}: {'.'.join(path)}: {said}"
