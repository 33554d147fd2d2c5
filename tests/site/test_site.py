"""The built site: strict, whole in its navigation, described, and served by its own host alone."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from mkdocs_blocks.checkout import copy_project
from mkdocs_blocks.kinds import table
from mkdocs_blocks.settings import Settings
from mkdocs_blocks.site import SiteReading, read_site

from tests.site.conftest import Make, parsed

PROJECT = Path(__file__).parents[2]
FONTS = PROJECT / "docs/assets/fonts"
KINDS = "docs/generated/kinds.md"

# What a browser loads by itself, unlike the target of a link that a reader follows.
LOADS = {
    "src": "script, img, iframe, embed, audio, video, source, track, input",
    "srcset": "img, source",
    "poster": "video",
    "data": "object",
    "href": "link, image, use",
}
CSS_LOAD = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])([^"')\s]+)""")
# A host in a string of a script: what follows the quote loads from there or sends to it.
SCRIPT_HOST = re.compile(r"""["'`]((?:https?|wss?):)?//[\w.-]+[^"'`\s]*""")


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build a project's site strictly, as `just build` does; stdout and stderr come together."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=project,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


def css_loads(css: str) -> list[str]:
    """Return the addresses that a style sheet loads, embedded data left out."""
    return [url for url in CSS_LOAD.findall(css) if not url.startswith(("data:", "#"))]


def page_loads(page: BeautifulSoup) -> list[str]:
    """Return the addresses that a browser loads to show a page, embedded data left out."""
    values = [
        tag[attribute]
        for attribute, names in LOADS.items()
        for tag in page.select(names)
        if attribute in tag.attrs and "canonical" not in (tag.get("rel") or ())
    ]
    # `srcset` lists candidates, each an address and a width.
    urls = [part.split()[0] for value in values for part in str(value).split(",") if part.strip()]
    styles = [tag.get_text() for tag in page.select("style")]
    styles += [str(tag["style"]) for tag in page.select("[style]")]
    urls += [url for css in styles for url in css_loads(css)]
    return [url for url in urls if not url.startswith(("data:", "#"))]


def foreign_loads(page: BeautifulSoup) -> list[str]:
    """Return what a page loads from another host."""
    scripts = [tag.get_text() for tag in page.select("script:not([src])")]
    return [
        *(url for url in page_loads(page) if urlsplit(url).netloc),
        *(match.group().lstrip("\"'`") for js in scripts for match in SCRIPT_HOST.finditer(js)),
        # Material's script fetches the program that draws these from another host.
        *(str(tag.name) + ".mermaid" for tag in page.select(".mermaid")),
    ]


def omissions(page: BeautifulSoup) -> list[str]:
    """Return what a page lacks for search engines and screen readers."""
    description = page.select_one("meta[name=description]")
    checks = {
        "title": page.title is None or not page.title.get_text(strip=True),
        "description": description is None or not str(description.get("content", "")).strip(),
        "exactly one h1": len(page.select("h1")) != 1,
        "alt of an image": any("alt" not in image.attrs for image in page.select("img")),
        "language": not (isinstance(page.html, Tag) and page.html.get("lang")),
    }
    return [name for name, missing in checks.items() if missing]


@pytest.fixture(scope="module")
def built(make: Make) -> Path:
    """The site as it is published; gives its folder."""
    return make("build")


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> SiteReading:
    """The site as the docs checker reads it."""
    settings = Settings(files={"justfile": "just"})
    return read_site(PROJECT, settings, into=tmp_path_factory.mktemp("reading"))


@pytest.fixture(scope="module")
def pages(built: Path) -> dict[str, BeautifulSoup]:
    """Parse the pages of the site; their addresses are relative to its root (`known-issues/`)."""
    return parsed(built)


def test_pages_load_from_their_own_host_alone(pages: dict[str, BeautifulSoup]) -> None:
    """No page makes a browser ask another host for anything."""
    assert {url: loads for url, page in pages.items() if (loads := foreign_loads(page))} == {}


def test_style_sheets_load_from_their_own_host_alone(built: Path) -> None:
    """No style sheet, Material's included, loads a font or an image from another host."""
    loads = {path: css_loads(path.read_text()) for path in built.rglob("*.css")}
    assert any(loads.values())
    assert [url for urls in loads.values() for url in urls if urlsplit(url).netloc] == []


