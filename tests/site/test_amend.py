"""What is amended in the pages that a builder has written."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.site.amend import LONG, amended
from tests.site.conftest import Make, parsed

SECTION = """\
<nav class="md-nav" data-md-level="1" aria-labelledby="__nav_2_label" aria-expanded="false">
  <label class="md-nav__title" for="__nav_2">
    <span class="md-nav__icon md-icon"></span>
    Forks &amp; "children"
  </label>
</nav>
"""


def cell(code: str) -> str:
    """Return a table with code in a cell."""
    return f"<table>\n<tbody><tr><td>a <code>{code}</code></td></tr></tbody>\n</table>"


@pytest.fixture(scope="module", params=["build", "build-zensical"])
def site(request: pytest.FixtureRequest, make: Make) -> Path:
    """The site, by each builder; gives its folder."""
    return make(request.param)


def test_a_section_of_the_navigation_has_its_title_for_a_name() -> None:
    """As it is read: without the signs of HTML, and not by a label that has no words."""
    read = BeautifulSoup(amended(SECTION), "html.parser")
    assert read.nav
    assert read.nav["aria-label"] == 'Forks & "children"'
    assert "aria-labelledby" not in read.nav.attrs
    assert read.nav["aria-expanded"] == "false"


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("grpc.aio.server(options=None)", ["", "grpc.", "aio.", "server(", "options=", "None)"]),
        (
            "a test_of_a_server_and_its_loop",
            ["a ", "test_", "of_", "a_", "server_", "and_", "its_"],
        ),
        ("DebugErrorStringOfServer", ["", "Debug", "Error", "String", "Of", "Server"]),
        ("x -&gt; Iterator[VoicePipeline]", ["x -&gt; ", "Iterator[Voice", "Pipeline]"]),
        ("a b c d e f g h i j k l", ["a b c d e f g h i j k l"]),
    ],
)
def test_a_long_name_in_a_cell_can_break(code: str, parts: list[str]) -> None:
    """After a sign in it or before a capital letter; words of a command at their spaces alone."""
    broken = re.findall(r"<code>(.*)</code>", amended(cell(code)))
    assert broken[0].split("<wbr>")[: len(parts)] == parts
    assert broken[0].replace("<wbr>", "") == code


def test_short_code_in_a_cell_stays_in_one_line() -> None:
    """What is short is so as it is read."""
    assert '<code class="whole">&lt;' in amended(cell("&lt;" * LONG))
    assert '<code class="whole">' not in amended(cell("&lt;" * (LONG + 1)))


def test_code_outside_of_tables_is_left() -> None:
    """And so is code in a cell that has elements."""
    text = '<p><code>grpc.aio.server(options=None)</code></p><table class="highlighttable">'
    assert amended(text) == text
    assert amended(cell("<b>a</b>")) == cell("<b>a</b>")


def test_an_excuse_is_set_apart_from_the_name_of_a_file() -> None:
    """By its class."""
    title = '<span class="filename">{}</span>'
    excuse = title.format("Not run: needs a cluster")
    assert 'class="filename not-run"' in amended(excuse)
    assert amended(title.format("conftest.py")) == title.format("conftest.py")


def test_what_is_amended_stays_as_it_is(site: Path) -> None:
    """A site that is published again is the same."""
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert amended(page) == page, path


def test_each_page_of_either_builder_is_amended(site: Path) -> None:
    """Each section has a name; code in cells, and excuses, are found in what it writes."""
    pages = parsed(site)
    for url, page in pages.items():
        sections = page.select(".md-nav--primary .md-nav:not(.md-nav--secondary)")
        assert all(str(section.get("aria-label", "")).strip() for section in sections), url
        assert not page.select("[aria-labelledby^=__nav]"), url
    for amendment in ("td > code.whole", "td > code > wbr", ".filename.not-run", ".md-nav .md-nav"):
        assert any(page.select(amendment) for page in pages.values()), amendment
