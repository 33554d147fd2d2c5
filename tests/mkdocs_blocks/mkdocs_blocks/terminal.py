"""What a terminal shows of the bytes that a program printed, and what the eye misses in it."""

import re
import unicodedata
from functools import lru_cache

COLUMNS = 80
"""The width of the terminal. Longer lines are not wrapped; the cursor is moved no further."""

_TAB = 8

# Columns of the longest line in which a program may shift and blank what stands there: each time
# costs as much as the line is long. A program that does so keeps to the width of the screen.
_MOST_EDITED = 10 * COLUMNS

_UNSEEN = re.compile(
    # Colours, modes, movements to another line. Not K and J, nor what moves within a line.
    r"\x1b\[[0-?]*+[ -/]*+[A-BE-FH-IL-OQ-WY-_a-~]"
    # Titles, links and other strings for the terminal.
    r"|\x1b[]PX^_][^\x07\x1b\n]*+(?:\x07|\x1b\\)"
    # Character sets, saved cursors, keypads.
    r"|\x1b[ -/]*+[0-OQ-WYZ\\`-~]"
)
_LONE_ESCAPE = re.compile(r"\x1b(?!\[[0-?]*+[ -/]*+[@CDGJKPX`])")
# Characters that are printed over at once: `man` makes its bold type so.
_STRUCK = re.compile(r"[!-~]\x08(?=[!-~])")
_PIECE = re.compile(
    r"(?P<text>[^\x08\t\r\x1b]++)"
    r"|(?P<back>\x08++)"
    r"|(?P<tabs>\t++)"
    r"|(?P<start>\r++)"
    r"|\x1b\[(?P<number>[0-9]*+)[0-?]*+[ -/]*+(?P<move>.)"
)
_MOVING = frozenset("\x08\t\r\x1b")
_MOVES = re.compile(r"[\x08\t\r\x1b]")

# Characters without a glyph, those of ASCII first; a line feed is none of them.
_CONTROLS = "".join(map(chr, [*range(10), *range(11, 32), *range(0x7F, 0xA0), 0x2028, 0x2029]))
_SPELLED = {ord(control): rf"\x{ord(control):02x}" for control in _CONTROLS[:-2]} | {
    0x2028: r"\u2028",
    0x2029: r"\u2029",
}
_CONTROL = re.compile(f"[{re.escape(_CONTROLS)}]")

# Unicode's categories of characters without a glyph: controls, formats, separators, unassigned.
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
_COMBINING = frozenset({"Me", "Mn"})


def shown(text: str) -> list[str]:
    r"""Return the lines that a terminal shows, without trailing blanks and trailing empty lines.

    Within its line, a program may go back (`\r`, `\b`, `ESC [ D`, `ESC [ G`), write over what is
    there, and erase it. Colours, titles and moves to another line leave no trace. What else has no
    glyph is spelled: `\x07` is a bell. The time is linear in the text's length.
    """
    text = text.replace("\r\n", "\n")
    if "\x1b" in text:
        text = _LONE_ESCAPE.sub(r"\\x1b", _UNSEEN.sub("", text))
    if "\x08" in text:
        text = _STRUCK.sub("", text)
    controls = {c for c in (_CONTROLS[:32] if text.isascii() else _CONTROLS) if c in text}
    for control in controls - _MOVING:
        text = text.replace(control, _SPELLED[ord(control)])
    moving = controls & _MOVING
    # What is mostly tabs would grow eightfold; on a terminal, they end at its edge.
    if moving == {"\t"} and text.count("\t") * _TAB <= len(text) and _narrow(text):
        text = text.expandtabs(_TAB)
        moving = set()
    lines = text.split("\n")
    if moving:
        lines = [_line(line) if _MOVES.search(line) else line for line in lines]
    if moving or " \n" in text:
        lines = [line.rstrip(" ") for line in lines]
    lines[-1] = lines[-1].rstrip(" ")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _line(line: str) -> str:
    """Return what is left of one line when all of it was printed."""
    # One entry per column; the second one of a wide character is empty.
    cells: list[str] = []
    column = 0
    for piece in _PIECE.finditer(line):
        match piece.lastgroup:
            case "text":
                column = _write(cells, column, _cells(piece["text"]))
            case "back":
                column = max(0, column - len(piece["back"]))
            case "start":
                column = 0
            case "tabs":
                last = column - column % COLUMNS + COLUMNS - 1
                column = min(column + _TAB * len(piece["tabs"]) - column % _TAB, last)
            case _:
                column = _move(cells, column, piece["move"], piece["number"])
    return "".join(cells)


