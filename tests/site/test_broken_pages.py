"""What a change to a real page does: the docs checker fails at its line."""

import os
import re
import subprocess
import sys
from pathlib import Path

from mkdocs_blocks.checkout import copy_project

PROJECT = Path(__file__).parents[2]
FORKED = Path("docs/known-issues/grpc-segfault-forked.md")
WORKAROUNDS = Path("docs/known-issues/grpc-segfault-workarounds.md")

CHANGES = {
    # What is changed: (page, old, new, the line that must be named)
    "a test count": (
        FORKED,
        "[..] 1 failed, 1 passed in",
        "[..] 1 failed, 2 passed in",
        "[..] 1 failed, 2 passed in [..]",
    ),
    "an option": (
        FORKED,
        "pytest leaky/test_one.py --forked",
        "pytest leaky/test_one.py --forkd",
        "$ uv run pytest leaky/test_one.py --forkd",
    ),
    "a name in a fixture": (
        FORKED,
        "        victims = [Victim() for _ in range(5_000)]",
        "        victims = [Vicitm() for _ in range(5_000)]",
        "        victims = [Vicitm() for _ in range(5_000)]",
    ),
    "a value of pytest.ini": (
        WORKAROUNDS,
        "asyncio_default_test_loop_scope = module",
        "asyncio_default_test_loop_scope = function",
        "asyncio: [..] asyncio_default_fixture_loop_scope=module, asyncio_default_test_loop_scope=",
    ),
    "a version in TOML": (
        FORKED,
        "pytest-forked>=1.6.0",
        "pytest-forked>=1.7.0",
        "pytest-forked>=1.7.0",
    ),
    "a language": (
        FORKED,
        "```console\n$ just test-integration-fast\n",
        "```\n$ just test\n",
        "```\n",
    ),
    "a test name": (
        FORKED,
        "_websocket_only -v",
        "_websocket_olny -v",
        (
            "$ uv run pytest tests/integration/test_full_pipeline.py::"
            "test_full_pipeline_websocket_olny -v"
        ),
    ),
}


def test_each_change_fails_at_its_line(tmp_path: Path) -> None:
    """A digit, an option, a name, a value, a version, a language: each is found where it shows."""
    project = tmp_path / "project"
    copy_project(PROJECT, project)
    wanted = {}
    for number, (changed, (whole, old, new, named)) in enumerate(CHANGES.items()):
        page = (project / whole).read_text(encoding="utf-8")
        assert page.count(old) == 1, changed
        broken = page.replace(old, new)
        name = whole.with_name(f"broken{number}.md")
        (project / name).write_text(broken, encoding="utf-8")
        start = page.index(old) if named == "```\n" else broken.index(named)
        wanted[changed] = f"{name}:{broken.count(chr(10), 0, start) + 1}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--docs", *wanted.values()],
        cwd=project,
        env={name: os.environ[name] for name in os.environ if not name.startswith("PYTEST_")}
        | {"COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    failed = re.findall(r"^(docs/known-issues/broken\d\.md:\d+): ", done.stdout, re.MULTILINE)
    assert set(wanted.values()) <= set(failed), done.stdout
    assert f" {len(CHANGES)} failed, " in done.stdout, done.stdout
