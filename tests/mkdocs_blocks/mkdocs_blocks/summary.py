"""The last lines of a run: how many blocks of each page were run, checked, excused or failed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mkdocs_blocks.baseline import Entry
from mkdocs_blocks.items import PROPERTY
from mkdocs_blocks.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mkdocs_blocks.run import Run


@dataclass(kw_only=True)
class _Told:
    """What was told of an item."""

    page: str
    counts_as: str
    of: str = "run"
    entry: Entry | None = None
    """What the baseline would list; its `why` is empty when nothing is wrong."""
    when: str = ""
    remarks: str = ""


class Summary:
    """Counts the blocks of each page, also those that workers ran; writes the baseline."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._told: dict[str, _Told] = {}
        """By the ids of the items: one may be run by more than one worker."""
        self._not_ended: set[str] = set()
        """The pages that could not be rewritten, or left a process."""
        self._wrote = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a worker, or this process, has reported of a block."""
        for name, value in report.user_properties:
            if name == PROPERTY and report.when == "call":
                said = json.loads(str(value))
                self._told[report.nodeid] = _Told(
                    page=said["page"],
                    counts_as=said["as"],
                    of=said["of"],
                    entry=Entry(key=said["key"], what=said["what"], why=said.get("why", "")),
                    when=said.get("when", ""),
                    remarks=said.get("remarks", ""),
                )
        page = report.nodeid.split("::", maxsplit=1)[0]
        if report.failed and (report.nodeid in self._told or page in self._run.reported):
            told = self._told.setdefault(report.nodeid, _Told(page=page, counts_as="failed"))
            told.counts_as = "failed"
            if report.when == "teardown":
                self._not_ended.add(told.page)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the baseline if that was asked for."""
        config = self._run.config
        baseline = self._run.baseline
        asked = config.option.docs_baseline or (self._run.shrinks_baseline and baseline.exists)
        if self._run.is_worker or config.option.collectonly or not asked:
            return
        wanted = Counter(dict.fromkeys(baseline.pages, 0))
        for page in self._run.reported.values():
            listable = [fault for fault in page.faults if fault.rule in RULES]
            wanted[page.name] = len(page.blocks) + len(listable)
        told = Counter(told.page for told in self._told.values() if told.of != "run")
        seen = {told.page for told in self._told.values()}
        whole = [page for page, count in wanted.items() if told[page] >= count]
        if not baseline.exists and len(whole) < len(wanted):
            self._wrote = (
                f"{self._run.settings.baseline}: not written, since not all was tried: "
                f"begin the list with a run that names no page and no block"
            )
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            return
        ended = seen - self._not_ended
        unproven = {page: list(self._unproven(page)) for page in whole if page in ended}
        try:
            left, gone = baseline.write(unproven)
        except OSError as error:
            self._wrote = f"{self._run.settings.baseline} cannot be written: {error.strerror}"
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            return
        if gone or config.option.docs_baseline:
            self._wrote = f"{self._run.settings.baseline}: {left} not proven yet, {gone} taken out"

    def _unproven(self, page: str) -> Iterable[Entry]:
        for told in self._told.values():
            if told.page == page and told.entry is not None:
                # What fails in spite of an entry, keeps it.
                failed = told.counts_as == "failed" and self._run.baseline.exists
                if told.entry.why or failed:
                    yield told.entry

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the counts: a line for each page, and one for all; then what to look at."""
        pages: dict[str, list[_Told]] = {}
        for told in self._told.values():
            if told.counts_as != "fault":
                pages.setdefault(told.page, []).append(told)
        if not pages:
            self._nothing(terminalreporter)
            return
        terminalreporter.section("blocks of the docs")
        for page, items in sorted(pages.items()):
            earliest = min((told.when for told in items if told.when), default="")
            when = f" ({earliest})" if earliest else ""
            terminalreporter.line(f"{page}: {_counted(items)}{when}")
        every = [told for items in pages.values() for told in items]
        blocks = sum(told.of != "fault" for told in every)
        excused = sum(told.counts_as == "excused" for told in every)
        terminalreporter.line(
            f"{blocks} blocks on {len(pages.keys() - {self._run.settings.config})} pages: "
            f"{_counted(every)} ({100 * excused / max(blocks, 1):.0f}%)"
        )
        earliest = min((told.when for told in every if told.when), default="")
        if earliest:
            terminalreporter.line(
                f"the earliest of the earlier proofs is of {earliest}; --fresh runs all"
            )
        for told in every:
            for remark in filter(None, told.remarks.split("\n")):
                terminalreporter.line(f"accepted, but look at {remark}")
        if self._wrote:
            terminalreporter.line(self._wrote)

    def _nothing(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say so when there was nothing to check; silence would look like success."""
        config = self._run.config
        if config.option.collectonly or "reading" not in self._run.__dict__:
            return
        if not any(page.blocks for page in self._run.reading.pages):
            terminalreporter.line(
                f"0 blocks on {len(self._run.reading.pages)} pages of "
                f"{self._run.settings.config}: nothing was checked"
            )
        if self._wrote:
            terminalreporter.line(self._wrote)


# In the order of the summary; the others are named when there are any.
_ALWAYS = ("run", "checked", "excused")
_SOMETIMES = {
    "declared": "declared",
    "softened": "softened",
    "baseline": "in the baseline",
    "earlier": "proven earlier",
}


def _counted(items: Iterable[_Told]) -> str:
    counts = Counter(told.counts_as for told in items)
    failed = f"{counts['failed']} failed, " if counts["failed"] else ""
    always = ", ".join(f"{counts[how]} {how}" for how in _ALWAYS)
    more = "".join(f", {counts[how]} {said}" for how, said in _SOMETIMES.items() if counts[how])
    return f"{failed}{always}{more}"
