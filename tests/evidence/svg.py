"""Charts as SVG, to stand in a page: coloured by the site's own variables, so in either scheme.

The text in a chart is text, and its description is read out; nothing is told by colour alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
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


@dataclass(frozen=True, kw_only=True)
class Step:
    """One question of a flow, the answer that a yes leads to, and what is said of that."""

    question: str
    answer: str
    note: str
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


def flow(*, title: str, description: str, steps: Sequence[Step]) -> str:
    """Draw questions below each other; a yes leads to the right, to the answer.

    It is narrow: on a phone its text is as large as that of the page.
    """
    width, line, indent = 380, 20, 84
    parts: list[str] = []
    y = branched = 4.0
    for step in steps:
        if parts:
            parts.append(_arrow(20, branched, 20, y + 18))
            y += 18
        question = wrap(step.question, 44)
        height = 14 + line * len(question)
        frame = f'fill="none" stroke="{_TONES["absent"]}"'
        parts.append(_rect(2, y, width - 4, height, frame))
        parts += [_text(14, y + 21 + line * n, text) for n, text in enumerate(question)]
        y += height
        answer, note = wrap(step.answer, 34), wrap(step.note, 40)
        height = 14 + line * (len(answer) + len(note))
        branched, middle = y, y + 14 + height / 2
        parts += [_line(20, y, 20, middle), _arrow(20, middle, indent, middle)]
        parts.append(_text(28, middle - 6, "yes"))
        y += 14
        frame = f'fill="none" stroke="{_TONES[step.tone]}" stroke-width="2"'
        parts.append(_rect(indent, y, width - 2 - indent, height, frame))
        parts += [
            _text(indent + 12, y + 21 + line * n, text, weight=650, fill=_TONES[step.tone])
            for n, text in enumerate(answer)
        ]
        parts += [
            _text(indent + 12, y + 21 + line * n, text) for n, text in enumerate(note, len(answer))
        ]
        y += height
    return _chart(title, description, width, y + 4, parts, per_rem=18)


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" stroke="{_INK}" fill="none"/>'


def _arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    """Draw an arrow to the right, or down."""
    head = "-6 -4v8z" if y == to_y else "-4 -6h8z"
    return _line(x, y, to_x, to_y) + f'<path d="M{to_x:g} {to_y:g}l{head}" fill="{_INK}"/>'


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


def _chart(  # noqa: PLR0913 - what every chart has
    title: str,
    description: str,
    width: float,
    height: float,
    parts: Sequence[str],
    *,
    per_rem: int = 14,
) -> str:
    """Return a chart without blank lines, which Markdown would end it at.

    `per_rem` of its own pixels make one of the page's, where there is room for all of it.
    """
    name = title.lower().replace(" ", "-")
    size = f"width: 100%; max-width: {width / per_rem:.0f}rem"
    box = f'viewBox="0 0 {width:g} {height:g}" style="{size}"'
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
