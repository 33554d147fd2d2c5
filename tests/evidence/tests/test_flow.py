"""A flow is SVG that a page can hold: well-formed, described, and with its text in its frames."""

import re
from xml.etree import ElementTree as ET

from tests.evidence.flow import SIGNS, Step, flow

LEGEND = {"held": "it holds", "blamed": "it blames", "crashed": "it crashes"}
FLOW = flow(
    name="it",
    finding="It is <slow>",
    description="What it asks.",
    legend={"held": LEGEND["held"], "blamed": LEGEND["blamed"], "crashed": LEGEND["crashed"]},
    steps=[
        Step(question="Is it <slow>?", answer="the quick one", note="1/1", tone="held"),
        Step(question="And " + "so on " * 20, answer="nothing", note="", tone="crashed"),
    ],
)
ROOT = ET.fromstring(FLOW)  # noqa: S314 - made right here


def test_it_is_described() -> None:
    """It is one image to a screen reader, with its finding and a description."""
    (image,) = ROOT.iter("svg")
    assert image.attrib["role"] == "img"
    named = {element.attrib.get("id"): element.text for element in ROOT.iter()}
    assert [named[name] for name in image.attrib["aria-labelledby"].split()] == [
        "It is <slow>",
        "What it asks.",
    ]


def test_it_survives_markdown() -> None:
    """There is no blank line, at which Markdown would end the figure."""
    assert all(line.strip() for line in FLOW.split("\n"))


def test_it_follows_the_scheme_of_the_site() -> None:
    """Each colour is one of the site's variables, so it changes with the scheme."""
    colours = re.findall(r'(?:fill|stroke)="([^"]+)"|color: ([^"]+)"', FLOW)
    named = {one or other for one, other in colours} - {"none"}
    assert named
    assert all(colour.startswith("var(--") for colour in named)


def test_the_legend_has_what_is_shown() -> None:
    """A tone that no step has is not explained; each that one has stands with its sign."""
    shown = ["".join(item.itertext()) for item in ROOT.iter("li")]
    assert shown == [f"{SIGNS['held']} it holds", f"{SIGNS['crashed']} it crashes"]
    texts = [f"{text.text}" for text in ROOT.iter("text")]
    assert {"✓ the quick one", "✗ nothing"} <= {*texts}


def test_what_it_says_stays_in_its_frames() -> None:
    """A long question has as many lines as it needs, and the picture grows with it."""
    (image,) = ROOT.iter("svg")
    _, _, width, height = map(float, image.attrib["viewBox"].split())
    frames = [
        tuple(float(frame.attrib[name]) for name in ("x", "y", "width", "height"))
        for frame in ROOT.iter("rect")
    ]
    assert len(frames) == 4
    assert all(x + w <= width and y + h <= height for x, y, w, h in frames)
    texts = [element for element in ROOT.iter("text") if element.text != "yes"]
    assert " ".join(f"{text.text}" for text in texts).count("so on") == 20
    for text in texts:
        left, base = float(text.attrib["x"]), float(text.attrib["y"])
        right = left + 7.5 * len(f"{text.text}")
        assert any(x < left and right <= x + w and y < base < y + h for x, y, w, h in frames)
