"""How quick the checker of the pages is, side by side with others on the same pages.

No other tool does all of what it does, so it is held against two together: pytest-markdown-docs
runs the Python blocks, byexample the console blocks. They take turns, round by round.
"""

import json
import os
import re
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.evidence import meter, svg
from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import Environment
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import NOT_MEASURED, TIMES, provenance, table
from tests.evidence.outcome import Outcome, run
from tests.evidence.records import Record, find
from tests.evidence.subjects import NEWEST_PYTHON, PROJECT

PAGES = ("1", "10", "100")
BLOCKS = 10
"""Of each of the two kinds, on each page."""
ROUNDS = {"1": 3, "10": 3, "100": 1}
"""Of so many pages: a round of a hundred takes minutes, and says as much as many of few."""
SECONDS = 900.0
PACKAGE = PROJECT / "tests/mkdocs_blocks"

# What the checker needs, and a site with superfences. Its own version is the checkout's.
_CHECKER = (
    *("mkdocs", "psutil", "pygments", "pymdown-extensions"),
    *("pytest", "pytest-markdown-docs", "pytest-xdist"),
)
_PEERS = {"pytest-markdown-docs": ("pytest", "pytest-markdown-docs"), "byexample": ("byexample",)}
_VERSIONS = {"byexample": "11.0.0"}
"""Of what the project does not use, and so does not pin."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to check the pages."""

    name: str
    arguments: tuple[str, ...]
    share: int
    """How many of the two kinds of blocks it runs."""
    said: str
    """What it prints for so many blocks that passed: a pattern with one number, added up."""
    program: str = "python"
    """Of its environment."""
    peer: bool = False
    only: tuple[str, ...] = PAGES


_PYTEST = r"^(\d+) passed"
_CHECK = ("-m", "pytest", "-q", "-p", "mkdocs_blocks.plugin", "--docs")
WAYS = (
    Way(name="checker", arguments=(*_CHECK, "--fresh"), share=2, said=_PYTEST),
    Way(
        name="pytest-markdown-docs",
        arguments=("-m", "pytest", "-q", "--markdown-docs", "docs"),
        share=1,
        said=_PYTEST,
        peer=True,
    ),
    Way(
        name="byexample",
        program="byexample",
        arguments=("-l", "shell"),
        share=1,
        said=r"^\[PASS\] Pass: (\d+) Fail: 0 Skip: 0",
        peer=True,
    ),
    Way(
        name="workers",
        arguments=(*_CHECK, "--fresh", "-n", "2"),
        share=2,
        said=_PYTEST,
        only=PAGES[-1:],
    ),
    # What the fresh runs of the same round have proven.
    Way(name="unchanged", arguments=_CHECK, share=2, said=_PYTEST),
)
PEERS = tuple(way.name for way in WAYS if way.peer)


def write_site(folder: Path, pages: int) -> None:
    """Write a site of so many pages, each with as many Python blocks as console blocks."""
    docs = folder / "docs"
    docs.mkdir()
    (folder / "mkdocs.yml").write_text(
        "site_name: Speed\nmarkdown_extensions:\n  - pymdownx.superfences\n", encoding="utf-8"
    )
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for page in range(pages):
        parts = [f"# Page {page}"]
        for block in range(BLOCKS):
            said = f"page {page} block {block}"
            parts += [
                f"Four words make up the name of block {block}:",
                f"```python\nwords = {said.split()}\nassert len(words) == 4\n```",
                "A command prints them:",
                f"```console\n$ echo {said}\n{said}\n```",
            ]
        name = f"page-{page}" if page else "index"
        (docs / f"{name}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _measure(bench: Bench, pages: str) -> Finding:
    """Let the ways take turns; one more round comes first, in which everything is compiled."""
    ways = [way for way in WAYS if pages in way.only]
    taken: dict[str, list[Mapping[str, float]]] = {way.name: [] for way in ways}
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="evidence-") as temporary:
        site = Path(temporary, "site")
        site.mkdir()
        write_site(site, int(pages))
        for number in range(bench.runs + 1):
            for way in ways:
                environment = bench.others[way.name] if way.peer else bench.environment
                took = _check(way, environment, site, int(pages))
                if number:
                    taken[way.name].append(took)
    return Finding(
        runs=bench.runs,
        facts={
            "taken": taken,
            "peers": {name: bench.others[name].packages[name] for name in PEERS},
            "load before": round(load, 1),
            "load after": round(os.getloadavg()[0], 1),
        },
    )


def _check(way: Way, environment: Environment, site: Path, pages: int) -> Mapping[str, float]:
    """Check a site in one way; raises `ValueError` when not each block of it has passed."""
    result = site.parent / "result.json"
    named = sorted(str(path.relative_to(site)) for path in site.glob("docs/*.md"))
    command: list[str | Path] = [environment.python.with_name(way.program), *way.arguments]
    if way.program == "byexample":
        command += named
    ended = run(
        [environment.python, Path(meter.__file__), result, *command],
        folder=site,
        seconds=SECONDS,
        variables={"PYTHONPATH": "" if way.peer else str(PACKAGE), "NO_COLOR": "1"},
    )
    passed = sum(int(number) for number in re.findall(way.said, ended.output, re.MULTILINE))
    if ended.outcome is not Outcome.PASSED or passed != way.share * BLOCKS * pages:
        raise ValueError(f"{way.name}: {passed} blocks passed on {pages} pages:\n{ended.output}")
    taken: Mapping[str, float] = json.loads(result.read_text(encoding="utf-8"))
    return taken


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            experiment="speed",
            parameters={"pages": pages, "python": NEWEST_PYTHON},
            python=NEWEST_PYTHON,
            packages={name: pins[name] for name in _CHECKER},
            others={
                peer: {name: _VERSIONS.get(name) or pins[name] for name in names}
                for peer, names in _PEERS.items()
            },
            runs=ROUNDS[pages],
            measure=partial(_measure, pages=pages),
            inputs=[PACKAGE / "mkdocs_blocks", Path(__file__)],
            alone=True,
        )
        for pages in PAGES
    ]


