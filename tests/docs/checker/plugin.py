"""The docs checker as a pytest plugin: `pytest -p tests.docs.checker.plugin docs`.

Every block of a page becomes a test item, in the order of the page; the items of one page run in
one process, whatever pytest-xdist distributes. Python blocks are collected and run by
pytest-markdown-docs, which is fed with the blocks that the site's own parser found.
"""

import contextlib
import re
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_markdown_docs.plugin import MarkdownInlinePythonItem, MarkdownTextFile
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.docs.checker.links import build_warnings, link_faults
from tests.docs.checker.page import NOT_RUN, Block, Fault, Kind, Site, SiteError
from tests.docs.checker.sandbox import SandboxError
from tests.docs.checker.verdict import BlockError, PageRun, rewrite

PROPERTY = "docs-block"
"""Name of the report property that carries a block's page and how it counts."""

_PAGE_LINE = re.compile(r"^(?P<page>.+\.md):(?P<line>\d+)$")
_SITE = pytest.StashKey[Site]()
_WARNINGS = pytest.StashKey[Sequence[str]]()
_CACHE = pytest.StashKey["tempfile.TemporaryDirectory[str]"]()
_WANTED = pytest.StashKey[dict[str, list[int]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the docs checker."""
    group = parser.getgroup("docs", "docs checker")
    group.addoption(
        "--bless-docs",
        action="store_true",
        help="rewrite the expected outputs of the pages with what the commands print now",
    )
    group.addoption(
        "--docs-seconds",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="time that the commands of one block may take together (default: 300)",
    )


def pytest_cmdline_main(config: pytest.Config) -> None:
    """Read `page.md:line` arguments; pytest-xdist's workers get the same ones and do so too."""
    wanted: dict[str, list[int]] = {}
    for index, argument in enumerate(config.args):
        found = _PAGE_LINE.match(argument)
        if found:
            config.args[index] = found["page"]
            page = config.invocation_params.dir / found["page"]
            wanted.setdefault(str(page.resolve()), []).append(int(found["line"]))
    config.stash[_WANTED] = wanted


class _PagesTogether(LoadScopeScheduling):
    """Distributes test by test, but keeps the blocks of one page in one worker, in order."""

    def _split_scope(self, nodeid: str) -> str:
        page, found, _ = nodeid.partition(".md::")
        return page if found else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _PagesTogether:
    """Distribute pages whole, whatever `--dist` says: their blocks share a sandbox."""
    return _PagesTogether(config, log)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "PageFile | None":
    """Collect every page below docs/."""
    if file_path.suffix != ".md":
        return None
    return PageFile.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep only the blocks at the lines that were asked for."""
    wanted: dict[str, list[int]] = config.stash.get(_WANTED, {})
    if not wanted:
        return
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        lines = wanted.get(str(item.path.resolve()))
        first, last = _span(item)
        keep = lines is None or any(first <= line <= last for line in lines)
        (kept if keep else dropped).append(item)
    if not kept:
        raise pytest.UsageError("no block of the pages stands at the lines that were asked for")
    items[:] = kept
    config.hook.pytest_deselected(items=dropped)


def _span(item: pytest.Item) -> tuple[int, int]:
    """Return the first and last line of the page that an item stands for."""
    block = _block_of(item)
    if block is not None:
        return block.line, block.at(len(block.lines)) + 1
    if isinstance(item, FaultItem):
        return item.fault.line, item.fault.line
    return 0, -1


def _site(config: pytest.Config) -> Site:
    """Return the site of this process, read once."""
    if _SITE not in config.stash:
        try:
            config.stash[_SITE] = Site(config.rootpath)
        except SiteError as error:
            raise pytest.UsageError(f"{error}") from None
    return config.stash[_SITE]


@dataclass(frozen=True)
class _Token:
    """A Python block in the terms in which pytest-markdown-docs takes it."""

    info: str
    content: str
    map: tuple[int, int]
    type: str = "fence"


class _SiteParser:
    """What pytest-markdown-docs calls its Markdown parser: it sees what the site shows."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def parse(self, text: str) -> list[_Token]:
        return [
            _Token("python", block.text, (block.line - 1, block.line + len(block.lines) + 1))
            for block in self._site.parse(text).blocks
            if block.kind is Kind.PYTHON
        ]


class _Configured:
    """Hooks that need the configuration of the run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_markdown_docs_markdown_it(self) -> _SiteParser:
        return _SiteParser(_site(self._config))


def pytest_configure(config: pytest.Config) -> None:
    """Feed pytest-markdown-docs from the site's parser, and count the blocks."""
    config.pluginmanager.register(_Configured(config), "docs-checker-parser")
    config.pluginmanager.register(_Summary(), "docs-checker-summary")
    # One for each worker: mypy does not share its cache with another mypy that runs.
    config.stash[_CACHE] = tempfile.TemporaryDirectory(prefix="docs-checker-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what was kept between the blocks."""
    if _CACHE in config.stash:
        config.stash[_CACHE].cleanup()


class PageFile(pytest.File):
    """A page of the site."""

    run: PageRun

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each block and each fault in the order of the page, then the rest."""
        site = _site(self.config)
        if not site.shows(self.path):
            return
        page = site.read(self.path)
        name = self.path.relative_to(self.config.rootpath).as_posix()
        self.run = PageRun(
            site=site,
            name=name,
            blocks=page.blocks,
            seconds=self.config.getoption("--docs-seconds"),
            cache=Path(self.config.stash[_CACHE].name),
            bless=self.config.getoption("--bless-docs"),
        )
        python_file = MarkdownTextFile.from_parent(self, path=self.path)
        found = python_file.collect()  # type: ignore[no-untyped-call] # theirs has no types
        python_items = {item.start_line: item for item in found}
        items: list[tuple[int, pytest.Item]] = []
        for fault in page.faults:
            item: pytest.Item = FaultItem.from_parent(self, name=f"{fault.line}-fault", fault=fault)
            item.user_properties.append((PROPERTY, f"{name} fault"))
            items.append((fault.line, item))
        last: list[pytest.Item] = [LinksItem.from_parent(self, name="links")]
        for block in page.blocks:
            if block.kind is Kind.PYTHON:
                item = python_items[block.line]
                item.stash[_BLOCK] = block
            else:
                label = f"{block.line}-{block.kind.value}"
                item = BlockItem.from_parent(self, name=label, block=block)
            item.user_properties.append((PROPERTY, f"{name} {block.kind.counts_as}"))
            if block.kind is Kind.QUOTE:
                last.append(item)
            else:
                items.append((block.line, item))
        for item in [item for _, item in sorted(items, key=lambda pair: pair[0])] + last:
            # A block has a time-out of its own, which kills what its commands started.
            item.add_marker(pytest.mark.timeout(0))
            yield item

    def teardown(self) -> None:
        """Rewrite the page if that was asked for, and remove its sandbox."""
        self.run.close()
        if self.run.edits:
            rewrite(self.path, self.run.edits)


_BLOCK = pytest.StashKey[Block]()


def _block_of(item: pytest.Item) -> Block | None:
    return item.block if isinstance(item, BlockItem) else item.stash.get(_BLOCK, None)


class _PageItem(pytest.Item):
    """An item whose failure is a message of ours, never a traceback."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> str:  # noqa: ANN401 - pytest's own signature
        if isinstance(excinfo.value, BlockError | SandboxError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))


class BlockItem(_PageItem):
    """A block that the checker itself runs or checks."""

    parent: PageFile

    def __init__(self, *, block: Block, **rest: Any) -> None:  # noqa: ANN401 - pytest's own signature
        super().__init__(**rest)
        self.block = block

    def runtest(self) -> None:
        """Run or check the block, or skip it with the reason that the page shows."""
        if self.block.kind is Kind.EXCUSED:
            pytest.skip(self.block.title.removeprefix(NOT_RUN))
        self.parent.run.check(self.block)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the block stands."""
        return self.path, self.block.line - 1, f"{self.parent.run.name}:{self.block.line}"


class LinksItem(_PageItem):
    """The links of a page, and its place in the navigation, as MkDocs sees them."""

    parent: PageFile

    def runtest(self) -> None:
        """Fail with each warning that MkDocs has for this page, at the line of the link."""
        if _WARNINGS not in self.config.stash:
            self.config.stash[_WARNINGS] = build_warnings(self.config.rootpath)
        run = self.parent.run
        faults = link_faults(run.site, self.path, self.config.stash[_WARNINGS])
        if faults:
            raise BlockError(
                "\n".join(f"{run.name}:{fault.line}: {fault.message}" for fault in faults)
            )

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the page as a whole."""
        return self.path, 0, f"links of {self.parent.run.name}"


class FaultItem(_PageItem):
    """Something on the page that looks like a block and cannot be checked."""

    parent: PageFile

    def __init__(self, *, fault: Fault, **rest: Any) -> None:  # noqa: ANN401 - pytest's own signature
        super().__init__(**rest)
        self.fault = fault

    def runtest(self) -> None:
        """Fail with what to write instead."""
        raise BlockError(f"{self.parent.run.name}:{self.fault.line}: {self.fault.message}")

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the fault stands."""
        return self.path, self.fault.line - 1, f"{self.parent.run.name}:{self.fault.line}"


def _page_of(item: pytest.Item) -> PageFile | None:
    """Return the page of a Python block."""
    if not isinstance(item, MarkdownInlinePythonItem):
        return None
    return next((node for node in item.listchain() if isinstance(node, PageFile)), None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Let a Python block work in its page's sandbox."""
    page = _page_of(item)
    with contextlib.ExitStack() as stack:
        if page is not None:
            stack.enter_context(contextlib.chdir(page.run.enter(item.stash[_BLOCK])))
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Name the page's line at the top of a Python block's failure."""
    report = yield
    page = _page_of(item)
    if page is not None and call.excinfo is not None and report.failed:
        block = item.stash[_BLOCK]
        line = block.line
        if isinstance(call.excinfo.value, SyntaxError) and call.excinfo.value.lineno:
            line = call.excinfo.value.lineno
        for entry in call.excinfo.traceback:
            if str(entry.path) == str(item.path):
                line = entry.lineno + 1
        report.longrepr = (
            f"{page.run.name}:{line}: {call.excinfo.exconly(tryshort=True)}\n{report.longrepr}"
        )
    return report


class _Summary:
    """Counts the blocks of each page, also those that workers ran."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        done = report.when == "call" or report.outcome == "failed"
        for name, value in report.user_properties:
            if name == PROPERTY and done:
                page, _, counts_as = str(value).rpartition(" ")
                how = "failed" if report.failed else counts_as
                self._counts.setdefault(page, Counter())[how] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._counts:
            return
        terminalreporter.section("blocks of the docs")
        for page, counts in sorted(self._counts.items()):
            terminalreporter.line(f"{page}: {_counted(counts)}")
        total = sum(self._counts.values(), Counter[str]())
        share = 100 * total["excused"] / total.total()
        terminalreporter.line(
            f"{total.total()} blocks on {len(self._counts)} pages: {_counted(total)} ({share:.0f}%)"
        )


def _counted(counts: Counter[str]) -> str:
    failed = f"{counts['failed']} failed, " if counts["failed"] else ""
    return failed + ", ".join(f"{counts[how]} {how}" for how in ("run", "checked", "excused"))
