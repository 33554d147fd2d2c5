"""What pytest runs and reports of a page: an item for each block and each fault."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import pytest

from mkdocs_blocks.baseline import NOT_TRIED, Entry, block_key, describe, fault_key
from mkdocs_blocks.block import Block, BlockError, Fault, Page
from mkdocs_blocks.printed import keep_printed
from mkdocs_blocks.rules import RULES
from mkdocs_blocks.sandbox import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mkdocs_blocks.memory import Proof
    from mkdocs_blocks.page_run import PageRun
    from mkdocs_blocks.run import Run

PROPERTY = "mkdocs-block"
"""Name of the report property with a block's page, how it counts, and its baseline entry."""


class PageFile(pytest.File):
    """A page of the site, or the site's configuration with what is wrong with the site."""

    def __init__(self, *, page: Page, run: Run, **rest: Any) -> None:  # noqa: ANN401 - pytest's own signature
        super().__init__(**rest)
        self.page = page
        self.run = run
        self.proof: Proof | None = None
        self.state: PageRun | None = None
        self.began = 0.0
        self.passed: set[str] = set()
        self.failed = False
        self.items: set[str] = set()
        """The names of its items: pytest-xdist gives them other ids after they are collected."""
        self.not_to_be_run: set[int] = set()
        """The places of the blocks that the baseline lists as not tried."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each block and each fault in the order of the page, then the quotes."""
        run, page = self.run, self.page
        run.collected.add(page.name)
        self.proof = run.memory.recall(page)
        entries = {key: list(found) for key, found in run.baseline.entries(page.name).items()}
        items: list[tuple[bool, int, int, PageItem]] = []
        names: Counter[str] = Counter()
        for fault in page.faults:
            name = _unique(f"{fault.line}-fault", names)
            items.append((False, fault.line, -1, FaultItem.of(self, name, fault)))
        for block in page.blocks:
            kind = run.kinds[block.kind]
            name = _unique(f"{block.line}-{block.kind}", names)
            item = BlockItem.of(self, name, block, kind.counts_as)
            items.append((kind.after_the_others, block.line, block.place, item))
        for *_, item in sorted(items, key=lambda entry: entry[:3]):
            listed = entries.get(item.key)
            item.entry = listed.pop(0) if listed else None
            self.items.add(item.name)
            if isinstance(item, BlockItem) and item.entry and not item.entry.tried:
                self.not_to_be_run.add(item.block.place)
            yield item
        gone = [entry for listed in entries.values() for entry in listed]
        if gone:
            yield StaleBaselineItem.of(self, "baseline", gone)

    def setup(self) -> None:
        """Take the state of the checkout before the first block."""
        self.began = time.monotonic()
        _ = self.run.checkout

    def teardown(self) -> None:
        """Rewrite the page if that was asked for, keep what passed, and remove the sandbox."""
        state, run = self.state, self.run
        if state is None:
            return
        try:
            whole = self.passed >= self.items
            if whole and not self.failed:
                run.memory.passed(
                    self.page,
                    state.used,
                    blocks=len(self.page.blocks),
                    seconds=time.monotonic() - self.began,
                )
            elif self.failed:
                run.memory.failed(self.page)
        finally:
            self._close(state)
        if whole and not self.failed:
            keep_printed(run.shared_folder, self.page.name, state.printed)
        if state.rewrite():
            run.checkout.take_again()
        changes = run.checkout.changes()
        if changes:
            run.checkout.take_again()
            if not run.config.getoption("bless_docs"):
                raise CheckoutError(self.page.name, changes)

    def _close(self, state: PageRun) -> None:
        try:
            state.close()
        except BlockError:
            self.run.memory.failed(self.page)
            raise


class CheckoutError(Exception):
    """The project itself was changed while a page ran in its sandbox."""

    def __init__(self, page: str, changes: Sequence[str]) -> None:
        """Name the page and the files."""
        super().__init__(
            f"{page}:1: while this page ran, the project itself was changed, not its copy: "
            f"{', '.join(changes[:5])}{' …' if len(changes) > 5 else ''}"
        )


def _unique(name: str, names: Counter[str]) -> str:
    """Return the name, with a number when the page has had it: snippets repeat their line."""
    names[name] += 1
    return name if names[name] == 1 else f"{name}-{names[name]}"


