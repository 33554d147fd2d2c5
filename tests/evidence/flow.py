"""A flow of questions and answers as SVG, to stand in a page: coloured by the site's variables.

Its text is text and its description is read out; each colour has a sign beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Literal

Tone = Literal["held", "blamed", "crashed"]

SIGNS: Mapping[Tone, str] = {"held": "✓", "blamed": "≠", "crashed": "✗"}
"""The sign that stands beside the colour of each tone."""

# The colour of each tone, with what to use where the page is not this site's.
_TONES: Mapping[Tone, str] = {
    "held": "var(--site-held, #1d6b40)",
    "blamed": "var(--site-blamed, #8a5a00)",
    "crashed": "var(--site-crash, #b52d17)",
}
_INK = "var(--md-default-fg-color, currentColor)"
_EDGE = "var(--md-default-fg-color--lighter, #7d8894)"
# In the drawing's own pixels: of the text as many as on a phone, where the page is as narrow.
_WIDTH, _INDENT, _LINE, _SIZE = 376, 82, 20, 14
_REMS = 21  # at the most, where there is more room
# Characters that fit into a frame, in letters of average width.
_OF_QUESTION, _OF_ANSWER, _OF_NOTE = 44, 34, 38


@dataclass(frozen=True, kw_only=True)
class Step:
    """One question, the answer that a yes leads to, and what is said of that."""

    question: str
    answer: str
    note: str
    tone: Tone


def flow(
    *, name: str, finding: str, description: str, legend: Mapping[Tone, str], steps: Sequence[Step]
) -> str:
    """Draw questions below each other; a yes leads to the right, to the answer.

    `name` is the id that no other picture of a page has; of the legend are shown the tones that
    the steps have. There is no blank line, which Markdown would end the figure at.
    """
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
        parts += _frame(1, y, question, stroke=f'"{_EDGE}"')
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
    tones = {step.tone for step in steps}
    size = (
        f'viewBox="0 0 {_WIDTH} {y + 2:g}" style="width: 100%; max-width: {_REMS}rem" '
        f'font-size="{_SIZE}" font-family="var(--md-text-font-family, sans-serif)"'
    )
    names = f'role="img" aria-labelledby="{name}-finding {name}-description"'
    return "\n".join(
        [
            '<figure class="chart">',
            f'<figcaption><strong id="{name}-finding">{escape(finding)}</strong></figcaption>',
            '<ul class="chart-legend">',
            *(
                f'<li><span style="color: {_TONES[tone]}">{SIGNS[tone]}</span> {escape(said)}</li>'
                for tone, said in legend.items()
                if tone in tones
            ),
            "</ul>",
            f'<div class="chart-drawing"><svg {size} {names}>',
            f'<desc id="{name}-description">{escape(description)}</desc>',
            *parts,
            "</svg></div>",
            "</figure>",
        ]
    )


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


def _text(x: float, y: float, text: str, *, weight: int = 400, fill: str = _INK) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-weight="{weight}" fill="{fill}">{escape(text)}</text>'
