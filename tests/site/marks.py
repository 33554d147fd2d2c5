"""Tells the readers of a built site what was done with each block, when, and with what.

The marks are made of the results that `just test-docs` has written, and of nothing else: a page has
none unless all of its blocks are those that have passed, with the files that the project has now.
Works on what either builder has made. A legend of the wildcards stands where the first of them is,
whatever the results.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from posixpath import relpath

from bs4 import BeautifulSoup, Tag
from mkdocs.structure.pages import Page
from mkdocs_blocks.results import ProvenBlock, ProvenPage, Results

STATUS = "status/"
NAMED = ("grpcio", "protobuf", "pytest", "pytest-asyncio", "pytest-forked", "pytest-xdist")
"""The packages whose versions readers are told: those that the pages are about."""
COLUMNS = ("Page", "Run", "Checked", "Not run", "Last checked")
LEGEND = (
    '<p class="legend"><code>...</code> stands for any lines, <code>[..]</code> for any part of '
    "one.</p>"
)

_END_OF_BLOCK = "</code></pre>"
BLOCK = re.compile(r"<pre\b.*?</pre>", re.DOTALL)
_COLOUR = re.compile(r"</?span\b[^>]*>")
_ADDED = re.compile(r'<p class="(?:mark|legend|checked)\b.*?</p>\n?', re.DOTALL)
_STATUS = re.compile(r'(?<=<div id="status">).*?(?=</div>)', re.DOTALL)
_WILDCARD = re.compile(r"^ *(?:# )?\.\.\.$|\[\.\.\]", re.MULTILINE)
# What was done with a block of each kind.
_DONE = {
    "console": "run",
    "script": "run",
    "python": "run",
    "file": "used below",
    "excerpt": "checked against {title}",
    "quote": "checked against an output",
    "markdown": "its fences are checked",
    "excused": "not run",
    "declared": "not run",
}


def uncoloured(html: str) -> str:
    """Return the HTML of a page with its blocks in one colour: most of its tags are colours."""
    return BLOCK.sub(lambda block: _COLOUR.sub("", block[0]), html)


def parse(html: str) -> BeautifulSoup:
    """Parse the head and the article of a page, uncoloured, without the navigation around it."""
    head = html[: html.index("</head>")]
    article = html[html.index("<article") : html.index("</article>")]
    whole = head + "</head></html>" + article + "</article>"
    return BeautifulSoup(uncoloured(whole), "html.parser")


def results_path(project: Path) -> Path:
    """Return where `just test-docs` writes what is proven."""
    settings = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    name: str = settings["tool"]["pytest"]["ini_options"]["mkdocs_blocks_results"]
    return project / name


def mark(project: Path, site: Path, pages: Iterable[Page]) -> None:
    """Write the marks, the legends and the status into a built site; again, if they are there.

    Raises `ValueError` when the results are of another format, or a page is not as it was thought
    to be.
    """
    path = results_path(project)
    results = Results.load(path) if path.exists() else None
    proven = results.proven(project, path) if results else {}
    rows: list[str] = []
    for page in pages:
        built = site / page.file.dest_uri
        html = _ADDED.sub("", built.read_text("utf-8"))
        read = parse(html)
        codes = read.select("article pre > code")
        found = proven.get(f"docs/{page.file.src_uri}")
        marks = [""] * len(codes)
        if results and found and found.shows([code.get_text() for code in codes]):
            title = read.title.get_text(strip=True) if read.title else page.url
            rows += [_row(title, page.url, found)] if found.blocks else []
            marks = [_mark(block, results, found) for block in found.blocks]
            html = _with_date(html, found, relpath(STATUS, page.url or ".") + "/")
        built.write_text(_with_marks(html, marks, [*map(_has_wildcard, codes)]), "utf-8")
    if results and rows:
        status = site / STATUS / "index.html"
        html = _STATUS.sub(lambda _: _told(results, rows), status.read_text("utf-8"))
        status.write_text(html, "utf-8")


def _has_wildcard(code: Tag) -> bool:
    """Tell whether a block has a wildcard; in Python, `...` alone is one of its values."""
    block = code.find_parent(class_="highlight")
    text = code.get_text()
    if block and "language-python" in block.get_attribute_list("class"):
        return "# ..." in text
    return _WILDCARD.search(text) is not None


def _versions(results: Results) -> str:
    named = (f"{name} {results.packages[name]}" for name in NAMED if name in results.packages)
    return ", ".join([f"Python {results.python}", *named])


def _mark(block: ProvenBlock, results: Results, page: ProvenPage) -> str:
    """Return the mark of a block, with when and with what it has passed."""
    if page.sandbox == "empty":
        what = "in an empty folder, with the versions that the commands name"
    else:
        what = f"with {_versions(results)}"
    hint = f' title="{page.when[:10]}, {escape(what)}"'
    said = _DONE[block.kind].format(title=block.title)
    done = block.counts_as in {"run", "checked"}
    return f'<p class="mark mark--{block.counts_as}"{hint * done}>{escape(said)}</p>'


def _with_date(html: str, page: ProvenPage, status: str) -> str:
    """Say at the end of a page when its blocks have passed, for who has no mouse for a hint."""
    if not page.blocks:
        return html
    said = (
        f'<p class="checked">The blocks of this page were last checked on {page.when[:10]}: '
        f'<a href="{status}">with what</a>.</p>\n'
    )
    at = html.find("<aside", html.find("<article"))
    at = html.find("</article>") if at < 0 else at
    return html[:at] + said + html[at:]


def _with_marks(html: str, marks: Sequence[str], wildcards: Sequence[bool]) -> str:
    """Put the mark of each block after it, and the legend after the first with a wildcard."""
    start, end = html.find("<article"), html.find("</article>")
    parts = html[start:end].split(_END_OF_BLOCK)
    if len(parts) != len(marks) + 1:
        raise ValueError(f"{len(parts) - 1} blocks end in the page, but it has {len(marks)}")
    first = wildcards.index(True) if True in wildcards else -1
    for place, mark_ in enumerate(marks):
        legend = LEGEND if place == first else ""
        parts[place + 1] = _END_OF_BLOCK + legend + mark_ + parts[place + 1]
    return html[:start] + "".join(parts) + html[end:]


def _row(title: str, url: str, page: ProvenPage) -> str:
    """Return a page's row of the status."""
    counts = Counter(block.counts_as for block in page.blocks)
    cells = [
        f'<a href="{relpath(url or ".", STATUS)}/">{escape(title)}</a>',
        counts["run"],
        counts["checked"],
        counts["excused"] + counts["declared"],
        page.when[:10],
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _told(results: Results, rows: Sequence[str]) -> str:
    """Return what the page of the status says: with what, and the counts of each page."""
    heads = "".join(f"<th>{head}</th>" for head in COLUMNS)
    lines = [
        f"<p>With {escape(_versions(results))}, on {escape(results.system)}.</p>",
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>",
        *rows,
        "</tbody>\n</table>",
    ]
    return "\n".join(["", *lines, ""])