class PageItem(pytest.Item):
    """An item of a page, whose failure is a message of ours, never a traceback."""

    parent: PageFile
    entry: Entry | None = None
    """The item's entry of the baseline."""
    is_of: Literal["block", "fault", "run"] = "run"
    """What the item stands for; what is of the run as a whole, no baseline lists."""
    counts_as = "fault"
    key = ""
    line = 0

    @classmethod
    def of(cls, parent: PageFile, name: str, *content: Any) -> PageItem:  # noqa: ANN401 - one for each class
        """Return an item with its marks: the other plugins leave it and its page together."""
        item: PageItem = cls.from_parent(parent, name=name, content=content)
        if item.config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group(parent.page.name))
        if item.config.pluginmanager.hasplugin("timeout"):
            # A block has a time limit of its own, which ends what its commands started.
            item.add_marker(pytest.mark.timeout(0))
        return item

    @property
    def page(self) -> Page:
        """Return the page that the item is of."""
        return self.parent.page

    @property
    def span(self) -> tuple[int, int]:
        """Return the first and last line of the page that the item stands for."""
        return self.line, self.line

    def runtest(self) -> None:
        """Judge the item; report how it counts, also when it fails."""
        try:
            self._judge_or_recall()
        except (pytest.skip.Exception, pytest.xfail.Exception):
            raise
        except BaseException:
            self.parent.failed = True
            self._report("failed")
            raise

    def _judge_or_recall(self) -> None:
        """Judge the item as its proof and its place in the baseline ask for."""
        file = self.parent
        listing = self.config.getoption("docs_baseline")
        if listing == "all" and self.is_of == "block" and self.counts_as in {"run", "checked"}:
            self._report("baseline", why=NOT_TRIED)
            pytest.xfail("listed, not run")
        if file.proof is not None and self.is_of == "block":
            self._report("earlier", when=file.proof.when)
            return
        if file.state is None:
            file.state = file.run.page_run(file.page)
            file.state.not_to_be_run = file.not_to_be_run
        if self.entry is not None and not self.entry.tried and not listing:
            self._report("baseline", why=self.entry.why)
            pytest.xfail(f"in the baseline: {self.entry.why}")
        try:
            self.judge(file.state)
        except (BlockError, SandboxError) as error:
            lists = listing and not file.run.baseline.exists and self.is_of != "run"
            if self.entry is None and not lists:
                raise
            said = str(error).split("\n")[0]
            self._report("baseline", why=said)
            pytest.xfail(f"in the baseline: {said}")
        except pytest.skip.Exception as skipped:
            skipped._use_item_location = True  # noqa: SLF001 - the place is the page, not the kind
            file.passed.add(self.name)
            self._report(self.counts_as)
            raise
        file.passed.add(self.name)
        if self.entry is not None and not file.run.shrinks_baseline:
            raise BlockError(
                self.line,
                "this is proven now: take it out of the baseline with --docs-baseline",
            )
        self._report(self.counts_as, remarks="\n".join(file.state.take_remarks()))

    def judge(self, state: PageRun) -> None:
        """Run or check what the item stands for."""
        raise NotImplementedError

    def _report(self, counts_as: str, **more: str) -> None:
        entry = {
            "page": self.page.name,
            "of": self.is_of,
            "as": counts_as,
            "key": self.key,
            "what": self.what,
            **more,
        }
        self.user_properties.append((PROPERTY, json.dumps(entry)))

    @property
    def what(self) -> str:
        """Return what a reader of the baseline recognises the item by."""
        return self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> str:  # noqa: ANN401 - pytest's own signature
        """Return our message for what is wrong with a page, pytest's for all else."""
        return self.told(excinfo.value) or str(super().repr_failure(excinfo))

    def told(self, error: BaseException) -> str:
        """Return what is wrong with the page, from its name and line on; empty for all else."""
        if isinstance(error, pytest.xfail.Exception):
            return str(error)  # pytest would show the source of each frame, which takes a while
        if isinstance(error, BlockError):
            head = f"{self.page.name}:{error.line or self.line}: {error.message}"
            return "\n".join([head, *error.details])
        if isinstance(error, SandboxError):
            return f"{self.page.name}:{self.line}: {error}"
        return str(error) if isinstance(error, CheckoutError) else ""

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the item stands."""
        return self.path, max(self.line - 1, 0), f"{self.page.name}:{self.line}"


class BlockItem(PageItem):
    """A block."""

    is_of = "block"

    def __init__(self, *, content: tuple[Block, str], **rest: Any) -> None:  # noqa: ANN401 - pytest's own signature
        super().__init__(**rest)
        self.block, self.counts_as = content
        self.line = self.block.line
        self.key = block_key(self.block)

    @property
    def span(self) -> tuple[int, int]:
        """Return the lines of the two fences."""
        return self.block.span

    @property
    def what(self) -> str:
        """Return the block's kind and first line."""
        return describe(self.block)

    def judge(self, state: PageRun) -> None:
        """Let the block's kind judge it."""
        state.judge(self.block)


class FaultItem(PageItem):
    """Something on the page that cannot be checked, or is wrong as it is written."""

    def __init__(self, *, content: tuple[Fault], **rest: Any) -> None:  # noqa: ANN401 - pytest's own signature
        super().__init__(**rest)
        (self.fault,) = content
        self.line = self.fault.line
        self.key = fault_key(self.fault)
        self.is_of = "fault" if self.fault.rule in RULES else "run"
        if self.fault.rule in self.parent.run.settings.soften:
            self.counts_as = "softened"

    @property
    def what(self) -> str:
        """Return the rule and what it says."""
        return f"{self.fault.rule}: {self.fault.message}"[:100]

    def judge(self, state: PageRun) -> None:
        """Fail with what to write instead, unless the site has softened the rule."""
        if self.counts_as == "softened":
            pytest.skip(f"{self.fault.rule}: {state.settings.soften[self.fault.rule]}")
        raise BlockError(self.fault.line, self.fault.message)


class StaleBaselineItem(PageItem):
    """Entries of the baseline that are of no block of their page any more."""

    def __init__(self, *, content: tuple[Sequence[Entry]], **rest: Any) -> None:  # noqa: ANN401 - pytest's own signature
        super().__init__(**rest)
        (self.gone,) = content
        self.line = 1

    def judge(self, state: PageRun) -> None:
        """Fail, unless the baseline is being written."""
        if self.parent.run.shrinks_baseline:
            return
        raise BlockError(
            1,
            f"{state.settings.baseline} lists what this page no longer has; --docs-baseline "
            "takes it out",
            [f"- {entry.what}" for entry in self.gone],
        )