def test_own_scripts_name_no_host() -> None:
    """The scripts written for this site neither load from a host nor send to one."""
    scripts = list((PROJECT / "docs/assets").rglob("*.js"))
    assert scripts
    assert [match.group() for js in scripts for match in SCRIPT_HOST.finditer(js.read_text())] == []


def test_whatever_is_loaded_exists(built: Path, pages: dict[str, BeautifulSoup]) -> None:
    """Each file that a page or one of its style sheets loads is part of the site, fonts too."""
    loads = {urljoin("/" + url, load) for url, page in pages.items() for load in page_loads(page)}
    for path in built.rglob("*.css"):
        base = "/" + path.relative_to(built).as_posix()
        loads |= {urljoin(base, load) for load in css_loads(path.read_text())}
    files = {urlsplit(load).path.lstrip("/") for load in loads}
    assert {path.suffix for path in map(Path, files)} >= {".css", ".js", ".svg", ".woff2"}
    assert [file for file in sorted(files) if not (built / file).exists()] == []


def test_fonts_are_woff2_with_their_licence() -> None:
    """The fonts are in the format that browsers read, and each family's licence lies beside it."""
    fonts = sorted(FONTS.glob("*.woff2"))
    assert fonts
    for font in fonts:
        assert font.read_bytes()[:4] == b"wOF2", font.name
        licence = FONTS / f"{font.name.partition('-latin')[0]}.LICENSE.txt"
        assert "SIL Open Font License" in licence.read_text(), licence.name


def test_pages_are_described(pages: dict[str, BeautifulSoup]) -> None:
    """Each page has a language, a title, a description, one h1, and an alt for each image."""
    assert {url: lacks for url, page in pages.items() if (lacks := omissions(page))} == {}


def test_titles_tell_pages_apart(pages: dict[str, BeautifulSoup]) -> None:
    """No two pages share a title."""
    titles = [page.title.get_text(strip=True) for page in pages.values() if page.title]
    assert sorted(titles) == sorted(set(titles))


def test_navigation_reaches_every_page(pages: dict[str, BeautifulSoup]) -> None:
    """The navigation lists each page, and each just once."""
    links = pages[""].select(".md-nav--primary a.md-nav__link[href]:not([href^='#'])")
    targets = [urljoin("/", str(link["href"])).lstrip("/") for link in links]
    # The page that is shown is listed twice: Material repeats it as the way to its headings.
    listed = [*{""} & set(targets), *(target for target in targets if target)]
    assert sorted(listed) == sorted(pages.keys() - {"404.html"})


def test_the_checker_sees_every_block_that_the_site_shows(
    pages: dict[str, BeautifulSoup], reading: SiteReading
) -> None:
    """The blocks that are checked are the code blocks of the built pages, in their order."""
    checked, shown = {}, {}
    for page in reading.pages:
        assert page.faults == ()
        url = re.sub(r"(^|/)(index|README)$", r"\1", page.name[len("docs/") : -len(".md")])
        url += "/" if url and not url.endswith("/") else ""
        checked[url] = ["\n".join(block.lines).strip("\n") for block in page.blocks]
        shown[url] = [code.get_text().strip("\n") for code in pages[url].select("pre > code")]
    assert checked == shown
    assert checked.keys() == pages.keys() - {"404.html"}


def test_the_guide_has_the_checkers_own_table_of_kinds() -> None:
    """The table of the guide to writing pages is the one that the kinds themselves make."""
    assert (PROJECT / KINDS).read_text(encoding="utf-8") == table()
    assert f'--8<-- "{KINDS}"' in (PROJECT / "docs/guides/write-a-page.md").read_text(
        encoding="utf-8"
    )


