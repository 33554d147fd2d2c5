"""Makes, in a site that MkDocs or Zensical has built, what both leave out.

`robots.txt`; the pages as Markdown for programs without a browser, listed in `llms.txt` and whole
in `llms-full.txt` (https://llmstxt.org); what was done with each block (`marks.py`); a page at each
address that has moved; the texts of the known issues in the index of Material's search; names for
who hears a page (`amend.py`). It takes the colours out of long files. `just build` runs it.
"""

import gc
import html
import json
import posixpath
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import get_files
from mkdocs.structure.nav import get_navigation
from mkdocs.structure.pages import Page

from tests.known_issues.front_matter import issues
from tests.site.amend import amended
from tests.site.marks import BLOCK, mark, parse, uncoloured

# What a page shows around its text, or draws.
FURNITURE = (
    ".headerlink, .md-content__button, .repository, .mark, .legend, .checked, input, script, style"
)
LEGEND = "In outputs and excerpts, a line `...` stands for any lines, `[..]` for any part of one."
MOST_COLOURED = 300
"""Lines of a block that has colours."""
SITE_MAPS = ("sitemap.xml", "sitemap.xml.gz")
PAGE_OF_A_MOVE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>This page has moved</title>
<meta http-equiv="refresh" content="0; url={target}">
<link rel="canonical" href="{target}">
<p>This page has moved to <a href="{target}">{target}</a>.</p>
</html>
"""


@dataclass(frozen=True)
class Entry:
    """A page of the navigation: its section, its address from the root of the site, its words."""

    section: str
    url: str
    title: str
    description: str
    markdown: str


def _language(block: Tag) -> str:
    """Return the language of a code block, "" where the page gives none."""
    named = block.find_parent(class_="highlight")
    names = map(str, named.get_attribute_list("class")) if named else ()
    return next((name.removeprefix("language-") for name in names if "language-" in name), "")


class _Converter(MarkdownConverter):
    """Writes HTML as Markdown: headings with `#`, fences with the language that the page gives."""

    def __init__(self) -> None:
        super().__init__(heading_style="atx", bullets="-", code_language_callback=_language)


def _markdown(page: BeautifulSoup, address: str) -> str:
    """Return what a page says, as Markdown whose links do not depend on where it is read."""
    (article,) = page.select("article")
    for tag in article.select(FURNITURE):
        tag.decompose()
    for drawing in article.select("svg"):
        said = drawing.select_one("desc")
        drawing.replace_with(f"(Drawing: {said.get_text()})" if said else "")
    for title in article.select(".filename"):
        # A name of a file; a sentence stays as it is.
        title.wrap(page.new_tag("p"))
        title.name = "span" if " " in title.get_text() else "code"
    for link in article.select("a[href]"):
        link["href"] = urljoin(address, str(link["href"]))
    for image in article.select("img[src]"):
        image["src"] = urljoin(address, str(image["src"]))
    return _Converter().convert_soup(article).strip() + "\n"


def _entries(config: MkDocsConfig, site: Path) -> Iterator[Entry]:
    """Read the pages that the navigation names, in its order."""
    for page in get_navigation(get_files(config), config).pages:
        built = parse((site / page.file.dest_uri).read_text("utf-8"))
        (description,) = built.select("meta[name=description]")
        titles = [section.title for section in page.ancestors]  # from the nearest to the top
        yield Entry(
            section=str(titles[-1]) if titles else "Guides",
            url=page.url,
            title=built.title.get_text(strip=True) if built.title else page.url,
            description=str(description["content"]),
            markdown=_markdown(built, urljoin(config.site_url or "/", page.url)),
        )


def _listing(config: MkDocsConfig, entries: list[Entry]) -> str:
    """Return `llms.txt`: the site's name, what it is about, and its pages by section."""
    sections: dict[str, list[str]] = {}
    for entry in entries:
        address = urljoin(config.site_url or "/", entry.url)
        sections.setdefault(entry.section, []).append(
            f"- [{entry.title}](<{address}>): {entry.description}\n"
        )
    parts = [f"# {config.site_name}\n\n> {config.site_description}\n"]
    parts += [f"\n## {section}\n\n{''.join(pages)}" for section, pages in sections.items()]
    return "".join(parts)