# What is said of it.


def _taken(record: Record | None, way: str, what: str) -> list[float]:
    """Return a figure of each round; none when there is no such record."""
    rounds = record.facts["taken"].get(way, []) if record and not record.unavailable else []
    return [taken[what] for taken in rounds]


def _ratios(record: Record | None, what: str) -> list[float]:
    """Return, of each round, what the checker takes against both others together."""
    both = map(sum, zip(*(_taken(record, peer, what) for peer in PEERS), strict=True))
    return [own / other for own, other in zip(_taken(record, "checker", what), both, strict=True)]


def _spread(figures: Sequence[float], unit: str, digits: int = 2) -> str:
    """Return the median, and the least and the most."""
    if not figures:
        return NOT_MEASURED
    least, most = min(figures), max(figures)
    middle = statistics.median(figures)
    return f"{middle:.{digits}f} {unit} ({least:.{digits}f}–{most:.{digits}f})"  # noqa: RUF001 - a range


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    sizes = {pages: find(records, pages=pages) for pages in PAGES}
    return {
        "ratios": table(
            ["Pages", "Blocks", "Wall time", "Processor time"],
            (
                [
                    pages,
                    f"{2 * BLOCKS * int(pages)}",
                    _spread(_ratios(record, "wall"), TIMES),
                    _spread(_ratios(record, "cpu"), TIMES),
                ]
                for pages, record in sizes.items()
            ),
        ),
        "chart": _chart(sizes),
        "wall": _table(sizes, "wall"),
        "cpu": _table(sizes, "cpu"),
        "growth": _growth(sizes),
        "workers": _workers(sizes[PAGES[-1]]),
        "measured": _provenance(records),
    }


def _table(sizes: Mapping[str, Record | None], what: str) -> str:
    titles = {
        "checker": "The checker",
        "unchanged": "The checker, nothing changed",
        "pytest-markdown-docs": "pytest-markdown-docs",
        "byexample": "byexample",
    }
    return table(
        ["Pages", *titles.values()],
        (
            [pages, *(_spread(_taken(record, way, what), "s") for way in titles)]
            for pages, record in sizes.items()
        ),
    )


def _chart(sizes: Mapping[str, Record | None]) -> str:
    medians = {
        pages: statistics.median(ratios)
        for pages, record in sizes.items()
        if (ratios := _ratios(record, "wall"))
    }
    figures = sorted(medians.values())
    finding = (
        f"The checker takes {figures[0]:.2f} {TIMES} to {figures[-1]:.2f} {TIMES} as long as both "
        "others together"
        if figures
        else f"What the checker takes is {NOT_MEASURED}"
    )
    return svg.bars(
        words=svg.Words(
            id="speed",
            finding=finding,
            unit=f"Wall time, {TIMES} that of pytest-markdown-docs and byexample together",
            description="A bar for each size of a site. The tables have the same figures.",
            legend={},
        ),
        bars=[
            svg.Bar(
                name=f"{pages} page{'s' if pages != '1' else ''}",
                length=median,
                label=f"{median:.2f} {TIMES}",
                tone="plain",
            )
            for pages, median in medians.items()
        ],
    )


def _growth(sizes: Mapping[str, Record | None]) -> str:
    few, many = PAGES[-2:]
    if not (_taken(sizes[few], "checker", "wall") and _taken(sizes[many], "checker", "wall")):
        return f"How time and memory grow is {NOT_MEASURED}."
    said = {
        pages: (
            f"{_spread([1000 * cpu / int(pages) for cpu in cpus], 'ms', 0)} of processor time",
            f"{statistics.median(_taken(sizes[pages], 'checker', 'peak')):.0f} MiB",
        )
        for pages in (few, many)
        for cpus in [_taken(sizes[pages], "checker", "cpu")]
    }
    return (
        f"With {few} pages a page costs {said[few][0]}, its share of the start included; with "
        f"{many} pages, {said[many][0]}. The largest process of the checker has {said[few][1]} "
        f"with {few} pages and {said[many][1]} with {many}."
    )


def _workers(record: Record | None) -> str:
    alone, two = (_taken(record, way, "wall") for way in ("checker", "workers"))
    if not two:
        return f"What two workers gain is {NOT_MEASURED}."
    gains = [one / both for one, both in zip(alone, two, strict=True)]
    return (
        f"Two workers, `-n 2`, check {PAGES[-1]} pages {_spread(gains, TIMES)} as quickly as one."
    )


def _provenance(records: Sequence[Record]) -> str:
    measured = [record for record in records if not record.unavailable]
    peers = measured[0].facts["peers"] if measured else {}
    loads = [record.facts[name] for record in measured for name in ("load before", "load after")]
    busy = f" Load average {min(loads)} to {max(loads)}." if loads else ""
    rounds = f"{measured[0].runs} rounds. " if measured else ""
    return f"{rounds}{provenance(records, 'just bench', **peers)}{busy}"


EXPERIMENT = Experiment(name="speed", cells=_cells, sections=_sections, on_its_own=True)
