"""Languages as Pygments knows them: their lexers, and the one that a file's name stands for.

Pygments's own list is asked, and none of its lexers is loaded for that.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MOST_PROPOSED = 3
_LEAST_LIKENESS = 0.7
"""Two letters that have changed places leave 0.75 of a word of four; a lower one is chance."""


@cache
def _lexers(*, plugins: bool) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return the aliases and the patterns of file names of each lexer."""
    from pygments.lexers import get_all_lexers  # noqa: PLC0415 - not for who only imports this

    return tuple(
        (tuple(aliases), tuple(patterns))
        for _, aliases, patterns, _ in get_all_lexers(plugins=plugins)
        if aliases
    )


@cache
def _aliases(*, plugins: bool) -> Mapping[str, str]:
    known: dict[str, str] = {}
    for aliases, _ in _lexers(plugins=plugins):
        for alias in aliases:
            known.setdefault(alias.lower(), aliases[0])
    return known


def lexer_of(language: str) -> str:
    """Return the first name of Pygments's lexer for a language; empty when it knows none."""
    name = language.lower()
    found = _aliases(plugins=False).get(name)
    return found or _aliases(plugins=True).get(name, "")


def close_to(language: str, also: Iterable[str] = ()) -> list[str]:
    """Return the names of languages that a misspelt one may stand for, the closest first."""
    names = [*also, *_aliases(plugins=True)]
    return difflib.get_close_matches(
        language.lower(), names, n=_MOST_PROPOSED, cutoff=_LEAST_LIKENESS
    )


def written_in(title: str, lexer: str, files: Mapping[str, str]) -> str:
    """Return the lexer that the file name of a title stands for; empty when it stands for none.

    `lexer` is that of the block: where the name may stand for several, or where the language is
    one that has no files of its own, it is right. `files` has the site's own patterns.
    """
    name = title.rpartition("/")[2]
    for pattern, language in files.items():
        if fnmatch.fnmatchcase(name, pattern):
            return lexer_of(language) or language
    candidates = _written_in(name)
    if not candidates:
        return ""
    return lexer if lexer in candidates or lexer in _without_files() else candidates[0]


@cache
def _without_files() -> frozenset[str]:
    return frozenset(aliases[0] for aliases, patterns in _lexers(plugins=False) if not patterns)


@cache
def _patterns() -> tuple[
    Mapping[str, list[str]], Mapping[str, list[str]], list[tuple[re.Pattern[str], str]]
]:
    """Return the lexers by whole names, by ends of names, and by what is neither."""
    whole: dict[str, list[str]] = {}
    ends: dict[str, list[str]] = {}
    others: list[tuple[re.Pattern[str], str]] = []
    for aliases, patterns in _lexers(plugins=False):
        for pattern in patterns:
            if not re.search(r"[*?\[]", pattern):
                whole.setdefault(pattern, []).append(aliases[0])
            elif pattern.startswith("*.") and not re.search(r"[*?\[]", pattern[1:]):
                # The language that is called like the end of the name comes first.
                found = ends.setdefault(pattern[1:], [])
                found.insert(0 if pattern[2:] in aliases else len(found), aliases[0])
            else:
                others.append((re.compile(fnmatch.translate(pattern)), aliases[0]))
    return whole, ends, others


@cache
def _written_in(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_found(name)))


def _found(name: str) -> Iterator[str]:
    whole, ends, others = _patterns()
    yield from whole.get(name, ())
    for index, character in enumerate(name):
        if character == ".":
            yield from ends.get(name[index:], ())
    for pattern, lexer in others:
        if pattern.match(name):
            yield lexer
