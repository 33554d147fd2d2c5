"""A chart is SVG that a page can hold: well-formed, described, and with each figure as text."""

from typing import get_args
from xml.etree import ElementTree as ET

import pytest

from tests.evidence import svg

LEGEND: dict[svg.Tone, str] = {
    "held": "holds <it>",
    "crashed": "crashes",
    "hung": "hangs",
    "absent": "is not there",
}
WORDS = svg.Words(
    id="made-up",
    finding="One & a half",
    unit="Runs <per> second",
    description="What it shows.",
    legend=LEGEND,
)
MAP = svg.heat_map(
    words=WORDS,
    axis="version",
    rows=["1.0", "2.0"],
    groups={"First": ["plain", "<mended>"], "Second": ["plain"]},
    squares=[
        [
            svg.Square(label="3/3", tone="crashed"),
            svg.Square(label="0/3", tone="held"),
            svg.Square(label="", tone="absent"),
        ]
    ]
    * 2,
)
BARS = svg.bars(
    words=WORDS,
    bars=[
        svg.Bar(name="short", length=1.0, label="one", tone="held"),
        svg.Bar(name="<long>", length=4.0, label="four", tone="crashed"),
        svg.Bar(name="none", length=0.0, label="nil", tone="plain"),
    ],
)

FLOW = svg.flow(
    words=WORDS,
    steps=[
        svg.Step(question="Is it <slow>?", answer="the quick one", note="1/1", tone="held"),
        svg.Step(question="And " + "so on " * 20, answer="nothing", note="", tone="crashed"),
    ],
)

each_chart = pytest.mark.parametrize("chart", [MAP, BARS, FLOW], ids=["map", "bars", "flow"])


def parsed(chart: str) -> ET.Element:
    """Return the figure, which is well-formed XML."""
    return ET.fromstring(chart)  # noqa: S314 - made right here


def texts(chart: str) -> list[str]:
    """Return the texts of the drawing."""
    return ["".join(element.itertext()) for element in parsed(chart).iter("text")]


@each_chart
def test_a_chart_is_described(chart: str) -> None:
    """It is one image to a screen reader, named by its finding and a description."""
    figure = parsed(chart)
    (image,) = figure.iter("svg")
    assert image.attrib["role"] == "img"
    named = {element.attrib.get("id"): element.text for element in figure.iter()}
    said = [named[name] for name in image.attrib["aria-labelledby"].split()]
    assert said == [WORDS.finding, WORDS.description]


@each_chart
def test_a_chart_says_what_it_found_and_in_which_unit(chart: str) -> None:
    """Both stand above the drawing."""
    (caption,) = parsed(chart).iter("figcaption")
    assert [part.text for part in caption] == [WORDS.finding, WORDS.unit]


@each_chart
def test_a_chart_survives_markdown(chart: str) -> None:
    """There is no blank line, at which Markdown would end the figure."""
    assert all(line.strip() for line in chart.split("\n"))


@each_chart
def test_a_chart_follows_the_scheme_of_the_site(chart: str) -> None:
    """Each colour is one of the site's variables, so it changes with the scheme."""
    colours = [
        element.attrib[name]
        for element in parsed(chart).iter()
        for name in ("fill", "stroke")
        if element.attrib.get(name, "none") != "none"
    ]
    assert colours
    assert all(colour.startswith("var(--") for colour in colours)


@pytest.mark.parametrize(
    ("chart", "shown"),
    [
        (MAP, ["held", "crashed", "absent"]),
        (BARS, ["held", "crashed"]),
        (FLOW, ["held", "crashed"]),
    ],
)
def test_the_legend_has_what_the_chart_has(chart: str, shown: list[svg.Tone]) -> None:
    """Each tone with its sign and its meaning; those that are not drawn are left out."""
    said = ["".join(item.itertext()) for item in parsed(chart).iter("li")]
    assert said == [f"{svg.SIGNS[tone]} {LEGEND[tone]}" for tone in shown]


def test_a_chart_without_a_meaning_has_no_legend() -> None:
    """Bars that are all the same need none."""
    bare = svg.Words(id="x", finding="A", unit="B", description="C", legend={})
    chart = svg.bars(words=bare, bars=[svg.Bar(name="n", length=1, label="l", tone="plain")])
    assert not list(parsed(chart).iter("ul"))


