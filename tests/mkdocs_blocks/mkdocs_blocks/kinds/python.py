"""Python blocks that are run as they stand."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mkdocs_blocks.kinds.kind import Fence, Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs_blocks.block import Block
    from mkdocs_blocks.page_run import PageRun

_DEFINITIONS = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
)


class Python(Kind):
    """A Python block without a title: an example that asserts what it claims."""

    name = "python"
    counts_as = "run"
    fences = "`python`"
    done = (
        "Run by pytest-markdown-docs in a process of its own, in the sandbox; "
        '`{ .python fixture="…" }` names fixtures of a `conftest.py` that the page has shown. '
        "Let it assert what it claims."
    )
    options = frozenset({"fixture"})

    def claims(self, fence: Fence) -> bool:
        """Claim Python that is not the file of a title, where there is an environment for it."""
        return fence.lexer == "python" and fence.sandbox != "empty"

    def problems(self, fence: Fence) -> Iterator[Problem]:
        """Refuse a block that proves nothing."""
        if _only_defines(fence.text):
            yield Problem(
                rule="only-defines",
                message=(
                    "a Python block that only defines things proves nothing: call them and assert, "
                    'or give the block a title="…" and let a command use that file'
                ),
            )

    def judge(self, block: Block, page: PageRun) -> None:
        """Run the block with the files, fixtures and settings that the page has shown so far."""
        page.enter(block)
        page.run_python(block)


def _only_defines(text: str) -> bool:
    """Tell whether no statement does anything when it is run."""
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # told when the block is run
    return all(isinstance(statement, _DEFINITIONS) for statement in statements)
