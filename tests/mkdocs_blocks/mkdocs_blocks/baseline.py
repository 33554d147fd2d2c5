"""What a site has not proven yet: a list that a command writes once, and that may only shrink."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mkdocs_blocks.block import Block, Fault

FORMAT = 1
NOT_TRIED = "not tried"
"""In place of a failure: the block was listed without being run, and is not run."""


class BaselineError(Exception):
    """The baseline file cannot be read; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that is not proven: which block or fault, and how it failed."""

    key: str
    what: str
    """What a reader of the file recognises it by: its kind and first line."""
    why: str

    @property
    def tried(self) -> bool:
        """Whether the block was run, and failed."""
        return self.why != NOT_TRIED


def block_key(block: Block) -> str:
    """Return what a block is known by, wherever it moves on its page."""
    return _key("block", block.kind, block.language, block.title, block.text)


def fault_key(fault: Fault) -> str:
    """Return what a fault is known by, wherever it moves on its page."""
    return _key("fault", fault.rule, fault.message)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def describe(block: Block) -> str:
    """Return a block's kind, title and first line, cut to what fits into a list."""
    first = next((line.strip() for line in block.lines if line.strip()), "")
    return f"{block.kind}: {block.title or first}"[:100]


class Baseline:
    """The baseline of a site; without a file, an empty one."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises `BaselineError`."""
        self.path = path
        self.exists = path.exists()
        self._pages: dict[str, list[Entry]] = {}
        if self.exists:
            try:
                stored = json.loads(path.read_text(encoding="utf-8"))
                if stored["format"] != FORMAT:
                    raise BaselineError(
                        f"{path.name}: format {stored['format']} is not {FORMAT}: write it anew "
                        "with the version of pytest-mkdocs-blocks that you use"
                    )
                self._pages = {
                    page: [Entry(**entry) for entry in entries]
                    for page, entries in stored["pages"].items()
                }
            except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
                raise BaselineError(
                    f"{path.name}: cannot be read ({error}): restore it, or remove it and write "
                    "it anew with --docs-baseline"
                ) from None

    def entries(self, page: str) -> Mapping[str, list[Entry]]:
        """Return the entries of a page by key; two equal blocks have two entries."""
        found: dict[str, list[Entry]] = {}
        for entry in self._pages.get(page, []):
            found.setdefault(entry.key, []).append(entry)
        return found

    @property
    def pages(self) -> Iterable[str]:
        """Return the names of the pages that have entries."""
        return self._pages.keys()

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._pages.values())

    def write(self, pages: Mapping[str, Iterable[Entry]]) -> tuple[int, int]:
        """Write what is not proven now; return how many entries there are, and how many went.

        An existing file only shrinks: what it does not have yet is not put in, and a page that is
        not among `pages` keeps its entries.
        """
        before = len(self)
        kept: dict[str, list[Entry]] = {} if not self.exists else dict(self._pages)
        for page, entries in pages.items():
            now = list(entries)
            if self.exists:
                left = Counter(entry.key for entry in now)
                shrunk = []
                for entry in self._pages.get(page, []):
                    if left[entry.key]:
                        left[entry.key] -= 1
                        shrunk.append(entry)
                now = shrunk
            kept[page] = now
        self._pages = {page: entries for page, entries in sorted(kept.items()) if entries}
        stored = {
            "format": FORMAT,
            "pages": {
                page: [{"key": e.key, "what": e.what, "why": e.why} for e in entries]
                for page, entries in self._pages.items()
            },
        }
        self.path.write_text(
            json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        return len(self), max(0, before - len(self))
