"""Charts and flows as SVG in a figure, to stand in a page: coloured by the site's own variables.

Each has its finding for a title, a legend, and what is counted. The text in a drawing is text, its
description is read out, and each colour has a sign beside it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Literal

Tone = Literal["crashed", "hung", "blamed", "hidden", "held", "absent", "plain"]

SIGNS: Mapping[Tone, str] = {
    "held": "✓",
    "crashed": "✗",
    "hung": "∞",
    "blamed": "≠",
    "hidden": "∅",
    "absent": "–",  # noqa: RUF001 - a dash
    "plain": "",
}
"""The sign that stands beside the colour of each tone."""

# The colour of each tone, with what to use where the page is not this site's.
_TONES: Mapping[Tone, str] = {
    "held": "var(--site-held, #1d6b40)",
    "crashed": "var(--site-crash, #b52d17)",
    "hung": "var(--site-hung, #7a3a9a)",
    "blamed": "var(--site-blamed, #8a5a00)",
    "hidden": "var(--site-hidden, #4a5664)",
    "absent": "var(--md-default-fg-color--lighter, #7d8894)",
    "plain": "var(--md-typeset-a-color, #0a559f)",
}
_INK = "var(--md-default-fg-color, currentColor)"
_GRID = "var(--md-default-fg-color--lightest, #e3e7ec)"
_PAPER = "var(--md-default-bg-color, #fff)"
_SIZE = 14  # pixels, of all text
_LEAST = 12.5  # pixels, of text in a chart that has shrunk: then it scrolls
# Of a flow: its pixels are those of a phone, where the page is as wide.
_WIDTH, _INDENT, _LINE, _REMS = 376, 82, 20, 21
# Characters that fit into its frames, in letters of average width.
_OF_QUESTION, _OF_ANSWER, _OF_NOTE = 44, 34, 38


@dataclass(frozen=True, kw_only=True)
class Square:
    """One square of a heat map: what stands in it beside its sign, and its colour."""

    label: str
    tone: Tone


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a chart."""

    name: str
    length: float
    label: str
    tone: Tone


@dataclass(frozen=True, kw_only=True)
class Step:
    """One question of a flow, the answer that a yes leads to, and what is said of that."""

    question: str
    answer: str
    note: str
    tone: Tone


@dataclass(frozen=True, kw_only=True)
class Words:
    """What is written around a chart."""

    id: str
    """Which no other chart of a page has."""
    finding: str
    """What is to be seen, as its title."""
    unit: str
    """What is counted."""
    description: str
    """What one who does not see it is told."""
    legend: Mapping[Tone, str]
    """What each tone means; those that the chart does not have are left out."""


def heat_map(
    *,
    words: Words,
    axis: str,
    rows: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    squares: Sequence[Sequence[Square]],
) -> str:
    """Draw rows of squares; the columns stand in groups, each with a heading; `axis` names rows."""
    left, top, step, height = 66, 94, 52, 32
    columns = [column for names in groups.values() for column in names]
    gap = 8  # between groups
    starts: list[float] = []
    parts = [_text(left - 8, top - 8, axis, anchor="end", weight=650)]
    x = float(left)
    for heading, names in groups.items():
        middle = x + len(names) * step / 2 - 1
        parts.append(_text(middle, 16, heading, anchor="middle", weight=650))
        for _ in names:
            starts.append(x)
            x += step
        x += gap
    for start, column in zip(starts, columns, strict=True):
        place = f"translate({start + step / 2 + 4:g} {top - 8}) rotate(-55)"
        parts.append(f'<text transform="{place}" fill="{_INK}">{escape(column)}</text>')
    for number, (row, line) in enumerate(zip(rows, squares, strict=True)):
        y = top + number * (height + 2)
        parts.append(_text(left - 8, y + height / 2 + 5, row, anchor="end"))
        for start, square in zip(starts, line, strict=True):
            parts.append(_square(start, y, step - 2, height, square))
    tall = top + len(rows) * (height + 2) + 4
    least = math.ceil(x * _LEAST / _SIZE)
    size = (
        f'viewBox="0 0 {x:g} {tall:g}" '
        f'style="width: 100%; min-width: {least}px; max-width: {x / _SIZE:.0f}rem"'
    )
    return _figure(words, size, parts, (square.tone for line in squares for square in line))


def bars(*, words: Words, bars: Sequence[Bar]) -> str:
    """Draw horizontal bars below their names, from zero, each with a label after it.

    They are as wide as the page allows, and the text is as large on a phone.
    """
    step, thick, room = 42, 14, 80  # room: percent of the width, which leaves some to the labels
    ticks = _ticks(max((bar.length for bar in bars), default=0) or 1)
    tall = len(bars) * step + 6
    parts = []
    for tick in ticks:
        x = room * tick / ticks[-1]
        anchor = "middle" if tick else "start"
        parts += [
            f'<line x1="{x:.1f}%" x2="{x:.1f}%" y1="0" y2="{tall}" stroke="{_GRID}"/>',
            _text(f"{x:.1f}%", tall + 16, f"{tick:g}", anchor=anchor),
        ]
    for number, bar in enumerate(bars):
        y = number * step
        long = room * bar.length / ticks[-1]
        sign = f'<tspan fill="{_TONES[bar.tone]}" font-weight="650">{SIGNS[bar.tone]}</tspan> '
        name = f"{sign if SIGNS[bar.tone] else ''}{escape(bar.name)}"
        parts += [
            f'<text x="0" y="{y + 16}" fill="{_INK}">{name}</text>',
            _rect("0", y + 22, f"{long:.2f}%", thick, f'fill="{_TONES[bar.tone]}"'),
            _text(f"{long:.2f}%", y + 34, bar.label, shift=6),
        ]
    size = f'width="100%" height="{tall + 22}"'
    return _figure(words, size, parts, (bar.tone for bar in bars))


