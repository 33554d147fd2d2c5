"""What is proven, for what is made of the site: a file that each run renews.

It has the pages all of whose blocks have passed with what the project has now, and when; and the
interpreter and the packages with which they have. A page that anything may have changed since is
left out, as it is run again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mkdocs_blocks.memory import file_digest, states_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mkdocs_blocks.kinds import Kind
    from mkdocs_blocks.memory import Memory
    from mkdocs_blocks.site import SiteReading

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class ProvenBlock:
    """A block that has passed."""

    kind: str
    """The name of its kind: console, script, python, file, excerpt, quote, markdown, excused or
    declared."""
    counts_as: str
    """What was done with it: run, checked, excused or declared."""
    language: str
    title: str
    text: str
    """A digest of what it says."""


@dataclass(frozen=True, kw_only=True)
class ProvenPage:
    """A page that has blocks, all of which have passed."""

    when: str
    """The time, to the minute, with its offset from UTC."""
    sandbox: str
    """Where its blocks have run: `project` or `empty`."""
    reads: Mapping[str, str]
    """The pages whose text its commands may have read, with digests."""
    blocks: tuple[ProvenBlock, ...]

    def shows(self, texts: Sequence[str]) -> bool:
        """Tell whether a page with blocks of these texts is the one that has passed."""
        return [block.text for block in self.blocks] == [digest_of_text(text) for text in texts]


@dataclass(frozen=True, kw_only=True)
class Results:
    """What is proven of a site."""

    python: str
    """The version of the interpreter, such as 3.13.1."""
    system: str
    """The operating system, such as Linux."""
    packages: Mapping[str, str]
    """The versions of all packages of the checker's environment, by their names."""
    files: str
    """A digest of the project's files, pages left out."""
    pages: Mapping[str, ProvenPage | None]
    """All pages of the site, by their paths below the project; None is not proven."""

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read a file that a run has written.

        Raises `OSError` when there is none, `ValueError` when it is of another format.
        """
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored.pop("format", None) != FORMAT:
            raise ValueError(f"{path.name}: not of format {FORMAT}: run the checker again")
        return cls(**stored | {"pages": {n: p and _page(p) for n, p in stored["pages"].items()}})

    def proven(self, project: Path, path: Path) -> Mapping[str, ProvenPage]:
        """Return the pages that are proven with the files that a project has now.

        `path` is where the results were read from. What a page itself shows by now is for
        `ProvenPage.shows`; nothing else of the project is in a sandbox that is empty.
        """
        without = {*self.pages, path.relative_to(project).as_posix()}
        same = _digest(states_of(project, without=without)) == self.files
        return {
            name: page
            for name, page in self.pages.items()
            if page
            and (same or page.sandbox == "empty")
            and all(file_digest(project / read) == was for read, was in page.reads.items())
        }


def digest_of_text(text: str) -> str:
    """Return a digest of a block's text; what is blank at its ends does not count."""
    return hashlib.sha256(text.strip().encode()).hexdigest()


def write_results(
    path: Path, reading: SiteReading, memory: Memory, kinds: Mapping[str, Kind]
) -> None:
    """Write what a memory has proven of a site."""
    pages: dict[str, ProvenPage | None] = {}
    for page in reading.pages:
        proof = memory.proof(page)
        if proof is None:
            pages[page.name] = None
            continue
        pages[page.name] = ProvenPage(
            when=proof.when,
            sandbox=page.sandbox,
            reads=proof.texts,
            blocks=tuple(
                ProvenBlock(
                    kind=block.kind,
                    counts_as=kinds[block.kind].counts_as,
                    language=block.language,
                    title=block.title,
                    text=digest_of_text(block.text),
                )
                for block in page.blocks
            ),
        )
    results = Results(
        python=platform.python_version(),
        system=platform.system(),
        packages={
            found.name: found.version
            for found in sorted(importlib.metadata.distributions(), key=lambda found: found.name)
        },
        files=_digest(memory.files),
        pages=pages,
    )
    text = json.dumps({"format": FORMAT} | asdict(results), indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _digest(states: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(states).encode()).hexdigest()


def _page(stored: dict[str, Any]) -> ProvenPage:
    blocks = tuple(ProvenBlock(**block) for block in stored["blocks"])
    return ProvenPage(**{**stored, "blocks": blocks})
