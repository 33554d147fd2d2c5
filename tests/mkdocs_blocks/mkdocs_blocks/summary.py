"""The last lines of a run: how many blocks of each page were run, checked, excused or failed."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from mkdocs_blocks.baseline import Entry
from mkdocs_blocks.items import PROPERTY

if TYPE_CHECKING:
    from mkdocs_blocks.run import Run


class Summary:
    """Counts the blocks of each page, also those that workers ran; writes the baseline."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._counts: dict[str, Counter[str]] = {}
        self._earliest: dict[str, str] = {}
        self._unproven: dict[str, list[Entry]] = {}
        self._wrote = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what a worker, or this process, has reported of a block."""
        if report.when == "call":
            for name, value in report.user_properties:
                if name != PROPERTY:
                    continue
                said = json.loads(str(value))
                page, how = said["page"], said["as"]
                if how == "fault":
                    continue
                self._counts.setdefault(page, Counter())[how] += 1
                if how == "earlier":
                    self._earliest[page] = said["when"]
                self._unproven.setdefault(page, [])
                if "why" in said:
                    self._unproven[page].append(
                        Entry(key=said["key"], what=said["what"], why=said["why"])
                    )
        if report.failed:
            page = self._page_of(report.nodeid)
            if page:
                self._counts.setdefault(page, Counter())["failed"] += 1
                self._unproven.setdefault(page, [])

    def _page_of(self, nodeid: str) -> str:
        name = nodeid.split("::", maxsplit=1)[0]
        return name if any(page.name == name for page in self._run.reading.pages) else ""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the baseline if that was asked for."""
        if self._run.is_worker or not self._run.config.getoption("docs_baseline"):
            return
        left, gone = self._run.baseline.write(self._unproven)
        self._wrote = f"{self._run.settings.baseline}: {left} not proven yet, {gone} taken out"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the counts: a line for each page, and one for all."""
        if not self._counts:
            return
        terminalreporter.section("blocks of the docs")
        for page, counts in sorted(self._counts.items()):
            when = f", proven earlier: {self._earliest[page]}" if page in self._earliest else ""
            terminalreporter.line(f"{page}: {_counted(counts)}{when}")
        total = sum(self._counts.values(), Counter[str]())
        share = 100 * total["excused"] / max(total.total(), 1)
        terminalreporter.line(
            f"{total.total()} blocks on {len(self._counts)} pages: {_counted(total)} ({share:.0f}%)"
        )
        if self._earliest:
            terminalreporter.line(
                f"the earliest of the earlier proofs is of {min(self._earliest.values())}; "
                "--fresh runs all"
            )
        if self._wrote:
            terminalreporter.line(self._wrote)


# In the order of the summary; those in brackets are named when there are any.
_ALWAYS = ("run", "checked", "excused")
_SOMETIMES = {
    "declared": "declared",
    "softened": "softened",
    "baseline": "in the baseline",
    "earlier": "proven earlier",
}


def _counted(counts: Counter[str]) -> str:
    failed = f"{counts['failed']} failed, " if counts["failed"] else ""
    always = ", ".join(f"{counts[how]} {how}" for how in _ALWAYS)
    more = "".join(f", {counts[how]} {said}" for how, said in _SOMETIMES.items() if counts[how])
    return f"{failed}{always}{more}"
