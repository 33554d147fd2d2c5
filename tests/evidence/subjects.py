"""What is measured: scripts and suites, the Pythons, and the packages that all of them need."""

from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).parents[2]
REPRODUCER = PROJECT / "examples/segfault/repro.py"
PINNED = PROJECT / "examples/segfault/pinned.py"
LEAKING_SUITE = PROJECT / "examples/segfault/leaking_suite"
LEAKING_FILES = tuple(
    LEAKING_SUITE / name for name in ("conftest.py", "pytest.ini", "test_worker.py")
)
"""What a session over the suite as a whole runs: not its variants and patterns."""
GUARD = PROJECT / "examples/grpc_guard/grpc_guard.py"
"""The plugin itself: a session loads it by name, and one that does not is not guarded."""
DISTRIBUTION = "examples/grpc_guard"
"""What the plugin is built from, in place of a version: an environment with it is guarded."""

SUITES = Path(__file__).parent / "suites"
"""Small suites of the harness's own, each for one question."""
PLUGINS = Path(__file__).parent / "plugins"
"""pytest plugins that a measured session can load by name, as it can the guard."""

PYTHONS = ("3.11", "3.12", "3.13")
"""The supported minor versions of Python."""
NEWEST_PYTHON = PYTHONS[-1]
"""On which everything is measured that no Python makes a difference to."""

BASE = ("grpcio", "pytest", "pytest-asyncio")
"""What every session over the leaking suite needs, at the project's pins."""

OLDER_PYTEST = "8.4.2"
"""The last pytest that all older plugins know which are measured."""

MODES: Mapping[str, tuple[str, ...]] = {"plain": (), "guard": ("-p", "grpc_guard")}
"""pytest's options for a suite as it is, and for the same suite under the guard."""
