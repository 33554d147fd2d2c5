"""Amends what a builder writes, for who hears a page and for who reads it on a narrow screen.

What depends on neither the screen nor what its reader does is done here, not by a script: it is
there when the page is drawn, with scripts or without, and nothing moves when they start.
"""

import re
from html import escape, unescape

LONG = 18
"""Characters, which fit into the first column on the narrowest screen."""

# A section that is a page has a label without words, and so no name.
_SECTION = re.compile(
    r'aria-labelledby="\w+"(?P<rest>[^>]*>\s*<label class="md-nav__title"[^>]*>'
    r'\s*<span class="md-nav__icon md-icon"></span>(?P<title>[^<]*)<)'
)
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
_CODE = re.compile(r"<code>([^<]*)</code>")
_SPACES = re.compile(r"(\s+)")
_INSIDE = re.compile(r"(?<=[_/.:,(=])(?=\w)|(?<=[a-z0-9])(?=[A-Z])", re.ASCII)
_EXCUSE = re.compile(r'(?<=<span class="filename)(?=">Not run:)')


def amended(page: str) -> str:
    """Return the HTML of a page, with what it lacks; the same again, if it has it."""
    page = _SECTION.sub(_named, page)
    page = _TABLE.sub(lambda table: _CODE.sub(_breaking, table[0]), page)
    return _EXCUSE.sub(" not-run", page)


def _named(section: re.Match[str]) -> str:
    """Return a section of the navigation with its title for a name."""
    return f'aria-label="{escape(unescape(section["title"].strip()))}"{section["rest"]}'


def _breaking(code: re.Match[str]) -> str:
    """Return code in a cell: a short one stays in one line, and the names of a long one break.

    A name goes on in the next line after a sign in it, or before a capital letter.
    """
    text = unescape(code[1])
    if len(text) <= LONG:
        return f'<code class="whole">{code[1]}</code>'
    return f"<code>{''.join(map(_word, _SPACES.split(text)))}</code>"


def _word(word: str) -> str:
    if len(word) <= LONG:
        return escape(word, quote=False)
    return "".join(f"<wbr>{escape(part, quote=False)}" for part in _INSIDE.split(word))
