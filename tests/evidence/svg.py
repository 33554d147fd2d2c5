"""Charts as SVG, to stand in a page: coloured by the site's own variables, so in either scheme.

The text in a chart is text, and its description is read out; nothing is told by colour alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Tone = Literal["crash", "held", "absent"]

# The colour of each tone, with what to use where the page is not this site's.
_TONES = {
    "crash": "var(--site-crash, #b52d17)",
    "held": "var(--site-held, #1d6b40)",
    "absent": "var(--md-default-fg-color--lighter, #7d8894)",
}
# Pixels that a character of a bar's name takes at the most, on average.
_WIDEST = 7.8
_INK = "var(--md-default-fg-color, currentColor)"
_PAPER = "var(--md-default-bg-color, #fff)"


@dataclass(frozen=True, kw_only=True)
class Square:
    """One square of a heat map: what stands in it, and its colour."""

    label: str
    tone: Tone


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a chart."""

    name: str
    length: float
    label: str
    tone: Tone


def heat_map(
    *,
    title: str,
    description: str,
    rows: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    squares: Sequence[Sequence[Square]],
) -> str:
    """Draw rows of squares; the columns stand in groups, each group with a heading."""
    left, top, step, height = 66, 92, 46, 32
    columns = [column for names in groups.values() for column in names]
    gap = 8  # between groups
    starts: list[float] = []
    parts = []
    x = float(left)
    for heading, names in groups.items():
        middle = x + len(names) * step / 2 - 1
        parts.append(_text(middle, 16, heading, anchor="middle", weight=650))
        for _ in names:
            starts.append(x)
            x += step
        x += gap
    for start, column in zip(starts, columns, strict=True):
        parts.append(
            f'<text transform="translate({start + step / 2 + 4:g} {top - 8}) rotate(-55)" '
            f'font-size="13" fill="{_INK}">{escape(column)}</text>'
        )
    for number, (row, line) in enumerate(zip(rows, squares, strict=True)):
        y = top + number * (height + 2)
        parts.append(_text(left - 8, y + height / 2 + 5, row, anchor="end"))
        for start, square in zip(starts, line, strict=True):
            parts.append(_square(start, y, step - 2, height, square))
    return _chart(title, description, x, top + len(rows) * (height + 2) + 4, parts)


def bars(*, title: str, description: str, bars: Sequence[Bar]) -> str:
    """Draw horizontal bars with a name before and a label after each."""
    width, step = 220, 28
    left = 16 + _WIDEST * max((len(bar.name) for bar in bars), default=0)
    longest = max((bar.length for bar in bars), default=1.0)
    parts = []
    for number, bar in enumerate(bars):
        y = 6 + number * step
        length = max(width * bar.length / longest, 2)
        parts += [
            _text(left - 8, y + 16, bar.name, anchor="end"),
            _rect(left, y, length, step - 6, f'fill="{_TONES[bar.tone]}"'),
            _text(left + length + 6, y + 16, bar.label),
        ]
    return _chart(title, description, left + width + 78, 10 + len(bars) * step, parts)


def _square(x: float, y: float, width: float, height: float, square: Square) -> str:
    if square.tone == "absent":
        box = f'fill="none" stroke="{_TONES["absent"]}" stroke-dasharray="3 3"'
        ink = _INK
    else:
        box = f'fill="{_TONES[square.tone]}"'
        ink = _PAPER
    label = _text(x + width / 2, y + height / 2 + 5, square.label, anchor="middle", fill=ink)
    return _rect(x, y, width, height, box) + label


def _rect(x: float, y: float, width: float, height: float, paint: str) -> str:
    size = f'x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}"'
    return f'<rect {size} rx="2" {paint}/>'


def _text(  # noqa: PLR0913 - the attributes of an SVG text
    x: float, y: float, text: str, *, anchor: str = "start", weight: int = 400, fill: str = _INK
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="{fill}">{escape(text)}</text>'
    )


def _chart(title: str, description: str, width: float, height: float, parts: Sequence[str]) -> str:
    """Return a chart without blank lines, which Markdown would end it at."""
    name = title.lower().replace(" ", "-")
    box = f'viewBox="0 0 {width:g} {height:g}" style="width: 100%; max-width: {width / 14:.0f}rem"'
    names = f'role="img" aria-labelledby="{name}-title {name}-description"'
    font = 'font-size="14" font-family="var(--md-text-font-family, sans-serif)"'
    return "\n".join(
        [
            f'<div class="chart"><svg {box} {names} {font}>',
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-description">{escape(description)}</desc>',
            *parts,
            "</svg></div>",
        ]
    )
