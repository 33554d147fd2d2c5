"""MkDocs with Material, and Zensical, which is to follow it, build the same site."""

from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup, Tag

from tests.site.conftest import ADDRESSES, Make, Pages, parsed


def text(tag: Tag) -> str:
    """Return the text of an element with its white space as a browser shows it."""
    return " ".join(tag.get_text().split())


def headings(_: str, page: BeautifulSoup) -> list[tuple[str, ...]]:
    """Return level, anchor and text of each heading."""
    found = page.select("article :is(h1, h2, h3, h4, h5, h6)")
    # Neither the sign of the link to a heading nor its anchor on a page's own h1 is its text.
    return [(tag.name, str(tag.get("id", "")), text(tag).rstrip("¶ ")) for tag in found]


def blocks(_: str, page: BeautifulSoup) -> list[tuple[str, ...]]:
    """Return title, language and text of each code block."""
    found = []
    for code in page.select("article pre > code"):
        block = code.find_parent(class_="highlight")
        title = block.select_one(".filename") if block else None
        names = map(str, block.get_attribute_list("class")) if block else ()
        language = [name for name in names if name.startswith("language-")]
        found.append((text(title) if title else "", *language, code.get_text().strip("\n")))
    return found


def tables(_: str, page: BeautifulSoup) -> list[list[list[str]]]:
    """Return the cells of each table."""
    return [
        [[text(cell) for cell in row.select("th, td")] for row in table.select("tr")]
        for table in page.select("article table:not(.highlighttable)")
    ]


def anchors(_: str, page: BeautifulSoup) -> list[str]:
    """Return what an address of the page can end with, the lines of blocks left out."""
    found = [str(tag["id"]) for tag in page.select("article [id]")]
    return sorted(anchor for anchor in found if not anchor.startswith("__"))


def links(url: str, page: BeautifulSoup) -> list[str]:
    """Return where the links of the text lead to."""
    return [urljoin("/" + url, str(tag["href"])) for tag in page.select("article a[href]")]


def navigation(url: str, page: BeautifulSoup) -> list[tuple[str, str]]:
    """Return names and targets of the navigation, in their order."""
    found = page.select(".md-nav--primary a.md-nav__link[href]:not([href^='#'])")
    return [(text(tag), urljoin("/" + url, str(tag["href"]))) for tag in found]


def head(_: str, page: BeautifulSoup) -> list[str]:
    """Return what search engines and chats read: title, description, canonical address, card."""
    found = page.select("head > title, meta[name=description], meta[property], link[rel=canonical]")
    return sorted(str(tag.get("content") or tag.get("href") or text(tag)) for tag in found)


@pytest.fixture(scope="module")
def material(make: Make) -> Pages:
    """The pages as MkDocs builds them with Material."""
    return parsed(make("build", **ADDRESSES))


@pytest.fixture(scope="module")
def zensical(make: Make) -> Pages:
    """The pages as Zensical builds them."""
    return parsed(make("build-zensical", **ADDRESSES))


def test_both_build_the_same_pages(material: Pages, zensical: Pages) -> None:
    """No page is missing in one of them."""
    assert material.keys() == zensical.keys()
    assert len(material) > 20


@pytest.mark.parametrize("part", [headings, blocks, tables, anchors, links, navigation, head])
def test_both_build_the_same(
    part: Callable[[str, BeautifulSoup], list[object]], material: Pages, zensical: Pages
) -> None:
    """Each part of each page is the same in both, and there are such parts."""
    first = {url: part(url, page) for url, page in material.items()}
    second = {url: part(url, page) for url, page in zensical.items()}
    assert any(first.values())
    for url, parts in first.items():
        assert parts == second[url], url
