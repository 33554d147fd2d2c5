"""What Lighthouse has measured is what the page says, and what falls short is told."""

import json

from tests.browser.lighthouse import CATEGORIES, DATA, TABLE, misses, rendered
from tests.browser.pages import pages
from tests.browser.serving import MOST_BYTES

FULL = dict.fromkeys(CATEGORIES, 100) | {"bytes": MOST_BYTES, "when": "2026-01-02", "load": 0.5}


def test_the_page_says_what_was_measured() -> None:
    """The snippets are made of the data, which have every page of the site and no other."""
    measured = json.loads(DATA.read_text(encoding="utf-8"))
    assert TABLE.read_text(encoding="utf-8") == rendered(measured)
    assert measured["pages"].keys() == pages().keys()


def test_the_pages_of_the_site_fall_short_in_nothing() -> None:
    """Each has the full score and a small first view; performance depends on the machine."""
    measured = json.loads(DATA.read_text(encoding="utf-8"))["pages"]
    assert [line for url, row in measured.items() for line in misses(url, row)] == []


def test_what_falls_short_is_told() -> None:
    """A line names the page and what it misses; a slow machine is no fault of the page."""
    assert misses("guard/", FULL) == []
    assert misses("guard/", FULL | {"performance": 40}) == []
    assert misses("guard/", FULL | {"seo": 92}) == ["guard/: seo is 92 of 100"]
    (line,) = misses("", FULL | {"bytes": MOST_BYTES + 1})
    assert line.startswith("home: a first view has 153601 bytes")


def test_the_sentence_is_of_all_pages() -> None:
    """It counts the pages that have everything, and names the worst."""
    rows = {"": FULL, "guard/": FULL | {"seo": 92, "performance": 71, "bytes": 2048, "load": 3.0}}
    text = rendered({"lighthouse": "1.2", "pages": rows})
    assert "1 of 2 pages have 100" in text
    assert "first view has 150 KiB, and the least performance is 71." in text
    assert "| `guard/` | 71 | 100 | 100 | 92 | 2 | 3.0 |" in text
    assert "2026-01-02, with Lighthouse 1.2; the machine's load was 0.5 to 3.0." in text
