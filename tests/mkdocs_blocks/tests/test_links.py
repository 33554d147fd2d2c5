"""Dead links and anchors, each at the line of that very link."""

from pathlib import Path

import pytest
from mkdocs_blocks.block import Page
from mkdocs_blocks.settings import Settings
from mkdocs_blocks.site import SiteReading, read_site

CONFIG = """\
site_name: A site with links
plugins: []
validation:
  nav: {omitted_files: warn, not_found: warn, absolute_links: warn}
  links: {not_found: warn, anchors: warn, absolute_links: warn, unrecognized_links: warn}
nav:
  - Home: index.md
  - Guide:
      - guide/a.md
      - Gone: guide/gone.md
  - Gone again: guide/gone.md
  - Absolute: /somewhere
not_in_nav: |
  /p*.md
markdown_extensions:
  - attr_list
  - footnotes
  - md_in_html
  - tables
  - pymdownx.snippets: {check_paths: true}
  - pymdownx.superfences
"""

# Each page with the lines and targets of its faults.
PAGES: dict[str, list[tuple[int, str]]] = {
    "An index.md is not what is meant, nor data.md.\n\nAnd `x.md` in code.\n\nSee [x](x.md).\n": [
        (5, "'x.md'")
    ],
    "A [good one](guide/a.md), [one](no.md)\nand [the same](no.md).\n\n[It](no.md) again.\n": [
        (1, "'no.md'"),
        (2, "'no.md'"),
        (4, "'no.md'"),
    ],
    "See [this][ref] and [that][Ref].\n\nText.\n\n[ref]: no.md 'A title'\n": [(5, "'no.md'")],
    "See [this][ref].\n\n[ref]:\n    no.md\n": [(4, "'no.md'")],
    '![image](no.png "A title") and\n[angle](<no one.md> "title").\n': [
        (1, "'no.png'"),
        (2, "'no one.md'"),
    ],
    "[several\nlines of\ntext](no.md)\n": [(3, "'no.md'")],
    "[late](\nno.md)\n": [(2, "'no.md'")],
    "| a | b |\n| - | - |\n| x | [y](no.md) |\n": [(3, "'no.md'")],
    "> - quoted [y](no.md)\n": [(1, "'no.md'")],
    "A note[^1].\n\n[^1]: Said [there](no.md).\n": [(3, "'no.md'")],
    "[![image](no.png)](no.md)\n": [(1, "'no.png'"), (1, "'no.md'")],
    "<!-- [x](no.md) -->\n\n```markdown\n[x](no.md)\n```\n\n[x](no.md)\n": [(7, "'no.md'")],
    "    [x](no.md)\n\n`` [x](no.md) ``\n\nand [x](no.md)\n": [(5, "'no.md'")],
    'Put in:\n\n--8<-- "linked.md"\n\nand [x](no.md)\n': [(3, "'no.md'"), (5, "'no.md'")],
    '--8<-- "missing.md"\n\nand [x](no.md)\n': [(1, "missing.md"), (3, "'no.md'")],
    "# Here\n\n[a](#here), [b](#there)\n\n[c](guide/a.md#one), [d](guide/a.md#two)\n": [
        (3, "'#there'"),
        (5, "'guide/a.md#two'"),
    ],
    "[a](#x)\n\n[b](#x)\n": [(1, "'#x'"), (3, "'#x'")],
    "[a](/somewhere)\n\n[b](guide/nowhere/)\n": [(1, "'/somewhere'"), (3, "'guide/nowhere/'")],
    "[a](http://[bad)\n": [(1, "is no address")],
    "<https://example.org/x.md> and <me@example.org>, [out](https://example.org/no.md)\n": [],
    "[a](guide/a.md)\n\n[b](image.png)\n\n[c](p0.md)\n": [],
    # Raw HTML is not translated: its addresses are those of the built site.
    '<a href="../guide/a/">right</a> <img src="../image.png">\n\n<a href="guide/a.md">no</a>\n': [
        (3, "'guide/a.md'")
    ],
    '<div>\n<img alt="x"\n     src="no.png">\n</div>\n\n<video poster="../no.jpg"></video>\n': [
        (3, "'no.png'"),
        (6, "'../no.jpg'"),
    ],
    '<img src="../image.png" srcset="../image.png 1x,\n../no.png 2x">\n': [(1, "'../no.png'")],
    '<a name="own"></a><p id=two></p>\n\n<a href="#own">a</a> <a href="#two">b</a>\n'
    '<a href="#no">c</a> <a href="../guide/a/#one">d</a> <a href="../guide/a/#no">e</a>\n': [
        (4, "'#no'"),
        (4, "'../guide/a/#no'"),
    ],
    '<a href="../../out/">out</a>\n': [(1, "leads out of the site")],
    '<div markdown>\n\n<a href="no/">a</a> [b](no.md)\n\n</div>\n': [(3, "'no/'"), (3, "'no.md'")],
    '`<a href="no/">`, <!-- <a href="no/"> -->\n\n```html title="Not run: it is shown"\n'
    '<a href="no/">\n```\n': [],
    '<a href="https://example.org">a</a> <a href="/x">b</a> <a href="mailto:a@b.c">c</a>\n': [],
}


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> SiteReading:
    """All the pages of this module on one site."""
    root = tmp_path_factory.mktemp("links")
    docs = root / "docs"
    (docs / "guide").mkdir(parents=True)
    (docs / "index.md").write_text("# Home\n")
    (docs / "omitted.md").write_text("# Omitted\n")
    (docs / "guide/a.md").write_text("# A\n\n## One\n")
    (docs / "image.png").write_bytes(b"\x89PNG")
    (root / "linked.md").write_text("Text.\n\n[x](no.md)\n")
    (root / "mkdocs.yml").write_text(CONFIG)
    for number, text in enumerate(PAGES):
        (docs / f"p{number}.md").write_text(text)
    (root / "reading").mkdir()
    return read_site(root, Settings(), into=root / "reading")