def _narrow(text: str) -> bool:
    """Tell whether each character fills one column."""
    return text.isascii() or all(_width(character) == 1 for character in set(text))


@lru_cache(maxsize=4096)
def _width(character: str) -> int:
    if unicodedata.category(character) in _COMBINING | {"Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "FW" else 1


def _cells(text: str) -> list[str]:
    """Return a text as the columns that it fills."""
    if _narrow(text):
        return list(text)
    cells: list[str] = []
    for character in text:
        width = _width(character)
        if cells and not width:
            cells[-1] += character
        else:
            cells += [character, *[""] * (width - 1)]
    return cells


def _write(cells: list[str], column: int, glyphs: list[str]) -> int:
    """Put glyphs over what is there; return the column behind them."""
    end = column + len(glyphs)
    if column > len(cells):
        cells.extend(" " * (column - len(cells)))
    if column < len(cells) and not cells[column]:  # the second half of a wide character
        cells[column - 1] = " "
    if end < len(cells) and not cells[end]:
        cells[end] = " "
    cells[column:end] = glyphs
    return end


def _move(cells: list[str], column: int, move: str, number: str) -> int:
    """Do what a control sequence asks for within the line; return the new column."""
    # The first four digits of a number lead to the edge as well as all of them.
    count = int(number[:4] or 0)
    steps = max(1, count)
    edge = max(column, COLUMNS - 1)
    match move:
        case "C":
            return min(column + steps, edge)
        case "D":
            return max(0, column - steps)
        case "G" | "`":
            return min(steps - 1, edge)
        case "J" | "K" if count == 0:
            del cells[column:]
        case _ if len(cells) <= _MOST_EDITED:
            _edit(cells, column, move, steps)
    return column


def _edit(cells: list[str], column: int, move: str, steps: int) -> None:
    """Shift or blank what stands in the line."""
    match move:
        case "P":
            del cells[column : column + steps]
        case "@":
            cells[column:column] = " " * min(steps, COLUMNS)
        case "X":
            cells[column : column + steps] = " " * len(cells[column : column + steps])
        case "K" | "J" if steps == 1:  # from the start
            cells[: column + 1] = " " * len(cells[: column + 1])
        case "K":
            cells[:] = " " * len(cells)


def visible(line: str) -> str:
    r"""Return a line with all that the eye misses spelled out, for a reader who looks for it.

    A trailing blank is `·`, a tab `→`; other blanks, characters without a glyph, combining ones and
    those that only look like others are spelled by their numbers: a no-break space is `\xa0`.
    """
    text = line.rstrip(" ")
    marked = text + "·" * (len(line) - len(text))
    return marked if marked.isascii() and marked.isprintable() else "".join(map(_seen, marked))


def printable(line: str) -> str:
    """Return a line that can be printed: only its control characters are spelled."""
    return line.translate(_SPELLED) if _CONTROL.search(line) else line


def look(line: str) -> str:
    """Return the same text for all lines that look the same."""
    if line.isascii() and line.isprintable():
        return line.rstrip()
    return "".join(map(_look, unicodedata.normalize("NFKC", line))).rstrip()


@lru_cache(maxsize=4096)
def _look(character: str) -> str:
    category = unicodedata.category(character)
    if character == "\t" or category == "Zs":
        return " "
    return "" if category in _INVISIBLE else character


@lru_cache(maxsize=4096)
def _seen(character: str) -> str:
    if character in " ·":
        return character
    if character == "\t":
        return "→"
    category = unicodedata.category(character)
    plain = unicodedata.normalize("NFKC", character) == character
    if plain and category not in _INVISIBLE | _COMBINING:
        return character
    return character.encode("unicode_escape").decode("ascii")