def test_what_the_text_names_exists(pages: dict[str, BeautifulSoup], reading: SiteReading) -> None:
    """Each recipe and each path of the project that a sentence or a table names is there."""
    listed = subprocess.run(
        ["just", "--summary"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    shown = {block.title for page in reading.pages for block in page.blocks}
    named = {
        code.get_text()
        for page in pages.values()
        for code in page.select("code")
        if code.find_parent("pre") is None
    }
    recipes = {found[1] for name in named if (found := re.match(r"just ([a-z][\w-]*)", name))}
    paths = {name for name in named if re.fullmatch(r"(?:docs|examples|tests)/[\w./-]+", name)}
    assert {"test", "test-docs"} <= recipes
    assert recipes - {*listed.stdout.split()} == set()
    assert "examples/segfault/repro.py" in paths
    assert {path for path in paths - shown if not (PROJECT / path).exists()} == set()


@pytest.mark.parametrize(
    ("html", "load"),
    [
        ('<script src="https://cdn.test/x.js"></script>', "https://cdn.test/x.js"),
        ('<link rel="stylesheet" href="//fonts.test/inter.css">', "//fonts.test/inter.css"),
        ('<img src="http://img.test/a.png" alt="">', "http://img.test/a.png"),
        ('<img srcset="a.png 1x, //img.test/b.png 2x" alt="">', "//img.test/b.png"),
        ('<style>@import "https://css.test/a.css";</style>', "https://css.test/a.css"),
        ("<style>@import url(//css.test/b.css);</style>", "//css.test/b.css"),
        ('<p style="background: url(//img.test/c.png)">', "//img.test/c.png"),
        ('<script>fetch("https://count.test/hit")</script>', "https://count.test/hit"),
        ('<div class="mermaid"></div>', "div.mermaid"),
    ],
)
def test_a_load_from_another_host_is_found(html: str, load: str) -> None:
    """Each way in which a page can load from another host is seen."""
    assert foreign_loads(BeautifulSoup(html, "html.parser")) == [load]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://docs.test/">elsewhere</a>',
        '<img src="data:image/png;base64,AAAA" alt="">',
        '<script src="assets/site.js"></script>',
    ],
)
def test_a_link_is_no_load(html: str) -> None:
    """Links to other hosts, embedded data and the site's own files are fine."""
    assert foreign_loads(BeautifulSoup(html, "html.parser")) == []


@pytest.mark.parametrize(
    ("cut", "lack"),
    [
        ("<title>T</title>", "title"),
        ('<meta name="description" content="D">', "description"),
        ("<h1>H</h1>", "exactly one h1"),
        (' alt="A"', "alt of an image"),
        (' lang="en"', "language"),
    ],
)
def test_an_omission_is_found(cut: str, lack: str) -> None:
    """A page that lacks one of the things that every page has is told from a whole one."""
    whole = (
        '<html lang="en"><title>T</title><meta name="description" content="D">'
        '<h1>H</h1><img src="a.svg" alt="A"></html>'
    )
    assert omissions(BeautifulSoup(whole, "html.parser")) == []
    assert omissions(BeautifulSoup(whole.replace(cut, ""), "html.parser")) == [lack]


FAULTS = {
    # What is added to a page: what the warning says of it
    ("index.md", "[x](nowhere.md)"): "nowhere.md",
    ("index.md", "[x](TESTING_GUIDE.md#nowhere)"): "#nowhere",
    ("index.md", "[x](/TESTING_GUIDE/)"): "absolute link",
    ("index.md", "[x](known-issues)"): "unrecognized relative link",
    ("orphan.md", "# Orphan"): 'not included in the "nav"',
}


@pytest.mark.parametrize(
    "faults",
    [FAULTS, {("index.md", '--8<-- "nowhere.py"'): "nowhere.py"}],
    ids=["warnings", "a snippet"],
)
def test_a_strict_build_fails(tmp_path: Path, faults: Mapping[tuple[str, str], str]) -> None:
    """A dead link, anchor or snippet, and a page that is not in the navigation, end the build."""
    project = tmp_path / "project"
    copy_project(PROJECT, project)
    for page, addition in faults:
        with (project / "docs" / page).open("a") as text:
            text.write(f"\n\n{addition}\n")
    result = build(project, tmp_path / "site")
    assert result.returncode != 0
    told = [line for line in result.stdout.splitlines() if line.startswith(("WARNING", "ERROR"))]
    assert len(told) == len(faults), result.stdout
    for message in faults.values():
        assert any(message in line for line in told), message
