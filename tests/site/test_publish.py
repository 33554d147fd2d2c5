"""What makes the site found: its addresses, what search engines and programs read, what moved."""

import hashlib
import json
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from mkdocs.config import load_config

from tests.site.conftest import ADDRESSES, PROJECT, REPOSITORY_URL, SITE_URL, Make, parsed
from tests.site.publish import MOST_COLOURED, publish

PUBLISHED = PROJECT / "tests/site/addresses.txt"
BUILDERS = ["build", "build-zensical"]
LONGEST_TITLE = 65
# Titles that are longer, until their pages are written anew.
LONG_TITLES = {
    "known-issues/not-reproduced/",
    "known-issues/upstream-report-pytest-markdown-docs/",
}


def front_matter(page: Path) -> dict[str, str]:
    """Return what stands at the head of a page, parsed as YAML."""
    _, head, _ = page.read_text(encoding="utf-8").split("---\n", 2)
    read: dict[str, str] = yaml.safe_load(head)
    return read


def content(page: BeautifulSoup, selector: str) -> list[str]:
    """Return the content of each meta element that a selector finds."""
    assert page.head
    return [str(tag["content"]) for tag in page.head.select(f"meta[{selector}]")]


def flush(text: str) -> str:
    """Return a text without what its lines begin and end with: a block of a list is indented."""
    return "\n".join(line.strip() for line in text.strip().splitlines())


@pytest.fixture(scope="module", params=BUILDERS)
def homeless(request: pytest.FixtureRequest, make: Make) -> Path:
    """The site without an address, by each builder; gives its folder."""
    return make(request.param)


@pytest.fixture(scope="module", params=BUILDERS)
def published(request: pytest.FixtureRequest, make: Make) -> Path:
    """The site with an address and a repository, by each builder; gives its folder."""
    return make(request.param, **ADDRESSES)


def test_without_an_address_nothing_names_one(homeless: Path) -> None:
    """No page, list or map of a site without addresses has a canonical one, or a repository."""
    pages = parsed(homeless)
    for url, page in pages.items():
        assert not page.select("link[rel=canonical], .md-source, .repository"), url
        assert not content(page, "property='og:url'") + content(page, "property='og:image'"), url
    assert not list(homeless.glob("sitemap.xml*"))
    assert (homeless / "robots.txt").read_text() == "User-agent: *\nAllow: /\n"
    for text in ("llms.txt", "llms-full.txt"):
        assert "](</known-issues/>)" in (homeless / text).read_text() or text != "llms.txt"
        assert "docs.test" not in (homeless / text).read_text()


def test_each_page_has_its_canonical_address(published: Path) -> None:
    """Every page but the one for lost readers names its own address, and so does its card."""
    for url, page in parsed(published).items():
        assert page.head
        named = [str(link["href"]) for link in page.head.select("link[rel=canonical]")]
        wanted = [] if url == "404.html" else [urljoin(SITE_URL, url)]
        assert named == wanted
        assert content(page, "property='og:url'") == wanted


def test_the_map_of_the_site_lists_every_page(published: Path) -> None:
    """robots.txt leads to the map, which has the address of each page once."""
    robots = (published / "robots.txt").read_text()
    assert robots == f"User-agent: *\nAllow: /\nSitemap: {SITE_URL}sitemap.xml\n"
    site_map = (published / "sitemap.xml").read_text(encoding="utf-8")
    listed = re.findall(r"<loc>(.*?)</loc>", site_map)
    pages = parsed(published).keys() - {"404.html"}
    assert sorted(listed) == sorted(urljoin(SITE_URL, url) for url in pages)


def test_the_card_of_a_page_says_what_the_page_says(published: Path) -> None:
    """Title and description of the card are the page's, and its picture is there."""
    for url, page in parsed(published).items():
        if url == "404.html":
            continue
        assert page.title
        assert content(page, "property='og:title'") == [page.title.get_text(strip=True)]
        assert content(page, "property='og:description'") == content(page, "name=description")
        (picture,) = content(page, "property='og:image'")
        assert picture.startswith(SITE_URL)
        assert (published / picture.removeprefix(SITE_URL)).is_file()


