"""What MkDocs warns of, told at a page's line: dead links, wrong anchors, pages out of reach.

MkDocs knows which links lead nowhere, but not where they stand. It is asked for its warnings; the
line is where the page has that link.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.docs.checker.page import Fault, Site

# A warning of MkDocs, which may go on in the next lines, up to the next record of any level.
_WARNING = re.compile(r"^(?:WARNING|ERROR|CRITICAL) +-  (.*(?:\n(?![A-Z]+ +-  ).*)*)", re.MULTILINE)
_TARGET = re.compile(r"\blink '([^']+)'")


def build_warnings(root: Path) -> list[str]:
    """Build the site of a project into a folder that is thrown away; return each warning."""
    with tempfile.TemporaryDirectory(prefix="docs-checker-site-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--no-strict", "--site-dir", folder],
            cwd=root,
            env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    warnings = _WARNING.findall(done.stdout)
    if done.returncode and not warnings:
        warnings = [f"mkdocs build failed: {done.stdout.strip()}"]
    return warnings


def link_faults(site: Site, page: Path, warnings: Sequence[str]) -> list[Fault]:
    """Return the warnings that are about this page, or about no page by name, each at its line."""
    names = {path.relative_to(site.docs_dir).as_posix() for path in site.pages()}
    name = page.relative_to(site.docs_dir).as_posix()
    lines = page.read_text(encoding="utf-8").split("\n")
    faults = []
    for warning in warnings:
        # The page that has the link comes first; the one that it leads to may come after it.
        named = [found for found in re.findall(r"[\w./-]+\.md\b", warning) if found in names]
        pages = named[:1] if _TARGET.search(warning) else named
        if pages and name not in pages:
            continue
        target = _TARGET.search(warning)
        at = next((n for n, line in enumerate(lines, 1) if target and target[1] in line), 1)
        said, _, _ = warning.partition("Traceback (most recent call last)")
        faults.append(Fault(at, " ".join(said.split())))
    return faults