def test_each_tone_has_a_sign_of_its_own() -> None:
    """Nothing is told by colour alone."""
    assert {*svg.SIGNS} == {*get_args(svg.Tone)}
    assert len({*svg.SIGNS.values()}) == len(svg.SIGNS)


def test_each_square_says_its_figure_beside_its_sign() -> None:
    """What is not safe in SVG is escaped."""
    said = texts(MAP)
    assert [said.count(text) for text in ("✗ 3/3", "✓ 0/3", svg.SIGNS["absent"])] == [2, 2, 2]
    assert "<mended>" in said
    assert "version" in said


def test_each_bar_says_its_figure_beside_its_sign() -> None:
    """A bar without a tone of its own has its name alone."""
    assert {"✓ short", "✗ <long>", "none", "one", "four", "nil"} <= {*texts(BARS)}


def test_a_heat_map_does_not_shrink_until_it_cannot_be_read() -> None:
    """On a phone it scrolls before its text, of 14 px, is smaller than 12 px."""
    (image,) = parsed(MAP).iter("svg")
    wide = float(image.attrib["viewBox"].split()[2])
    least = int(image.attrib["style"].partition("min-width: ")[2].partition("px")[0])
    assert image.attrib["font-size"] == "14"
    assert least / wide * 14 >= 12


def test_bars_are_as_wide_as_the_page_and_their_text_stays_as_it_is() -> None:
    """No view box scales them: lengths are percent, of which some are left to the labels."""
    (image,) = parsed(BARS).iter("svg")
    assert "viewBox" not in image.attrib
    assert image.attrib["width"] == "100%"
    widths = [bar.attrib["width"] for bar in parsed(BARS).iter("rect")]
    assert all(width.endswith("%") and float(width[:-1]) <= 80 for width in widths)


def test_bars_are_as_long_as_their_values() -> None:
    """The lengths have the ratio of the values, from zero."""
    short, long, none = (float(bar.attrib["width"][:-1]) for bar in parsed(BARS).iter("rect"))
    assert long == pytest.approx(4 * short)
    assert none == 0


@pytest.mark.parametrize(
    ("longest", "ticks"),
    [
        (4.0, ["0", "1", "2", "3", "4"]),
        (5.15, ["0", "2", "4", "6"]),
        (0.3, ["0", "0.1", "0.2", "0.3"]),
        (1000.0, ["0", "200", "400", "600", "800", "1000"]),
        (0.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ],
)
def test_the_axis_has_round_numbers(longest: float, ticks: list[str]) -> None:
    """From zero to no less than the longest bar, at their places."""
    chart = svg.bars(
        words=WORDS, bars=[svg.Bar(name="one", length=longest, label="label", tone="held")]
    )
    said = [text for text in texts(chart) if text not in {"✓ one", "label"}]
    assert said == ticks
    places = [float(line.attrib["x1"][:-1]) for line in parsed(chart).iter("line")]
    assert places == pytest.approx(
        [80 * number / float(ticks[-1]) for number in map(float, ticks)], abs=0.1
    )


def test_a_chart_of_nothing_can_be_drawn() -> None:
    """Before anything is measured, there is an axis."""
    assert texts(svg.bars(words=WORDS, bars=[])) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]


def test_what_a_flow_says_stays_in_its_frames() -> None:
    """A long question has as many lines as it needs, and the picture grows with it."""
    (image,) = parsed(FLOW).iter("svg")
    _, _, width, height = map(float, image.attrib["viewBox"].split())
    frames = [
        tuple(float(frame.attrib[name]) for name in ("x", "y", "width", "height"))
        for frame in parsed(FLOW).iter("rect")
    ]
    assert len(frames) == 4
    assert all(x + w <= width and y + h <= height for x, y, w, h in frames)
    said = [element for element in parsed(FLOW).iter("text") if element.text != "yes"]
    assert {"✓ the quick one", "✗ nothing"} <= {text.text for text in said}
    assert " ".join(f"{text.text}" for text in said).count("so on") == 20
    for text in said:
        left, base = float(text.attrib["x"]), float(text.attrib["y"])
        right = left + 7.5 * len(f"{text.text}")
        assert any(x < left and right <= x + w and y < base < y + h for x, y, w, h in frames)