def _whole(config: MkDocsConfig, entries: list[Entry]) -> str:
    """Return `llms-full.txt`: every page, each after its address."""
    parts = [f"# {config.site_name}\n\n> {config.site_description}\n\n{LEGEND}\n"]
    parts += [
        f"\n---\n\nPage: {urljoin(config.site_url or '/', entry.url)}\n\n{entry.markdown}"
        for entry in entries
    ]
    return "".join(parts)


def _robots(site_url: str | None) -> str:
    """Return `robots.txt`: everything may be read, and a site with an address names its map."""
    lines = ["User-agent: *", "Allow: /"]
    if site_url:
        lines.append(f"Sitemap: {urljoin(site_url, 'sitemap.xml')}")
    return "\n".join(lines) + "\n"


def _lead_to_pages(config: MkDocsConfig, site: Path, pages: Sequence[Page]) -> None:
    """Let Material's search find the page of an issue by the words of its messages and signs.

    They become tags of the page, which are not shown on it. A tag counts for more than a title. Of
    two pages with the same text, the one that the index has first comes first. The front matter of
    any page may name such words too: `search: {words: [...]}`.
    """
    path = site / "search" / "search_index.json"
    if not path.is_file():  # another builder's
        return
    index = json.loads(path.read_text("utf-8"))
    known = issues(Path(config.config_file_path).parent)
    entries = {entry["location"]: entry for entry in index["docs"]}
    later: set[str] = set()
    for issue in reversed(known):
        texts = {*issue.messages, *issue.signs}
        entry = entries[f"known-issues/{issue.id}/"]
        entry["tags"] = [*issue.messages, *issue.signs]
        entry["boost"] = 1.5 if texts & later else 1.0
        later |= texts
    for page in pages:
        page.read_source(config)
        words = page.meta.get("search", {}).get("words")
        if words:
            entry = entries[page.url]
            entry["tags"] = [*entry.get("tags", []), *words]
    fields = index["config"]["fields"]
    fields["tags"]["boost"] = 2 * fields["title"]["boost"]
    path.write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":")), "utf-8")


def _without_long_colours(page: str) -> str:
    """Return the HTML of a page with its long files in one colour.

    The marks of the colours are twice what the text is, for a file that is to be taken as it is.
    """

    def plain(block: re.Match[str]) -> str:
        return uncoloured(block[0]) if block[0].count("\n") > MOST_COLOURED else block[0]

    return BLOCK.sub(plain, page)


def publish(config: MkDocsConfig, site: Path) -> None:
    """Add to a built site what the builders leave out, and take out a map without addresses.

    `extra.moved` of mkdocs.yml names the addresses that lead elsewhere by now. Raises `ValueError`
    if one of them is still a page.
    """
    moved = {old: new for old, new in config.extra["moved"].items() if "#" not in old}
    pages = get_navigation(get_files(config), config).pages
    for page in pages:
        if page.url in moved:
            raise ValueError(
                f"mkdocs.yml: extra.moved: {page.url} is still a page: take it out of moved"
            )
    entries = list(_entries(config, site))
    (site / "robots.txt").write_text(_robots(config.site_url), "utf-8")
    (site / "llms.txt").write_text(_listing(config, entries), "utf-8")
    (site / "llms-full.txt").write_text(_whole(config, entries), "utf-8")
    _lead_to_pages(config, site, pages)
    if not config.site_url:
        for name in SITE_MAPS:
            (site / name).unlink(missing_ok=True)
    mark(Path(config.config_file_path).parent, site, pages)
    for shown in (*(page.file.dest_uri for page in pages), "404.html"):
        built = site / shown
        built.write_text(amended(_without_long_colours(built.read_text("utf-8"))), "utf-8")
    for old, new in moved.items():
        left = site / old / "index.html"
        left.parent.mkdir(parents=True, exist_ok=True)
        target = html.escape(posixpath.relpath(new, old) + "/" * new.endswith("/"))
        left.write_text(PAGE_OF_A_MOVE.format(target=target), "utf-8")


if __name__ == "__main__":
    gc.disable()  # of the trees of all pages it frees nothing, and looks through them for a second
    settings = load_config("mkdocs.yml")
    publish(settings, Path(sys.argv[1] if len(sys.argv) > 1 else settings.site_dir))
