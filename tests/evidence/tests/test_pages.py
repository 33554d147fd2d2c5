"""Pages, snippets, data and pins agree, and no measurement is typed by hand."""

import re
from pathlib import Path

import pytest
from mkdocs.utils.meta import get_data

from tests.browser import lighthouse
from tests.evidence import records
from tests.evidence.__main__ import DOCS, EXPERIMENTS
from tests.evidence.environments import NEWEST, pins
from tests.evidence.experiment import Experiment
from tests.evidence.leaks import survivors
from tests.evidence.markdown import TIMES
from tests.evidence.records import where
from tests.evidence.subjects import PROJECT

PINS = pins(PROJECT)
PAGES = sorted(
    [
        *DOCS.glob("*.md"),
        *(PROJECT / "docs/known-issues").glob("*.md"),
        PROJECT / "docs/guides/isolation.md",
    ]
)
SNIPPET = re.compile(r'--8<-- "(?P<file>docs/evidence/generated/[\w-]+\.md):(?P<section>[\w-]+)"')
# What a figure that somebody has measured looks like: 3/20, 58 times, 12 %, 3.4 s.
MEASUREMENT = re.compile(
    r"(?<![\w/.])\d+/\d+(?![\w/])"
    rf"|\b\d+(?:\.\d+)? ?(?:{TIMES}|%|times\b|s\b|seconds\b|minutes\b)"
)

each_experiment = pytest.mark.parametrize(
    "experiment", EXPERIMENTS.values(), ids=lambda experiment: experiment.name
)


@each_experiment
def test_snippets_say_what_the_data_say(experiment: Experiment) -> None:
    """The generated files are what the data make: `just evidence` writes both."""
    for path, text in experiment.rendered(DOCS).items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_nothing_else_is_generated() -> None:
    """No snippet outlives its experiment."""
    expected = {path for e in EXPERIMENTS.values() for path in e.rendered(DOCS)}
    assert set((DOCS / "generated").iterdir()) == {*expected, lighthouse.TABLE}
    data = {e.data(DOCS) for e in EXPERIMENTS.values()}
    assert set((DOCS / "data").iterdir()) == {*data, lighthouse.DATA}


@each_experiment
def test_data_are_complete(experiment: Experiment) -> None:
    """Each cell was measured, with as many runs as it is to have.

    valgrind takes hours over all ways to leak a server: what is missing of them, the page names.
    """
    measured = {record.name: record for record in records.read(experiment.data(DOCS))}
    cells = {records.named(cell.parameters): cell for cell in experiment.cells(PINS)}
    needed = {
        name: cell
        for name, cell in cells.items()
        if cell.experiment != "proof" or cell.parameters["group"] == "scripts"
    }
    assert needed.keys() <= measured.keys() <= cells.keys()
    for name, record in measured.items():
        assert record.unavailable or record.runs == cells[name].runs, name


@each_experiment
def test_data_are_of_the_pinned_versions(experiment: Experiment) -> None:
    """What an experiment does not vary has the version of the project's pins."""
    for record in records.read(experiment.data(DOCS)):
        pinned = {
            name: version
            for name, version in record.packages.items()
            if name in PINS and name not in experiment.varies
        }
        assert pinned == {name: PINS[name] for name in pinned}, record.name


@each_experiment
def test_what_is_varied_includes_the_pins(experiment: Experiment) -> None:
    """Among the versions that an experiment compares is the one that the project uses."""
    measured = records.read(experiment.data(DOCS))
    for name in experiment.varies:
        assert PINS[name] in {record.packages.get(name) for record in measured}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_measurement_is_typed_by_hand(page: Path) -> None:
    """Outside of blocks, which are run, a page has its figures from the snippets."""
    text, data = get_data(page.read_text(encoding="utf-8"))
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for message in data.get("messages", []):  # what a program says is not what was measured
        prose = prose.replace(message, "")
    assert MEASUREMENT.findall(re.sub(r"https?://\S+", "", prose)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_sections_that_pages_include_are_there(page: Path) -> None:
    """Each snippet names a section that the data make."""
    made = {
        (path.relative_to(PROJECT).as_posix(), section)
        for path in (DOCS / "generated").glob("*.md")
        for section in re.findall(r"\[start:([\w-]+)\]", path.read_text(encoding="utf-8"))
    }
    included = {
        (found["file"], found["section"])
        for found in SNIPPET.finditer(page.read_text(encoding="utf-8"))
    }
    assert included <= made


@each_experiment
def test_each_experiment_has_a_page(experiment: Experiment) -> None:
    """The page shows when and with what it was measured, and links the data."""
    name = experiment.name
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert f'--8<-- "docs/evidence/generated/{name}.md:measured"' in text
    assert f"(data/{name}.json)" in text


def test_newest_is_resolved_in_the_data() -> None:
    """A record says which version it was, not that it was the newest."""
    for experiment in EXPERIMENTS.values():
        for record in records.read(experiment.data(DOCS)):
            assert NEWEST not in record.packages.values()


def test_the_guard_holds_each_way_to_leak() -> None:
    """In the data that the pages show, no guarded session was lost, nor does memcheck see a thing.

    Nor does it where servers are stopped, or what gRPC writes to is kept.
    """
    leaks = where(records.read(EXPERIMENTS["leaks"].data(DOCS)), mode="guard")
    assert leaks
    for record in leaks:
        assert record.count(*survivors(record.parameters["leak"])) == record.runs, record.name
    proof = records.read(EXPERIMENTS["proof"].data(DOCS))
    cured = [record for record in proof if record.parameters["mode"] != "plain"]
    assert cured
    for record in cured:
        assert record.facts["errors"] == 0, record.name
        assert record.count(*survivors(record.parameters["subject"])) == record.runs, record.name
