"""A chart is SVG that a page can hold: well-formed, described, and with each figure as text."""

from xml.etree import ElementTree as ET

import pytest

from tests.evidence import svg

MAP = svg.heat_map(
    title="A map",
    description="What it shows.",
    rows=["1.0", "2.0"],
    groups={"First": ["plain", "<mended>"], "Second": ["plain"]},
    squares=[
        [
            svg.Square(label="3/3", tone="crash"),
            svg.Square(label="0/3", tone="held"),
            svg.Square(label="none", tone="absent"),
        ]
    ]
    * 2,
)
BARS = svg.bars(
    title="Bars",
    description="What they show.",
    bars=[
        svg.Bar(name="short", length=1.0, label="one", tone="held"),
        svg.Bar(name="long", length=4.0, label="four", tone="crash"),
    ],
)


@pytest.mark.parametrize("chart", [MAP, BARS])
def test_a_chart_is_described(chart: str) -> None:
    """It is one image to a screen reader, with a title and a description."""
    (image,) = ET.fromstring(chart)  # noqa: S314 - made right here
    assert image.attrib["role"] == "img"
    names = {element.attrib.get("id"): element.text for element in image}
    title, description = (names[name] for name in image.attrib["aria-labelledby"].split())
    assert title
    assert description


@pytest.mark.parametrize("chart", [MAP, BARS])
def test_a_chart_survives_markdown(chart: str) -> None:
    """There is no blank line, at which Markdown would end the figure."""
    assert all(line.strip() for line in chart.split("\n"))


@pytest.mark.parametrize("chart", [MAP, BARS])
def test_a_chart_follows_the_scheme_of_the_site(chart: str) -> None:
    """Each colour is one of the site's variables, so it changes with the scheme."""
    colours = [
        element.attrib[name]
        for element in ET.fromstring(chart).iter()  # noqa: S314 - made right here
        for name in ("fill", "stroke")
        if element.attrib.get(name, "none") != "none"
    ]
    assert colours
    assert all(colour.startswith("var(--") for colour in colours)


def test_each_square_says_its_figure() -> None:
    """Nothing is told by colour alone; what is not safe in SVG is escaped."""
    texts = [element.text for element in ET.fromstring(MAP).iter("text")]  # noqa: S314 - made here
    assert [texts.count(text) for text in ("3/3", "0/3", "none", "<mended>")] == [2, 2, 2, 1]


@pytest.mark.parametrize("name", ["W", "module-scoped loops, one module", "w" * 60])
def test_a_long_name_makes_room_for_itself(name: str) -> None:
    """A name ends before its bar, so it has to have the room before that."""
    chart = svg.bars(
        title="Bars",
        description="What they show.",
        bars=[svg.Bar(name=name, length=1.0, label="one", tone="held")],
    )
    written = next(e for e in ET.fromstring(chart).iter("text") if e.text == name)  # noqa: S314 - made here
    assert float(written.attrib["x"]) >= 7.5 * len(name)


def test_bars_are_as_long_as_their_values() -> None:
    """The lengths have the ratio of the values, from zero."""
    widths = [float(bar.attrib["width"]) for bar in ET.fromstring(BARS).iter("rect")]  # noqa: S314 - made here
    assert widths[1] == pytest.approx(4 * widths[0])
