"""The kinds of blocks, in the order in which they may claim a fence.

To add one, write a module with a `Kind` and name it here: its row in the guide, its count and its
judge come with it.
"""

from collections.abc import Mapping, Sequence

from mkdocs_blocks.kinds.console import Console
from mkdocs_blocks.kinds.declared import Declared
from mkdocs_blocks.kinds.excerpt import Excerpt
from mkdocs_blocks.kinds.excused import Excused
from mkdocs_blocks.kinds.file import File
from mkdocs_blocks.kinds.kind import Fence, Kind, Problem
from mkdocs_blocks.kinds.markdown import Markdown
from mkdocs_blocks.kinds.python import Python
from mkdocs_blocks.kinds.quote import Quote
from mkdocs_blocks.kinds.script import Script
from mkdocs_blocks.settings import Settings

__all__ = ["KINDS", "Fence", "Kind", "Problem", "claim", "declare", "kinds_of", "table"]

KINDS: tuple[type[Kind], ...] = (
    Excused,
    Declared,
    Console,
    Script,
    Quote,
    Excerpt,
    File,
    Python,
    Markdown,
)


_OF_ALL = frozenset({"title", "hl_lines", "linenums"})
"""Attributes of every block."""


def kinds_of(settings: Settings) -> Mapping[str, Kind]:
    """Return the kinds of a site by their names, in the order in which they claim."""
    return {kind.name: kind(settings) for kind in KINDS}


def claim(fence: Fence, kinds: Mapping[str, Kind]) -> tuple[str, Sequence[Problem]]:
    """Return the name of the kind that claims a fence, and what is wrong with it.

    The name is empty when none does; then there is a problem.
    """
    kind = next((kind for kind in kinds.values() if kind.claims(fence)), None)
    if kind is None:
        return "", [_cannot_run(fence)]
    unknown = sorted(fence.options.keys() - kind.options - _OF_ALL)
    if unknown:
        takes = ", ".join(f'{name}="…"' for name in sorted(_OF_ALL | kind.options))
        message = f"unknown attribute {unknown[0]!r}: a {kind.name} block takes {takes}"
        return kind.name, [Problem(rule="unknown-attribute", message=message)]
    return kind.name, list(kind.problems(fence))


def _cannot_run(fence: Fence) -> Problem:
    message = (
        f"a {fence.language} block cannot be run: write the title of the file that it "
        f'shows, or why it is not run, as in title="Not run: it needs a screen"; if the site turns '
        f"such fences into something else, {declare(fence.language)}"
    )
    if fence.lexer == "python" and fence.sandbox == "empty":
        message = (
            "a Python block without a title cannot be run in an empty sandbox, which has no "
            'environment: give it a title="….py" and run that file in a console block'
        )
    return Problem(rule="cannot-run", message=message)


def declare(language: str) -> str:
    """Return what to do where the site makes a diagram, or the like, of a language's fences."""
    return f"declare them in the setting mkdocs_blocks_fences, as in `{language}: it is drawn`"


def table() -> str:
    """Return the table of the guide: each kind's fences, and what is done with them."""
    rows = "".join(f"| {kind.fences} | {kind.done} |\n" for kind in KINDS)
    return f"| Fence | What is done |\n| --- | --- |\n{rows}"
