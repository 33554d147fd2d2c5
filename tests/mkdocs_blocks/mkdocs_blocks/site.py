"""A MkDocs site as MkDocs itself has it: its pages, their blocks, and what is wrong with them.

MkDocs is asked once per run, in a process of its own: `python -m mkdocs_blocks.site`. This module
is the light part; the process's own is `build.py`.
"""

# ruff: noqa: PLC0415 - what starts the process is not imported in it

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs_blocks.block import Block, Fault, Page
from mkdocs_blocks.rules import RULES, judged

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from mkdocs_blocks.settings import Settings

__all__ = ["RULES", "SiteError", "SiteReading", "digest_of", "read_site", "read_text"]

FORMAT = 1

_LEAST_SECONDS = 300.0
"""A site has this time at least to be read as a whole; a page has that of a block."""
_GRACE_SECONDS = 10.0
"""The process keeps to its time by itself, unless it hangs."""
_MOST_SHOWN = 5
"""Lines of output that are shown when the process ended without a word of its own."""


class SiteError(Exception):
    """The site cannot be read; the message is one line, `mkdocs.yml:LINE: why and what to do`."""


@dataclass(frozen=True, kw_only=True)
class SiteReading:
    """The site as it was read, also for other processes: `path` is the file that has it."""

    root: Path
    path: Path
    docs_dir: Path
    pages: tuple[Page, ...]
    """Every page that MkDocs has, drafts too, in its order."""
    faults: tuple[tuple[str, Fault], ...] = ()
    """What is wrong and of no page, with the file's name below the project: mkdocs.yml."""
    snippets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The files that a page has put in as snippets, below the project if they are there."""

    @classmethod
    def load(cls, path: Path) -> SiteReading:
        """Read a file that `store` has written."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            raise SiteError(f"{path}: format {stored['format']} is not {FORMAT}")
        return cls(
            root=Path(stored["root"]),
            path=path,
            docs_dir=Path(stored["docs_dir"]),
            pages=tuple(
                Page(
                    name=page["name"],
                    blocks=tuple(
                        Block(
                            **block
                            | {
                                "lines": tuple(block["lines"]),
                                "lines_at": tuple(block["lines_at"]),
                            }
                        )
                        for block in page["blocks"]
                    ),
                    faults=tuple(Fault(**fault) for fault in page["faults"]),
                    sandbox=page["sandbox"],
                )
                for page in stored["pages"]
            ),
            faults=tuple((name, Fault(**fault)) for name, fault in stored["faults"]),
            snippets={name: tuple(files) for name, files in stored["snippets"].items()},
        )

    def store(self) -> None:
        """Write the reading to `path`."""
        stored = {
            "format": FORMAT,
            "root": str(self.root),
            "docs_dir": str(self.docs_dir),
            "pages": [
                {
                    "name": page.name,
                    "blocks": [vars(block) for block in page.blocks],
                    "faults": [vars(fault) for fault in page.faults],
                    "sandbox": page.sandbox,
                }
                for page in self.pages
            ],
            "faults": [[name, asdict(fault)] for name, fault in self.faults],
            "snippets": {name: list(files) for name, files in self.snippets.items()},
        }
        self.path.write_text(json.dumps(stored), encoding="utf-8")


def digest_of(page: Page) -> str:
    """Return a digest of a page's blocks as data: no change of prose, or of place, changes it."""
    blocks = [
        [block.kind, block.language, block.title, dict(block.options), block.lines]
        for block in page.blocks
    ]
    data = [page.sandbox, blocks]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def read_site(root: Path, settings: Settings, *, into: Path) -> SiteReading:
    """Let MkDocs read the site of a project; the reading is kept in the folder `into`.

    Raises `SiteError` when MkDocs does not accept the site's configuration, or when a plugin or a
    hook fails or takes too long before any page is read.
    """
    reading = _read(root, settings, into)
    reading.store()
    return reading


def read_text(root: Path, settings: Settings, name: str, text: bytes, *, into: Path) -> Page:
    """Read one page of a site as if it had another text; `name` is its path below the project.

    What it takes to do that is written into the folder `into`, and removed.

    Raises `SiteError` as `read_site` does, and when the site has no such page.
    """
    import tempfile

    with tempfile.TemporaryDirectory(dir=into) as folder:
        instead = Path(folder, "page")
        instead.write_bytes(text)
        reading = _read(root, settings, Path(folder), only=name, instead=instead)
    for page in reading.pages:
        if page.name == name:
            return page
    raise SiteError(f"{settings.config}:1: the site has no page {name}")


def _read(
    root: Path, settings: Settings, into: Path, *, only: str = "", instead: Path | None = None
) -> SiteReading:
    found = into / "mkdocs.json"
    seconds = max(settings.seconds, _LEAST_SECONDS)
    request = {
        "root": str(root),
        "config": settings.config,
        "files": dict(settings.files),
        "seconds": seconds,
        "page_seconds": settings.seconds,
        "only": only,
        "instead": str(instead or ""),
        "into": str(found),
    }
    _run(request, root, into / "mkdocs.log", seconds)
    stored: Mapping[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    if "error" in stored:
        raise SiteError(stored["error"])
    return SiteReading(
        root=root,
        path=into / "site.json",
        docs_dir=Path(stored["docs_dir"]),
        pages=tuple(judged(page, settings) for page in stored["pages"]),
        faults=tuple((name, Fault(**fault)) for name, fault in stored["faults"]),
        snippets={page["name"]: tuple(page["snippets"]) for page in stored["pages"]},
    )


def _run(request: Mapping[str, object], root: Path, log: Path, seconds: float) -> None:
    """Run the process that asks MkDocs, and wait for its file."""
    import subprocess

    config = request["config"]
    alive, ours = os.pipe()  # it is closed when this process ends, however it does
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "mkdocs_blocks.site"),
                json.dumps({**request, "alive": alive}),
            ],
            pass_fds=[alive],
            cwd=root,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(alive)
        try:
            status = process.wait(timeout=seconds + _GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            page = _page_of(log)
            raise SiteError(
                f"{config}:1: MkDocs did not read the site within {seconds:g} s"
                + (f"; it was at {page}" if page else "")
            ) from None
        finally:
            os.close(ours)
            _end(process)
    if not Path(str(request["into"])).is_file():
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        page = _page_of(log)
        raise SiteError(
            f"{config}:1: the process that reads the site ended with status {status}"
            + (f" at {page}" if page else "")
            + (": " + " / ".join(line.strip() for line in said[-_MOST_SHOWN:]) if said else "")
        )


def _page_of(log: Path) -> str:
    """Return the page that was being read, which the process notes beside its log."""
    try:
        return log.with_suffix(".page").read_text(encoding="utf-8")
    except OSError:
        return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the process and of what it has started."""
    import signal

    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment() -> dict[str, str]:
    environment = {
        **os.environ,
        # Says in many lines what this package knows: it needs MkDocs 1.
        "NO_MKDOCS_2_WARNING": "1",
        "DISABLE_MKDOCS_2_WARNING": "true",
    }
    folder = Path(__file__).parent.parent
    if folder.name not in {"site-packages", "dist-packages"}:
        paths = [environment.get("PYTHONPATH", ""), str(folder)]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment


if __name__ == "__main__":
    from mkdocs_blocks.build import main

    main(json.loads(sys.argv[1]))
