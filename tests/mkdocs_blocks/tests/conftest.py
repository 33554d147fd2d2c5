"""What the tests share: small sites, and runs of the checker over a site."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

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

Done = subprocess.CompletedProcess[str]
Check = Callable[..., Done]


@pytest.fixture(scope="session")
def variables() -> Mapping[str, str]:
    """The variables of a run of the checker, without those of the run that tests it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "CI" and not name.startswith(("COV", "PYTEST_"))
    }
    return kept | {"COLUMNS": "200"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty site: the folder with its mkdocs.yml."""
    root = tmp_path / "project"
    (root / "docs").mkdir(parents=True)
    (root / "mkdocs.yml").write_text(MKDOCS)
    (root / "pytest.ini").write_text("[pytest]\n")
    return root


@pytest.fixture(scope="session")
def checker(variables: Mapping[str, str]) -> Check:
    """Run the checker over a site, in a process of its own, as its author would."""

    def run(root: Path, *arguments: str, python: str = sys.executable, **more: str) -> Done:
        return subprocess.run(
            [python, "-m", "pytest", *arguments],
            cwd=root,
            env={**variables, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def check(project: Path, checker: Check) -> Check:
    """Run the checker over the site of the test."""

    def run(*arguments: str, root: Path = project, **variables: str) -> Done:
        return checker(root, "--docs", *arguments, **variables)

    return run


@pytest.fixture
def page(project: Path) -> Callable[..., Path]:
    """Write a page of the site, by default docs/index.md, exactly as it is given."""

    def write(text: str | bytes, name: str = "index.md") -> Path:
        path = project / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write
