"""What the commands of the pages have printed in this session, for the project's other tests."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class PrintedCommand:
    """A command of a console block that was run."""

    text: str
    """The command, without its `$`."""
    output: str
    """What a terminal shows of its output, standard error too; no line has trailing blanks."""
    status: int
    """Its exit status."""


@dataclass(frozen=True, kw_only=True)
class PrintedBlock:
    """A console block that is true."""

    line: int
    """Where it stands on its page, from 1."""
    commands: tuple[PrintedCommand, ...]


def keep_printed(folder: Path, page: str, blocks: Sequence[PrintedBlock]) -> None:
    """Let `printed_by` find, in any process of the session, what the blocks of a page printed."""
    path = _path(folder, page)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps([asdict(block) for block in blocks]), encoding="utf-8")
    partial.replace(path)


def printed_by(folder: Path, page: str) -> tuple[PrintedBlock, ...]:
    """Return what the blocks of a page printed; nothing where they have not all passed yet."""
    stored = []
    with contextlib.suppress(FileNotFoundError):
        stored = json.loads(_path(folder, page).read_text(encoding="utf-8"))
    return tuple(
        PrintedBlock(
            line=block["line"],
            commands=tuple(PrintedCommand(**command) for command in block["commands"]),
        )
        for block in stored
    )


def _path(folder: Path, page: str) -> Path:
    return folder / f"printed-{hashlib.sha256(page.encode()).hexdigest()[:24]}.json"