def test_each_page_leads_to_the_repository(published: Path) -> None:
    """The header, the line to clone, and the two forms; no script asks there for anything."""
    forms = {path.name for path in (PROJECT / ".github/ISSUE_TEMPLATE").glob("*.yml")}
    for url, page in parsed(published).items():
        assert {str(link["href"]) for link in page.select(".md-source")} == {REPOSITORY_URL}, url
        assert not page.select("[data-md-component=source]"), url
        (ways,) = page.select(".repository")
        assert f"git clone {REPOSITORY_URL}" in ways.get_text()
        named = [urlsplit(str(link["href"])).query for link in ways.select("a")]
        assert [query.partition("=")[0] for query in named] == ["template"] * 2
        assert {query.partition("=")[2] for query in named} <= forms


def test_the_guard_can_be_fetched(published: Path) -> None:
    """Its page names the file's address, with the checksum of what is there, and the repository."""
    page = parsed(published)["guard/"]
    lines = [code.get_text() for code in page.select("article p > code")]
    (fetch,) = [line for line in lines if line.startswith("curl ")]
    file = published / fetch.rpartition(" ")[2].removeprefix(SITE_URL)
    assert file.read_bytes() == (PROJECT / "examples/grpc_guard/grpc_guard.py").read_bytes()
    assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" in page.get_text()
    requirement = f"pytest-grpc-guard @ git+{REPOSITORY_URL}#subdirectory=examples/grpc_guard"
    installs = [line for line in lines if requirement in line]
    assert installs == [f'pip install "{requirement}"', f'uv add --dev "{requirement}"']


def test_without_an_address_the_guard_is_a_link_alone(homeless: Path) -> None:
    """The file is there to be saved, and no line names a host that does not exist."""
    page = parsed(homeless)["guard/"]
    (link,) = page.select(".tabbed-set a[href$='grpc_guard.py']")
    assert (homeless / urljoin("guard/", str(link["href"]))).is_file()
    assert not page.select_one(".addresses, .repository, article p > code:-soup-contains('curl ')")


def test_titles_are_short_and_descriptions_whole(homeless: Path) -> None:
    """A title is what the page's head says, in at most 65 characters; a description is not cut."""
    config = load_config(str(PROJECT / "mkdocs.yml"))
    pages = parsed(homeless)
    too_long = set()
    for path in Path(config.docs_dir).rglob("*.md"):
        name = path.relative_to(config.docs_dir).as_posix()
        url = re.sub(r"(^|/)(index|README)$", r"\1", name.removesuffix(".md"))
        url += "/" if url and not url.endswith("/") else ""
        if url not in pages:  # a part of other pages
            continue
        head, page = front_matter(path), pages[url]
        assert page.title
        assert page.title.get_text(strip=True) == head["title"]
        assert content(page, "name=description") == [head["description"].strip()]
        too_long |= {url} if len(head["title"]) > LONGEST_TITLE else set()
    assert too_long == LONG_TITLES


def test_the_page_for_lost_readers_has_the_messages_and_the_search(published: Path) -> None:
    """From any depth it leads to each known issue by its title, and to the search."""
    pages = parsed(published)
    lost = pages["404.html"]
    root = urlsplit(SITE_URL).path
    (form,) = lost.select("form[role=search]")
    assert urljoin(root, str(form["action"])).rstrip("./") == root.rstrip("/")
    assert [field["name"] for field in form.select("input")] == ["q"]
    links = {str(link["href"]): link.get_text() for link in lost.select("article li a")}
    issues = {
        url: str(page.title and page.title.get_text(strip=True))
        for url, page in pages.items()
        if url.startswith("known-issues/") and "upstream-report" not in url
    }
    assert issues
    assert links == {root + url: title for url, title in issues.items()}


def test_long_files_are_light(published: Path) -> None:
    """They have no marks for colours, which what is shorter has."""
    page = (published / "known-issues/grpc-segfault/index.html").read_text("utf-8")
    codes = BeautifulSoup(page, "html.parser").select("pre > code")
    long = [code for code in codes if code.get_text().count("\n") > MOST_COLOURED]
    assert long
    assert not any(code.select("span") for code in long)
    assert any(code.select("span") for code in codes)


