"""What the tests share: small sites, and runs of the checker over a site."""

import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
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

SECONDS = 300
"""After which a run of pytest has hung."""

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


class WarmPytest:
    """A process that forks itself for each run of pytest: see `warm_pytest.py`."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("warm_pytest.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Done:
        """Run pytest in a folder, with nothing in the environment but the variables."""
        asked = {"arguments": arguments, "folder": str(folder), "variables": variables}
        line = json.dumps({**asked, "output": str(self._output)}) + "\n"
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()
        readable, _, _ = select.select([self._process.stdout], [], [], SECONDS)
        if not readable:
            raise subprocess.TimeoutExpired(list(arguments), SECONDS)
        status = int(self._process.stdout.readline())
        command = [sys.executable, "-m", "pytest", *arguments]
        said = self._output.read_text(encoding="utf-8")
        return subprocess.CompletedProcess(command, status, said)

    def close(self) -> None:
        """End it, and a run that has not ended."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()


@pytest.fixture(scope="session")
def warm_pytest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmPytest]:
    """One process, forked for all runs of this one."""
    warm = WarmPytest(tmp_path_factory.mktemp("warm") / "output")
    yield warm
    warm.close()


@pytest.fixture(scope="session")
def checker(variables: Mapping[str, str], warm_pytest: WarmPytest) -> Check:
    """Run the checker over a site, in a process of its own, as its author would."""

    def run(root: Path, *arguments: str, python: str = sys.executable, **more: str) -> Done:
        environment = {**variables, **more}
        # Another interpreter has imported nothing yet, nor has one that reads other variables.
        if python == sys.executable and not any(re.match("PYTHON[A-Z]", name) for name in more):
            return warm_pytest.run(arguments, root, environment)
        return subprocess.run(
            [python, "-m", "pytest", *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
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
