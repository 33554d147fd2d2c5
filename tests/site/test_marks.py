"""Each block tells its readers what was done with it: what the checker has found, and no more."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from shutil import copytree

import pytest
from bs4 import BeautifulSoup
from mkdocs.config import load_config
from mkdocs.structure.files import get_files
from mkdocs.structure.nav import get_navigation

from tests.site.marks import LEGEND, mark

Build = Callable[[Path], Path]

MKDOCS = """\
site_name: A small site
theme: {name: material, font: false}
plugins: []
nav: [index.md, other.md, prose.md, status.md]
markdown_extensions:
  - attr_list
  - md_in_html
  - pymdownx.highlight: {line_spans: __span, pygments_lang_class: true}
  - pymdownx.superfences
"""
PYPROJECT = """\
[tool.pytest.ini_options]
mkdocs_blocks_results = "results.json"
mkdocs_blocks_fences = ["mermaid: it is drawn"]
"""
INDEX = """\
# Every kind

```ini title="data.ini"
[a]
b = 1
...
```

```text title="new.txt"
new
```

```console
$ cat new.txt
[..]ew
```

```bash
true
```

```text
new
```

```python
assert True
```

```markdown
# Text
```

```text title="Not run: it would take all day"
Nothing.
```
"""
OTHER = "# Other\n\n```console\n$ true\n```\n"
STATUS = '# Status\n\n<div id="status" markdown="1">\nNothing is known.\n</div>\n'
MARKS = [
    "checked against data.ini",
    "used below",
    "run",
    "run",
    "checked against an output",
    "run",
    "its fences are checked",
    "not run",
]


def run(project: Path, *arguments: str) -> None:
    """Run a Python module in a project, as one does on a machine of one's own."""
    known = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env=known | {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project whose blocks have passed; gives its folder."""
    project = tmp_path_factory.mktemp("checked") / "project"
    (project / "docs").mkdir(parents=True)
    files = {
        ".gitignore": ".cache/\nsite/\nresults.json\n",
        "mkdocs.yml": MKDOCS,
        "pyproject.toml": PYPROJECT,
        "data.ini": "[a]\nb = 1\nc = 2\n",
        "docs/index.md": INDEX,
        "docs/other.md": OTHER,
        "docs/prose.md": "# Prose\n\nNo block.\n",
        "docs/status.md": STATUS,
    }
    for name, text in files.items():
        (project / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    run(project, "pytest", "--docs")
    return project


@pytest.fixture
def project(checked: Path, tmp_path: Path) -> Path:
    """A copy of the project, with its results, for a test that changes it."""
    return Path(copytree(checked, tmp_path / "project"))


def built(project: Path, builder: str = "mkdocs") -> dict[str, BeautifulSoup]:
    """Build a project's site, and mark it; gives its pages by address."""
    run(project, *{"mkdocs": ["mkdocs", "build", "-q"], "zensical": ["zensical", "build"]}[builder])
    return marked(project)


def marked(project: Path) -> dict[str, BeautifulSoup]:
    """Mark a project's built site; gives its pages by address."""
    config = load_config(str(project / "mkdocs.yml"))
    pages = get_navigation(get_files(config), config).pages
    mark(project, project / "site", pages)
    return {
        page.url: BeautifulSoup((project / "site" / page.file.dest_uri).read_text(), "html.parser")
        for page in pages
    }


def marks(page: BeautifulSoup) -> list[str]:
    """Return the marks of a page, each of which stands in its block, after the code."""
    found = page.select(".mark")
    assert found == page.select(".highlight > pre ~ .mark")
    return [found.get_text() for found in found]


@pytest.mark.parametrize("builder", ["mkdocs", "zensical"])
def test_each_block_says_what_was_done_with_it_when_and_with_what(
    project: Path, builder: str
) -> None:
    """In both builders; what was not run has a reason in its title, and no date."""
    pages = built(project, builder)
    assert marks(pages[""]) == MARKS
    assert marks(pages["other/"]) == ["run"]
    today = datetime.now(tz=UTC).astimezone().date().isoformat()
    told = f"{today}, with Python {sys.version.split()[0]}, grpcio {version('grpcio')}"
    hints = [str(tag.get("title", "")) for tag in pages[""].select(".mark")]
    assert [hint.startswith(told) for hint in hints] == [True] * 7 + [False]
    assert hints[-1] == ""
    (date,) = pages["other/"].select(".checked")
    assert today in date.get_text()
    assert [link["href"] for link in date.select("a")] == ["../status/"]
    assert not pages["prose/"].select(".mark, .checked, .legend")


def test_the_status_has_the_counts_of_each_page(project: Path) -> None:
    """A row for each page with blocks: how many were run, checked and not run, and when."""
    status = built(project)["status/"].select("#status")[0]
    rows = [[cell.get_text() for cell in row.select("td")] for row in status.select("tbody tr")]
    assert [row[1:4] for row in rows] == [["3", "4", "1"], ["1", "0", "0"]]
    assert [link["href"] for link in status.select("td a")] == ["../", "../other/"]
    assert f"pytest {version('pytest')}" in status.get_text()
    assert "Nothing is known" not in status.get_text()


def test_without_results_nothing_is_said(project: Path) -> None:
    """No mark, no date and no row; the status says that nothing is known."""
    (project / "results.json").unlink()
    pages = built(project)
    assert not any(page.select(".mark, .checked") for page in pages.values())
    assert "Nothing is known." in pages["status/"].get_text()


def test_a_page_that_has_changed_since_has_no_mark(project: Path) -> None:
    """What its blocks share makes each of them uncertain; other pages are as they were."""
    page = project / "docs/index.md"
    page.write_text(INDEX.replace("assert True", "assert 1"), encoding="utf-8")
    pages = built(project)
    assert marks(pages[""]) == []
    assert marks(pages["other/"]) == ["run"]
    assert len(pages["status/"].select("tbody tr")) == 1


def test_prose_that_has_changed_takes_no_mark(project: Path) -> None:
    """A sentence is not what was checked."""
    page = project / "docs/other.md"
    page.write_text(OTHER + "\nMore.\n", encoding="utf-8")
    assert marks(built(project)["other/"]) == ["run"]


def test_no_mark_survives_another_file_of_the_project(project: Path) -> None:
    """Any block may depend on it."""
    (project / "data.ini").write_text("[a]\nb = 1\n", encoding="utf-8")
    assert not any(page.select(".mark") for page in built(project).values())


def test_the_wildcards_are_explained_once_on_a_page(project: Path) -> None:
    """Below the first block that has one, whatever is known of it; nowhere else."""
    (project / "results.json").unlink()
    pages = built(project)
    (legend,) = pages[""].select(".legend")
    assert str(legend) == LEGEND
    assert legend.find_previous("pre") == pages[""].select("pre")[0]
    assert not pages["other/"].select(".legend")


def test_marking_twice_is_marking_once(project: Path) -> None:
    """A site that is marked already gets what is known now."""
    first = built(project)
    assert marked(project) == first
    (project / "results.json").unlink()
    assert not any(page.select(".mark, .checked") for page in marked(project).values())


def test_a_page_in_an_empty_folder_names_no_version_of_the_project(project: Path) -> None:
    """Its commands bring their own."""
    page = project / "docs/other.md"
    page.write_text("---\nsandbox: empty\n---\n" + OTHER, encoding="utf-8")
    run(project, "pytest", "--docs")
    (hint,) = (str(tag["title"]) for tag in built(project)["other/"].select(".mark"))
    assert re.fullmatch(
        r"[\d-]{10}, in an empty folder, with the versions that the commands name", hint
    )