def flow(*, words: Words, steps: Sequence[Step]) -> str:
    """Draw questions below each other; a yes leads to the right, to the answer."""
    parts: list[str] = []
    y = branched = 2.0
    for step in steps:
        if parts:
            parts.append(_arrow(20, branched, 20, y + 18))
            y += 18
        question, answer, note = (
            wrap(step.question, _OF_QUESTION),
            wrap(f"{SIGNS[step.tone]} {step.answer}", _OF_ANSWER),
            wrap(step.note, _OF_NOTE),
        )
        parts += _frame(1, y, question, stroke=f'"{_TONES["absent"]}"')
        y += _height(question)
        branched, middle = y, y + 14 + _height([*answer, *note]) / 2
        parts += [_path(20, y, 20, middle), _arrow(20, middle, _INDENT, middle)]
        parts.append(_text(28, middle - 6, "yes"))
        y += 14
        colour = _TONES[step.tone]
        parts += _frame(
            _INDENT, y, answer, note, fill=colour, stroke=f'"{colour}" stroke-width="2"'
        )
        y += _height([*answer, *note])
    size = f'viewBox="0 0 {_WIDTH} {y + 2:g}" style="width: 100%; max-width: {_REMS}rem"'
    return _figure(words, size, parts, (step.tone for step in steps))


def _ticks(longest: float) -> list[float]:
    """Return places on an axis from zero to the longest bar or a little more."""
    rough = longest / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    return [number * step for number in range(math.ceil(longest / step - 1e-9) + 1)]


def _square(x: float, y: float, width: float, height: float, square: Square) -> str:
    if square.tone == "absent":
        box = f'fill="none" stroke="{_TONES["absent"]}" stroke-dasharray="3 3"'
        ink = _INK
    else:
        box = f'fill="{_TONES[square.tone]}"'
        ink = _PAPER
    said = f"{SIGNS[square.tone]} {square.label}".strip()
    label = _text(x + width / 2, y + height / 2 + 5, said, anchor="middle", fill=ink)
    return _rect(f"{x:g}", y, f"{width:g}", height, box) + label


def _rect(x: str, y: float, width: str, height: float, paint: str) -> str:
    return f'<rect x="{x}" y="{y:g}" width="{width}" height="{height:g}" rx="2" {paint}/>'


def _height(lines: Sequence[str]) -> int:
    return 14 + _LINE * len(lines)


def _frame(  # noqa: PLR0913 - what stands in it, where, and how it looks
    x: float,
    y: float,
    first: Sequence[str],
    second: Sequence[str] = (),
    *,
    fill: str = _INK,
    stroke: str,
) -> list[str]:
    """Return a frame with lines of text, of which the first are set off; it ends at the edge."""
    height = _height([*first, *second])
    width = _WIDTH - 1 - x
    size = f'width="{width:g}" height="{height}"'
    return [
        f'<rect x="{x:g}" y="{y:g}" {size} rx="2" fill="none" stroke={stroke}/>',
        *(
            _text(x + 12, y + 21 + _LINE * number, line, weight=650, fill=fill)
            for number, line in enumerate(first)
        ),
        *(
            _text(x + 12, y + 21 + _LINE * number, line)
            for number, line in enumerate(second, len(first))
        ),
    ]


def _path(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" stroke="{_INK}" fill="none"/>'


def _arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    """Return an arrow to the right, or down."""
    head = "-6 -4v8z" if y == to_y else "-4 -6h8z"
    return _path(x, y, to_x, to_y) + f'<path d="M{to_x:g} {to_y:g}l{head}" fill="{_INK}"/>'


def _text(  # noqa: PLR0913 - the attributes of an SVG text
    x: float | str,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    weight: int = 400,
    fill: str = _INK,
    shift: int = 0,
) -> str:
    place = f'x="{x}"' if isinstance(x, str) else f'x="{x:g}"'
    return (
        f'<text {place} y="{y:g}" dx="{shift}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="{fill}">{escape(text)}</text>'
    )


def _figure(words: Words, size: str, parts: Sequence[str], tones: Iterable[Tone]) -> str:
    """Return a chart without blank lines, which Markdown would end it at."""
    names = f'role="img" aria-labelledby="{words.id}-finding {words.id}-description"'
    font = f'font-size="{_SIZE}" font-family="var(--md-text-font-family, sans-serif)"'
    shown = {*tones}
    legend = [
        f'<li><span style="color: {_TONES[tone]}">{sign}</span> {escape(words.legend[tone])}</li>'
        for tone, sign in SIGNS.items()
        if tone in shown and tone in words.legend
    ]
    return "\n".join(
        [
            '<figure class="chart">',
            f'<figcaption><strong id="{words.id}-finding">{escape(words.finding)}</strong>',
            f"<span>{escape(words.unit)}</span></figcaption>",
            *(['<ul class="chart-legend">', *legend, "</ul>"] if legend else []),
            f'<div class="chart-drawing"><svg {size} {names} {font}>',
            f'<desc id="{words.id}-description">{escape(words.description)}</desc>',
            *parts,
            "</svg></div>",
            "</figure>",
        ]
    )
