"""One run over the blocks of a site: its hooks, and what its pages share."""

import os
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from mkdocs_blocks.baseline import Baseline, BaselineError
from mkdocs_blocks.block import Fault, Page
from mkdocs_blocks.checkout import Checkout
from mkdocs_blocks.items import PageFile, PageItem
from mkdocs_blocks.kinds import kinds_of
from mkdocs_blocks.memory import Memory
from mkdocs_blocks.page_run import PageRun
from mkdocs_blocks.printed import PrintedBlock, printed_by
from mkdocs_blocks.processes import Supervisor, interrupt_at_sigterm
from mkdocs_blocks.python_blocks import BareCarrier
from mkdocs_blocks.results import write_results
from mkdocs_blocks.sandbox import run_folder, sweep
from mkdocs_blocks.settings import PREFIX, positive, read_settings
from mkdocs_blocks.site import RULES, SiteError, SiteReading, read_site

_READING = "mkdocs_blocks_reading"
"""Name of the worker input that says where the controller has put the reading of the site."""

_GROUPED = "mkdocs_blocks_grouped"
"""Name of the worker input that says whether items are distributed by their groups."""


class Run:
    """The run in this process, the controller's or a worker's of pytest-xdist."""

    def __init__(self, config: pytest.Config, wanted: Mapping[str, Sequence[int]]) -> None:
        """Check the settings, and clean up after runs that were killed.

        `wanted` has the lines of pages that were asked for, by the pages' paths; empty means all.
        Raises `pytest.UsageError`.
        """
        self.config = config
        self.wanted = wanted
        self._given: Mapping[str, Any] = getattr(config, "workerinput", {})
        self.is_worker = bool(self._given)
        self.settings = read_settings(config, RULES)
        self.kinds = kinds_of(self.settings)
        try:
            self.baseline = Baseline(config.rootpath / self.settings.baseline)
            """What is not proven yet."""
        except BaselineError as error:
            raise pytest.UsageError(f"{error}") from None
        self.collected: set[str] = set()
        """The names of the pages that pytest has collected."""
        self._until_end = ExitStack()
        seconds = config.getoption("docs_seconds")
        if seconds is not None:
            try:
                self.settings = replace(self.settings, seconds=positive(seconds))
            except ValueError as error:
                said = f"--docs-seconds: write a number above zero, such as 60 ({error})"
                raise pytest.UsageError(said) from None
        self._until_end.callback(interrupt_at_sigterm())
        if self.is_worker:
            # pytest-xdist parses the command line again in each worker.
            config.option.loadgroup = self._given[_GROUPED]
            return
        sweep()
        # Blocks of one page share a sandbox, so a page goes to one worker whole; the longest page
        # first, in the order of the items.
        if config.getoption("dist", None) in {"load", "worksteal"}:
            config.option.dist = "loadgroup"
            config.option.loadscopereorder = False

    # What is made once, when it is first needed.

    @cached_property
    def reading(self) -> SiteReading:
        """Return the site as MkDocs has it, read once per run, by the controller."""
        try:
            if self.is_worker:
                return SiteReading.load(Path(self._given[_READING]))
            reading = read_site(self.config.rootpath, self.settings, into=self.folder)
        except SiteError as error:
            raise pytest.UsageError(f"{error}") from None
        if not reading.docs_dir.is_relative_to(self.config.rootpath):
            raise pytest.UsageError(
                f"{self.settings.config}: {reading.docs_dir} is not below {self.config.rootpath}, "
                "which is pytest's rootdir: run pytest in a folder that has both, with an ini file "
                f"that sets {PREFIX}_config"
            )
        for path, lines in self.wanted.items():
            _check_lines(Path(path), lines, reading)
        return reading

    @cached_property
    def reported(self) -> Mapping[str, Page]:
        """Return what is reported like a page, by its name: the configuration, and the pages.

        A page that a plugin or a hook makes has no blocks here: they are told, not run.
        """
        faults = tuple(fault for _, fault in self.reading.faults)
        pages = [Page(name=self.settings.config, faults=faults)]
        for page in self.reading.pages:
            has_file = (self.config.rootpath / page.name).is_file()
            pages.append(page if has_file else replace(page, blocks=()))
        return {page.name: page for page in pages}

    @cached_property
    def pages(self) -> Mapping[Path, Page]:
        """Return the pages that have files, by their paths."""
        paths = {self.config.rootpath / page.name: page for page in self.reading.pages}
        return {path: page for path, page in paths.items() if path.is_file()}

    @cached_property
    def _on_the_way(self) -> frozenset[Path]:
        """The pages, and the folders that they are in."""
        return frozenset(self.pages).union(*(path.parents for path in self.pages))

    @cached_property
    def folder(self) -> Path:
        """Return a folder of this process that is removed with it."""
        return self._until_end.enter_context(run_folder())

    @property
    def shared_folder(self) -> Path:
        """Return the controller's folder, which is there as long as any worker is."""
        return self.reading.path.parent

    @cached_property
    def supervisor(self) -> Supervisor:
        """Return the supervisor of all that this process starts."""
        return self._until_end.enter_context(Supervisor())

    @cached_property
    def carrier(self) -> BareCarrier | None:
        """Return what the Python blocks of several pages share; nothing, where each installs."""
        if self.settings.install:
            return None
        return self._until_end.enter_context(closing(BareCarrier(self.supervisor)))

    @cached_property
    def memory(self) -> Memory:
        """Return what passed before."""
        folder = self._kept_folder()
        fresh = (
            folder is None
            or os.environ.get("CI")
            or any(self.config.getoption(name) for name in ("fresh", "bless_docs", "docs_baseline"))
        )
        return Memory(
            folder or self.folder / "memory",
            self.config.rootpath,
            self.settings,
            self.kinds,
            self.reading.pages,
            fresh=bool(fresh),
        )

    @property
    def shrinks_baseline(self) -> bool:
        """Tell whether what is proven is taken out of the baseline: an accepted output is."""
        return any(self.config.getoption(name) for name in ("docs_baseline", "bless_docs"))

    def _kept_folder(self) -> Path | None:
        """Return a folder of pytest's cache; None when there is none, or none can be made."""
        cache: pytest.Cache | None = getattr(self.config, "cache", None)
        try:
            return cache and cache.mkdir("mkdocs_blocks")
        except OSError:  # a checkout that is only read
            return None

    @cached_property
    def checkout(self) -> Checkout:
        """Return the state of the project's files, which no block may change."""
        return Checkout(self.config.rootpath)

    def page_run(self, page: Page) -> PageRun:
        """Return the state that the blocks of a page share."""
        return PageRun(
            root=self.config.rootpath,
            page=page,
            pages=[other.name for other in self.reading.pages],
            settings=self.settings,
            kinds=self.kinds,
            supervisor=self.supervisor,
            carrier=self.carrier,
            folder=self.folder,
            accepts=self.config.getoption("bless_docs"),
        )

    def printed(self, page: str) -> tuple[PrintedBlock, ...]:
        """Return what the console blocks of a page have printed; see `mkdocs_blocks_printed`."""
        return printed_by(self.shared_folder, page)

    # Hooks.

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - pytest-xdist's own
        """Let each worker of pytest-xdist have the controller's reading."""
        node.workerinput[_READING] = str(self.reading.path)
        node.workerinput[_GROUPED] = self.config.option.dist == "loadgroup"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Collect the pages too when no argument is one of them."""
        docs = self.reading.docs_dir
        if not any(_within(session, argument, docs) for argument in self.config.args):
            self.config.args.append(str(docs))

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Let pytest pass over no page, whatever its folder is called."""
        return False if collection_path in self._on_the_way else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> PageFile | None:
        """Collect the pages that MkDocs has."""
        page = self.pages.get(file_path)
        return (
            None
            if page is None
            else PageFile.from_parent(parent, path=file_path, page=page, run=self)
        )

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep the blocks that were asked for; add what is wrong with the site as a whole."""
        wanted = self.wanted
        if wanted:
            self._keep(config, items, wanted)
            return
        pages = [item for item in items if isinstance(item, PageItem)]
        others = [item for item in items if not isinstance(item, PageItem)]
        slowest = {page.name: -self.memory.seconds(page) for page in self.reading.pages}
        pages.sort(key=lambda item: slowest[item.page.name])
        beside: list[pytest.Item] = []
        for page in self._not_found():
            path = config.rootpath / page.name
            beside += PageFile.from_parent(session, path=path, page=page, run=self).collect()
        items[:] = [*beside, *pages, *others]

    def _not_found(self) -> Iterator[Page]:
        """Yield what pytest finds no file of, although it has something to report."""
        site = self.reported[self.settings.config]
        if not any(self._asks_for_all(argument) for argument in self.config.args):
            yield site
            return
        yield replace(site, faults=(*site.faults, *self._too_many_excuses()))
        names = {page.name for page in self.pages.values()}
        for name in self.reported.keys() - names - {site.name}:
            yield self.reported[name]  # made by a plugin
        missed = Fault(line=1, rule="missed", message="MkDocs has this page, pytest did not see it")
        for name in names - self.collected:
            yield Page(name=name, faults=(missed,))
        for name in set(self.baseline.pages) - self.reported.keys():
            yield Page(name=name)

    def _asks_for_all(self, argument: str) -> bool:
        path = self.config.invocation_params.dir / argument.split("::", maxsplit=1)[0]
        docs = self.reading.docs_dir
        return path.resolve() == docs or path.resolve() in docs.parents

    def _too_many_excuses(self) -> Iterator[Fault]:
        counts = Counter(
            self.kinds[block.kind].counts_as for page in self.reading.pages for block in page.blocks
        )
        share = 100 * counts["excused"] / max(counts.total(), 1)
        if share > self.settings.most_excused:
            message = (
                f"{counts['excused']} of {counts.total()} blocks are excused, {share:.1f} %: "
                f"{PREFIX}_most_excused allows {self.settings.most_excused:g} %"
            )
            yield Fault(line=1, rule="too-many-excuses", message=message)

    def _keep(
        self, config: pytest.Config, items: list[pytest.Item], wanted: Mapping[str, Sequence[int]]
    ) -> None:
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            lines = wanted.get(str(item.path.resolve()))
            first, last = item.span if isinstance(item, PageItem) else (0, -1)
            keep = lines is None or any(first <= line <= last for line in lines)
            (kept if keep else dropped).append(item)
        items[:] = kept
        config.hook.pytest_deselected(items=dropped)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let what is wrong at the end of a page be told as what is wrong with its blocks."""
        report = yield
        if isinstance(item, PageItem) and call.excinfo is not None and call.when != "call":
            told = item.told(call.excinfo.value)
            if told:
                report.longrepr = told
        return report

    def pytest_sessionfinish(self) -> None:
        """Keep what passed, and write what is proven."""
        if "memory" in self.__dict__:
            self.memory.store()
        if not (self.settings.results and "reading" in self.__dict__) or self.is_worker:
            return
        if not self.config.option.collectonly:
            path = self.config.rootpath / self.settings.results
            write_results(path, self.reading, self.memory, self.kinds)

    def pytest_unconfigure(self) -> None:
        """End what still runs, and remove what was kept between the pages."""
        self._until_end.close()


def _check_lines(path: Path, lines: Sequence[int], reading: SiteReading) -> None:
    """Raise `pytest.UsageError` when there is nothing at one of the lines of a page."""
    page = next(
        (page for page in reading.pages if (reading.root / page.name).resolve() == path), None
    )
    if page is None:
        raise pytest.UsageError(f"{path.name}:{lines[0]}: {path} is no page of the site")
    spans = sorted(
        {block.span for block in page.blocks} | {(fault.line, fault.line) for fault in page.faults}
    )
    for line in lines:
        if not any(first <= line <= last for first, last in spans):
            at = ", ".join(f"{first}-{last}" for first, last in spans) or "nowhere"
            raise pytest.UsageError(
                f"{page.name}:{line}: no block stands there: they stand at {at}"
            )


def _within(session: pytest.Session, argument: str, docs: Path) -> bool:
    path = session.config.invocation_params.dir / argument.split("::", maxsplit=1)[0]
    resolved = path.resolve()
    return resolved == docs or docs in resolved.parents or resolved in docs.parents
