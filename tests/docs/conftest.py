"""What the tests of the docs checker share: small sites, and runs of the checker on a site."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from tests.docs.checker.page import Site

MKDOCS = """\
site_name: A small site
validation: {links: {anchors: warn}}
markdown_extensions:
  - admonition
  - attr_list
  - def_list
  - md_in_html
  - pymdownx.details
  - pymdownx.highlight
  - pymdownx.snippets: {check_paths: true}
  - pymdownx.superfences
  - pymdownx.tabbed: {alternate_style: true}
"""


class RunChecker(Protocol):
    """Runs the docs checker as `just test-docs` does; the result has both outputs in `stdout`."""

    def __call__(self, root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it on the site in `root`."""


def make_site(root: Path) -> None:
    """Make an empty site with the extensions that matter to its blocks."""
    (root / "mkdocs.yml").write_text(MKDOCS)
    (root / "docs").mkdir()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty site."""
    make_site(tmp_path)
    return Site(tmp_path)


@pytest.fixture(scope="session")
def run_checker(request: pytest.FixtureRequest) -> RunChecker:
    """Return a function that runs the docs checker in a process of its own."""

    def check(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.docs.checker.plugin", *arguments],
            cwd=root,
            env={
                # Without the variables of the run that these tests are part of.
                **{name: os.environ[name] for name in os.environ if not name.startswith("PYTEST_")},
                "PYTHONPATH": str(request.config.rootpath),
                "COLUMNS": "200",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    return check