def test_programs_find_every_page(published: Path) -> None:
    """llms.txt lists each page with its title and description, llms-full.txt has what they say."""
    listing = (published / "llms.txt").read_text()
    whole = (published / "llms-full.txt").read_text()
    pages = {url: page for url, page in parsed(published).items() if url != "404.html"}
    listed = re.findall(r"^- \[(.+)\]\(<(.+)>\): (.+)$", listing, re.MULTILINE)
    assert sorted(listed) == sorted(
        (
            str(page.title and page.title.get_text(strip=True)),
            urljoin(SITE_URL, url),
            content(page, "name=description")[0],
        )
        for url, page in pages.items()
    )
    for url, page in pages.items():
        said = whole.split(f"\n\n---\n\nPage: {urljoin(SITE_URL, url)}\n\n# ")[1]
        said = said.split("\n---\n\nPage: ")[0]
        for block in page.select("article pre > code"):
            assert flush(block.get_text()) in flush(said), url
        links = re.findall(r"\]\(<?([^)>]+)", re.sub(r"(?ms)^```.*?^```$|`[^`]+`", "", said))
        assert [link for link in links if not urlsplit(link).scheme] == [], url
    assert "<svg" not in re.sub(r"(?ms)^ *```.*?^ *```$", "", whole)


def test_both_builders_give_programs_the_same(make: Make) -> None:
    """What is made of the built site does not depend on what has built it."""
    first, second = (make(recipe, **ADDRESSES) for recipe in BUILDERS)
    for name in ("robots.txt", "llms.txt", "llms-full.txt"):
        assert (first / name).read_text() == (second / name).read_text(), name


def test_no_address_is_ever_lost(homeless: Path) -> None:
    """Each address that the site has had leads to a page, or on to one; new ones are listed."""
    had = PUBLISHED.read_text(encoding="utf-8").splitlines()
    assert had == sorted(set(had))
    pages = parsed(homeless).keys() - {"404.html"}
    has = {"/" + url for url in pages}
    gone, new = sorted({*had} - has), sorted(has - {*had})
    assert gone == [], "keep the page, or say where it went in mkdocs.yml: extra.moved"
    assert new == [], f"add these lines to {PUBLISHED.relative_to(PROJECT)}, in their order"


def test_what_moved_leads_on(make: Make, checkout: Path) -> None:
    """A page that moved leads to where it is; a heading's new place is told to the script."""
    settings = checkout / "mkdocs.yml"
    before = settings.read_text(encoding="utf-8")
    moved = {"old/page/": "evidence/", "evidence/#gone": "known-issues/#here"}
    own = before.partition("\n  moved:\n")[0]
    settings.write_text(f"{own}\n  moved: {json.dumps(moved)}\n", "utf-8")
    try:
        site = make("build-zensical", WITH="what moved")
    finally:
        settings.write_text(before, "utf-8")
    page = BeautifulSoup((site / "old/page/index.html").read_text(), "html.parser")
    (link,) = page.select("a")
    assert urljoin("/old/page/", str(link["href"])) == "/evidence/"
    (refresh,) = page.select("meta[http-equiv=refresh]")
    assert refresh["content"] == f"0; url={link['href']}"
    told = BeautifulSoup((site / "evidence/index.html").read_text(), "html.parser")
    (script,) = told.select("#moved")
    assert json.loads(script.get_text()) == moved
    assert (script["data-page"], script["data-root"]) == ("evidence/", "..")


def test_what_moved_is_no_more_where_it_was_and_is_where_it_went(homeless: Path) -> None:
    """No old address is a heading still; each new one is a page, and a heading of it."""
    pages = parsed(homeless)
    moved = load_config(str(PROJECT / "mkdocs.yml")).extra["moved"]
    assert moved
    for old, new in moved.items():
        url, _, heading = old.partition("#")
        assert not heading or not pages[url].select(f"[id='{heading}']"), old
        url, _, heading = new.partition("#")
        assert url in pages, new
        assert not heading or pages[url].select(f"[id='{heading}']"), new


def test_a_page_that_is_still_there_has_not_moved(make: Make) -> None:
    """It is a mistake in the settings, named in one line; no page is overwritten."""
    site = make("build")
    config = load_config(str(PROJECT / "mkdocs.yml"))
    config.extra["moved"] = {"evidence/": "known-issues/"}
    before = (site / "evidence/index.html").read_text()
    with pytest.raises(ValueError, match=r"^mkdocs\.yml: extra\.moved: evidence/ is still a page"):
        publish(config, site)
    assert (site / "evidence/index.html").read_text() == before
