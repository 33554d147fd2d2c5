"""`just serve` helps who writes: a mistake is named and shown, and each change is seen."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from mkdocs_blocks.checkout import copy_project

from tests.site.conftest import PROJECT

PAGE = """\
---
title: A page that is being written
description: It has a mistake.
---

# A page

[A dead link](nowhere.md).

```python title="examples/segfault/shown.py"
--8<-- "examples/segfault/shown.py"
```
"""
PATIENCE = 120
"""Seconds after which something that should have happened long ago is a failure."""


def until(happened: str, url: str) -> str:
    """Ask for a page until it has some text; return the page."""
    deadline = time.monotonic() + PATIENCE
    text = ""
    while happened not in text:
        assert time.monotonic() < deadline, text
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - of this machine
            text = answer.read().decode()
        time.sleep(0.1)  # between two looks
    return text


def address(served: subprocess.Popen[str]) -> str:
    """Return the address at which a process, or one of its children, listens."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert served.poll() is None, served.communicate()[0]
        for process in [psutil.Process(served.pid), *psutil.Process(served.pid).children(True)]:  # noqa: FBT003 - psutil's recursive
            with contextlib.suppress(psutil.Error):
                for found in process.net_connections("tcp"):
                    if found.status == psutil.CONN_LISTEN:
                        return f"http://127.0.0.1:{found.laddr.port}"
        time.sleep(0.1)  # between two looks
    raise TimeoutError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with a page that has a dead link and shows an example."""
    copy = tmp_path / "project"
    copy_project(PROJECT, copy)
    (copy / "examples/segfault/shown.py").write_text("first = 1\n")
    (copy / "docs/being-written.md").write_text(PAGE)
    return copy


@pytest.fixture
def served(project: Path) -> Iterator[subprocess.Popen[str]]:
    """The recipe, which serves the copy at a free port."""
    known = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1"}
    process = subprocess.Popen(
        ["just", "--no-deps", "serve", "--dev-addr", "127.0.0.1:0"],
        cwd=project,
        env=os.environ | known,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_page_with_a_dead_link_is_shown_and_follows_its_example(
    project: Path, served: subprocess.Popen[str]
) -> None:
    """The link is named in the terminal; what an example is by now, the page shows by itself."""
    page = f"{address(served)}/being-written/"
    until("first", page)
    (project / "examples/segfault/shown.py").write_text("second = 2\n")
    until("second", page)
    os.killpg(served.pid, signal.SIGTERM)  # all at once: one that ends takes others with it
    said, _ = served.communicate(timeout=PATIENCE)
    assert "being-written.md" in said
    assert "nowhere.md" in said