def faults_of(page: Page) -> list[tuple[int, str]]:
    """Return what is wrong on a page but its blocks."""
    return [
        (fault.line, fault.message)
        for fault in page.faults
        if fault.rule in {"dead-link", "dead-anchor", "snippet", "mkdocs-warning"}
    ]


@pytest.mark.parametrize("number", range(len(PAGES)))
def test_a_dead_link_is_told_at_its_line(reading: SiteReading, number: int) -> None:
    """Each link that leads nowhere is told where it stands, and nothing else is."""
    expected = list(PAGES.values())[number]
    page = next(page for page in reading.pages if page.name == f"docs/p{number}.md")
    told = faults_of(page)
    assert sorted(line for line, _ in told) == [line for line, _ in expected], told
    for line, target in expected:
        assert any(at == line and target in message for at, message in told), told


def test_the_navigation_is_told_once_at_its_lines(reading: SiteReading) -> None:
    """What is wrong with the navigation is said of mkdocs.yml, at the line of the entry."""
    told = [(name, fault.line, fault.rule) for name, fault in reading.faults]
    lines = CONFIG.splitlines()
    gone = [number for number, line in enumerate(lines, 1) if "gone.md" in line]
    absolute = next(number for number, line in enumerate(lines, 1) if "/somewhere" in line)
    nav = lines.index("nav:") + 1
    assert told == [("mkdocs.yml", line, "navigation") for line in [nav, *gone, absolute]], (
        reading.faults
    )
    assert "omitted.md is not in the navigation" in reading.faults[0][1].message


def test_what_the_site_only_informs_of_is_no_fault(tmp_path: Path) -> None:
    """The levels below `validation` in mkdocs.yml decide, for raw HTML as well."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(
        "site_name: x\nplugins: []\nvalidation: {links: {not_found: info, anchors: info}}\n"
    )
    (tmp_path / "docs/index.md").write_text(
        'See [a](no.md), [b](#no), [c](/abs), [d](no/),\n<a href="no/">e</a> <a href="#no">f</a>.\n'
    )
    reading = read_site(tmp_path, Settings(), into=tmp_path)
    assert reading.pages[0].faults == ()


@pytest.mark.parametrize(
    ("validation", "lines"),
    [
        ("", [1, 2]),
        ("validation: {not_found: warn}\n", [1, 2]),
        ("validation: {anchors: warn}\n", [1, 2]),
        ("validation: {anchors: info}\n", []),
        ("validation: {links: {anchors: ignore}}\n", []),
    ],
)
def test_dead_anchors_are_faults_unless_the_site_says_otherwise(
    tmp_path: Path, validation: str, lines: list[int]
) -> None:
    """MkDocs's default only informs of them; a site that wants that has to say so itself."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(f"site_name: x\nplugins: []\n{validation}")
    (tmp_path / "docs/index.md").write_text('[b](#no)\n<a href="#no">f</a>\n')
    reading = read_site(tmp_path, Settings(), into=tmp_path)
    told = reading.pages[0].faults
    assert [(fault.line, fault.rule) for fault in told] == [(at, "dead-anchor") for at in lines]


def test_files_of_the_theme_are_found(tmp_path: Path) -> None:
    """A link to a file that the theme brings is no dead one, in Markdown and in raw HTML."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text("site_name: x\nplugins: []\ntheme: mkdocs\n")
    (tmp_path / "docs/index.md").write_text(
        'See [a](css/base.css), [b](css/no.css),\n<a href="css/base.css">c</a>,\n'
        '<a href="404.html">d</a>, <a href="css/no.css">e</a>.\n'
    )
    reading = read_site(tmp_path, Settings(), into=tmp_path)
    assert [fault.line for fault in reading.pages[0].faults] == [1, 3]
