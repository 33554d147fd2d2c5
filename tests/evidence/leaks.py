"""The ways to leak a server that are measured: each a file, or a test, of the leaking suite.

A file of `variants/` is an ordinary mistake, with a late client of its own. A test of `patterns/`
is one way in which a loop is closed, a server is kept, or a stop comes too late or to nothing.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.evidence.subjects import BASE, LEAKING_SUITE, NEWEST_PYTHON, PYTHONS

# Packages that a way to leak needs beside those of every session, if they are part of its name.
_FURTHER = ("anyio", "uvloop")
_ELSEWHERE = {"backports_runner": ("3.10",)}
"""What there is only on a Python that the project itself does not support."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """One way to leak a server."""

    group: str
    """`variants`, or which part of the patterns: `keepers`, `loops` or `stops`."""
    name: str
    said: str
    """The first sentence of its docstring, without its full stop."""
    target: str
    """What pytest is to run of the leaking suite."""
    pythons: tuple[str, ...]
    inputs: tuple[Path, ...]

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that it needs, in any version."""
        return (*BASE, *(name for name in _FURTHER if name in self.name))


def survivors(name: str) -> tuple[str, ...]:
    """Return how a session over the leak of this name may end that has survived.

    Each of its tests has a result then, and where a test fails on purpose, this is to fail.
    """
    return ("failed",) if name.startswith("failing_") else ("passed",)


def ways_to_leak() -> list[Leak]:
    """Return them all: the variants, then the patterns, in the order of their files."""
    shared = (LEAKING_SUITE / "conftest.py", LEAKING_SUITE / "pytest.ini")
    variants = [
        Leak(
            group="variants",
            name=path.stem.removeprefix("test_"),
            said=_first_sentence(_parsed(path)),
            target=f"variants/{path.name}",
            pythons=PYTHONS,
            inputs=(*shared, path),
        )
        for path in sorted(LEAKING_SUITE.glob("variants/test_*.py"))
    ]
    patterns = [
        Leak(
            group=path.stem.removeprefix("test_"),
            name=name.rpartition("::")[2].removeprefix("test_"),
            said=_first_sentence(node),
            target=f"patterns/{path.name}::{name}",
            pythons=_ELSEWHERE.get(name.removeprefix("test_"), (NEWEST_PYTHON,)),
            inputs=(*shared, path.with_name("conftest.py"), path),
        )
        for path in sorted(LEAKING_SUITE.glob("patterns/test_*.py"))
        for name, node in _tests(_parsed(path))
    ]
    return [*variants, *patterns]


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _tests(
    scope: ast.Module | ast.ClassDef,
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Find the tests of a file, each with its name as pytest is given it."""
    for node in scope.body:
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}::{name}", test) for name, test in _tests(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_":
            yield node.name, node


def _first_sentence(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    said = ast.get_docstring(node) or ""
    return " ".join(said.split("\n\n")[0].split()).removesuffix(".")
