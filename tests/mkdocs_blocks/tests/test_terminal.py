"""What a terminal shows of an output."""

import random
import re

import pytest
from mkdocs_blocks.terminal import look, printable, shown, visible


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        ("", []),
        ("one\ntwo\n", ["one", "two"]),
        ("no newline", ["no newline"]),
        ("a\n\nb\n\n \n", ["a", "", "b"]),
        ("a  \n  b \n", ["a", "  b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("naïve ☃ 日本\n", ["naïve ☃ 日本"]),
    ],
)
def test_plain_text_is_its_lines(printed: str, lines: list[str]) -> None:
    """Trailing blanks and trailing empty lines are not seen; line ends of Windows are line ends."""
    assert shown(printed) == lines


@pytest.mark.parametrize(
    ("printed", "line"),
    [
        ("abc\rX", "Xbc"),
        (" 10%\r 100%\r", " 100%"),
        ("long text\rab\x1b[K", "ab"),
        ("long text\x1b[2K\rab", "ab"),
        ("abc\x1b[1K\rX", "X"),
        ("abc\b\bX", "aXc"),
        ("\b\babc", "abc"),
        ("b\bbo\bol\bld\bd", "bold"),
        ("abc\x1b[2DX", "aXc"),
        ("abc\x1b[3CX", "abc   X"),
        ("abc\x1b[1GX", "Xbc"),
        ("ab\x1b[10G|", "ab       |"),
        ("abcdef\r\x1b[2Pxy", "xyef"),
        ("abc\r\x1b[2@X", "X abc"),
        ("abcdef\r\x1b[2X|", "| cdef"),
        ("a\tb", "a       b"),
        ("abc\tb\tc", "abc     b       c"),
        ("abcdefgh\tb", "abcdefgh        b"),
        ("\tb\ra", "a       b"),
        ("ä\tb", "ä       b"),
        ("日\tb", "日      b"),
        ("日本\rX", "X 本"),
        ("日本\r語", "語本"),
        ("e\N{COMBINING ACUTE ACCENT}f\rX", "Xf"),
    ],
)
def test_a_program_can_write_over_its_line(printed: str, line: str) -> None:
    """What is written over is gone, column by column, and what is behind it stays."""
    assert shown(printed) == [line]


@pytest.mark.parametrize(
    "printed",
    [
        "\x1b[31mred\x1b[0m plain",
        "\x1b[1;38;2;1;2;3mred\x1b(B\x1b[m plain",
        "\x1b]0;a title\x07red plain",
        "\x1b]8;;https://example.org\x1b\\red\x1b]8;;\x1b\\ plain",
        "\x1b[?25lred plain\x1b[?25h",
        "\x1bPa device string\x1b\\red plain",
        "\x1b7red plain\x1b8",
        "\x1b[1A\x1b[2Kred plain",
        "\x1b[H\x1b[2Jred plain",
    ],
)
def test_escape_sequences_leave_no_trace(printed: str) -> None:
    """Colours, titles, links, modes and moves to other lines are not part of the text."""
    assert shown(f"{printed}\n") == ["red plain"]


@pytest.mark.parametrize(
    ("printed", "line"),
    [
        ("a\x07b", r"a\x07b"),
        ("\0", r"\x00"),
        ("a\x0bb\x0cc", r"a\x0bb\x0cc"),
        ("a\x85b\u2028c", r"a\x85b\u2028c"),
        ("\x1b[31", r"\x1b[31"),
        ("\x1b]0;never ends", r"\x1b]0;never ends"),
        ("a\x1b", r"a\x1b"),
        ("\a\rX", r"Xx07"),
    ],
)
def test_what_has_no_glyph_is_spelled(printed: str, line: str) -> None:
    """A control character that a terminal cannot show, and an unfinished sequence, are told."""
    assert shown(printed) == [line]


def test_the_cursor_stays_on_the_screen() -> None:
    """However far a program asks to move, the line does not become longer for it."""
    assert shown(f"a\x1b[{'9' * 9999}Cb") == ["a" + " " * 78 + "b"]
    assert shown("\t" * 99_999 + "b") == [" " * 79 + "b"]


def test_lines_are_lines_for_everyone() -> None:
    """Whatever is printed, no line that is shown has a character that ends lines or controls."""
    some = random.Random(6)  # noqa: S311 - to be repeated, not secret
    alphabet = [
        "\x1b",
        "[",
        "1",
        "K",
        "C",
        ";",
        "\r",
        "\b",
        "\t",
        "\n",
        "a",
        "日",
        "\x85",
        "\0",
        " ",
    ]
    for _ in range(2000):
        printed = "".join(some.choices(alphabet, k=some.randrange(1, 25)))
        lines = shown(printed)
        assert not any(re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]| $", line) for line in lines)
        assert "\n".join(lines).splitlines() == lines[: len(lines)]
        assert len(lines) <= printed.count("\n") + 1
        assert shown("\n".join(lines)) == lines


def test_text_that_moves_nothing_is_left_as_it_is() -> None:
    """The quick way and the careful one show the same."""
    some = random.Random(7)  # noqa: S311 - to be repeated, not secret
    for _ in range(500):
        printed = "".join(some.choices("ab \t\n", k=30))
        careful = shown("".join(f"\r{line}\n" for line in printed.split("\n")))
        assert shown(printed) == careful


@pytest.mark.parametrize(
    ("line", "spelled"),
    [
        ("plain text", "plain text"),
        ("end  ", "end··"),
        ("a\tb", "a→b"),
        ("a\N{NO-BREAK SPACE}b", r"a\xa0b"),
        ("a\N{ZERO WIDTH SPACE}b", r"a\u200bb"),
        ("a\N{IDEOGRAPHIC SPACE}b", r"a\u3000b"),
        ("e\N{COMBINING ACUTE ACCENT}", r"e\u0301"),
        ("\N{LATIN SMALL LIGATURE FI}", r"\ufb01"),
        ("\N{BYTE ORDER MARK}a", r"\ufeffa"),
        ("\x1b[m", r"\x1b[m"),
        ("naïve 日本", "naïve 日本"),
    ],
)
def test_the_invisible_can_be_spelled(line: str, spelled: str) -> None:
    """What the eye misses gets a mark or its number; what it sees stays."""
    assert visible(line) == spelled


def test_lines_that_look_the_same_are_known() -> None:
    """Blanks of any kind are alike, and so are two ways to write one letter; letters are not."""
    assert look("a\N{NO-BREAK SPACE}b\N{ZERO WIDTH SPACE} ") == look("a b")
    assert look("e\N{COMBINING ACUTE ACCENT}") == look("é")
    assert look("é") != look("e")
    assert look("a  b") != look("a b")


def test_a_line_can_be_made_printable() -> None:
    """Only control characters are spelled."""
    assert printable("a\x1b[m\N{NO-BREAK SPACE}é") == "a\\x1b[m\N{NO-BREAK SPACE}é"
