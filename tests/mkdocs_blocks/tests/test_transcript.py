"""How console blocks are read, and compared with a run."""

import itertools
import random
import re

import pytest
from mkdocs_blocks.block import Block, Fault
from mkdocs_blocks.transcript import (
    ANY_LINES,
    ANY_TEXT,
    Line,
    commands,
    find,
    first_difference,
    line_matches,
    occurs,
    only_wildcards,
    same_commands,
)


def console(*lines: str) -> Block:
    """Return a console block at line 10 of a page."""
    return Block(
        place=0,
        line=10,
        language="console",
        lexer="console",
        kind="console",
        lines=lines,
        lines_at=tuple(range(11, 11 + len(lines))),
    )


def test_commands_have_their_output_and_continuation_lines() -> None:
    """A line `> …` right after a command belongs to it; all else up to the next `$ ` is output."""
    found = commands(console("$ cat <<END", "> a", ">", "> END", "a", "> b", "", "$ true"))
    assert isinstance(found, list)
    assert [(c.index, c.text, c.output, c.expected) for c in found] == [
        (0, "cat <<END\na\n\nEND", ("a", "> b", ""), ("a", "> b")),
        (7, "true", (), ()),
    ]
    assert [c.output_index for c in found] == [4, 8]
    assert [c.short for c in found] == ["cat <<END …", "true"]


@pytest.mark.parametrize("lines", [["uv sync", "$ true"], ["> true", "$ true"], ["", "$ true"]])
def test_output_before_any_command_is_a_fault(lines: list[str]) -> None:
    """A console block that does not begin with a prompt is named at its first line."""
    found = commands(console(*lines))
    assert isinstance(found, Fault)
    assert (found.line, found.rule) == (11, "text-before-command")
    assert "`$ `" in found.message


def test_a_block_without_a_command_is_a_fault() -> None:
    """An empty console block proves nothing."""
    found = commands(console())
    assert isinstance(found, Fault)
    assert (found.line, found.rule) == (10, "text-before-command")


@pytest.mark.parametrize(
    ("lines", "line", "told"),
    [
        (
            ["$ printf '%s\\n' one \\", "    two \\", "    three", "one"],
            11,
            "(it ends in a backslash): begin its next lines with `> `, from line 12 on: `>     two",
        ),
        (
            ["$ true", "$ cat > a.txt << 'END'", "alpha", "END", "$ cat a.txt", "alpha"],
            12,
            "(its here-document has no line `END`): begin its next lines with `> `, from line 13",
        ),
        (
            ["$ for name in a b", "> do", "    echo $name", "done"],
            11,
            "(`for` is not closed): begin its next lines with `> `, from line 13 on",
        ),
        (["$ echo 'it", "is'"], 11, "(the quote ' is not closed): begin its next lines"),
        (["$ true &&", "$ false"], 11, "begin its next lines with `> `; here none follows"),
    ],
)
def test_an_incomplete_command_is_a_fault(lines: list[str], line: int, told: str) -> None:
    """The fault is at the command; it says what to write, and at which line to begin."""
    found = commands(console(*lines))
    assert isinstance(found, Fault)
    assert (found.line, found.rule) == (line, "incomplete-command")
    assert found.message.startswith("the command is not complete (")
    assert told in found.message


def test_the_same_commands_may_print_something_else() -> None:
    """Two blocks are alike in what they run, or they are not."""
    block = console("$ cat <<END", "> a", "> END", "a", "$ true")
    assert same_commands(block, console("$ cat <<END", "> a", "> END", "b", "c", "$ true"))
    assert not same_commands(block, console("$ cat <<END", "> b", "> END", "a", "$ true"))
    assert not same_commands(block, console("$ cat <<END", "> a", "> END", "a"))
    assert not same_commands(block, console("a"))
    assert not same_commands(console("a"), console("a"))


@pytest.mark.parametrize(
    ("expected", "actual", "matches"),
    [
        ("3 passed in [..]", "3 passed in 0.12s", True),
        ("[..] 3 passed in [..]", "==== 3 passed in 0.12s ====", True),
        ("3 passed in [..]", "4 passed in 0.12s", False),
        ("a.c [x] (y)*", "a.c [x] (y)*", True),
        ("a.c", "abc", False),
        ("....", "....", True),
        ("text", "text   ", True),
        ("text  ", "text", True),
        ("text", " text", False),
        ("a       b", "a\tb", True),
        ("text", "text\N{NO-BREAK SPACE}", False),
        ("ab[..]bc", "abc", False),
        ("ab[..]bc", "abbc", True),
        ("[..]ab[..]ab", "ab", False),
        ("[..][..]", "", True),
    ],
)
def test_wildcards_within_a_line(expected: str, actual: str, matches: bool) -> None:  # noqa: FBT001 - a parameter
    """`[..]` stands for any text; no other character is special, and dots are dots."""
    assert line_matches(expected, actual) is matches


@pytest.mark.parametrize(
    ("expected", "actual", "index"),
    [
        ([], [], None),
        (["..."], ["a", "b"], None),
        (["a", "...", "d"], ["a", "b", "c", "d"], None),
        (["a", "...", "d"], ["a", "d"], None),
        (["...", "b", "...", "d", "..."], ["a", "b", "c", "d", "e"], None),
        (["...", "b", "c"], ["b", "x", "b", "c"], None),
        (["...", "a", "a", "b", "..."], ["a", "a", "a", "b"], None),
        (["...", "...", "a"], ["a"], None),
        (["..."], [], None),
        (["a"], ["b"], 0),
        (["a", "b"], ["a"], 1),
        (["a"], ["a", "b"], 1),
        (["a", "...", "x", "y"], ["a", "x", "z"], 3),
        (["...", "b", "x", "..."], ["b", "c", "b", "d"], 2),
        (["a", "...", "a"], ["a"], 2),
        ([], ["a"], 0),
    ],
)
def test_the_first_line_that_differs(
    expected: list[str], actual: list[str], index: int | None
) -> None:
    """The index is that of the expected line to look at; its length means output too many."""
    assert first_difference(expected, actual) == index


def test_all_short_texts_match_as_a_regular_expression_says() -> None:
    """Whatever the wildcards, greedy matching finds a way if there is one."""
    for expected in itertools.product(["a", "b", "[..]a", ANY_LINES], repeat=4):
        pattern = re.compile(
            "".join(
                r"(?:.*\n)*"
                if line == ANY_LINES
                else re.escape(line).replace(r"\[\.\.\]", ".*") + r"\n"
                for line in expected
            )
        )
        for actual in itertools.product(["a", "b", "ba"], repeat=3):
            text = "".join(f"{line}\n" for line in actual)
            matches = pattern.fullmatch(text) is not None
            assert (first_difference(expected, actual) is None) is matches, (expected, actual)


def test_parts_of_lines_match_as_a_regular_expression_says() -> None:
    """The same within a line."""
    some = random.Random(1)  # noqa: S311 - to be repeated, not secret
    for _ in range(3000):
        expected = "".join(some.choices(["a", "b", ANY_TEXT], k=some.randrange(1, 8)))
        actual = "".join(some.choices("ab", k=some.randrange(8)))
        pattern = re.escape(expected).replace(re.escape(ANY_TEXT), ".*")
        matches = re.fullmatch(pattern, actual) is not None
        assert line_matches(expected, actual) is matches, (expected, actual)


class CountedLine(str):
    """A line that counts how often anything is looked for in it."""

    __slots__ = ()
    looks = 0

    def find(self, *arguments: object) -> int:
        """Count the search."""
        type(self).looks += 1
        return super().find(*arguments)  # type: ignore[arg-type] # handed on


def test_many_wildcards_do_not_multiply() -> None:
    """A line is searched once for each part between two wildcards, also when nothing matches."""
    CountedLine.looks = 0
    line = CountedLine("a b " * 25_000)
    assert not Line.of("[..] [..] [..] [..] [..] passed").matches(line)
    assert CountedLine.looks == 4


def test_a_group_is_searched_in_one_pass() -> None:
    """However many lines of a group stand in an output before it differs, none is read again."""

    class Lines(list[str]):
        reads = 0

        def __getitem__(self, index: object) -> str:  # type: ignore[override] # of any kind
            Lines.reads += 1
            return super().__getitem__(index)  # type: ignore[call-overload,no-any-return] # handed on

    output = Lines(["y"] * 10_000)
    found = find([Line.of("y")] * 50 + [Line.of("z")], output, 0)
    assert (found.place, found.nearest, found.most) == (None, 0, 50)
    assert Lines.reads <= 2 * len(output)


def test_a_quote_is_found_anywhere_in_an_output() -> None:
    """A quote is a run of lines; the line that fails is counted in the quote."""
    output = ["first", "Fatal Python error: Aborted", "", "Current thread", "last"]
    assert occurs(["Fatal Python error: [..]", "...", "Current thread"], output) is None
    assert occurs(["...", "last"], output) is None
    assert occurs(["Fatal Python error: [..]", "Current thread"], output) == 1
    assert occurs(["Fatal Python error: Segmentation fault"], output) == 0
    assert occurs(["first", "...", "later"], output) == 2
    assert occurs(["rst", "Fatal Python error: Aborted"], output) == 0


@pytest.mark.parametrize(
    ("quote", "printed"),
    [
        ("Fatal: x", "Fatal: x"),
        ("Fatal: x", "....Fatal: x"),
        ("Fatal: x", "tests/test_a.py ..F.Fatal: x"),
        ("Fatal: x", "now Fatal: x"),
        ("Fatal: [..]", "now Fatal: x"),
        ("Fatal: [..] y", "not Fatal: x but Fatal: x y"),
        ("[..] failed", "13 passed, 10 failed"),
        ("10 failed", "13 passed, 10 failed"),
        ("3 passed", "....3 passed"),
        ("x", "(x"),
        ("x", "a:x"),
        ("", ""),
    ],
)
def test_a_quote_may_begin_with_any_word_of_a_line(quote: str, printed: str) -> None:
    """What stands before it in the line is left out; from there on it is all of the line."""
    assert occurs([quote], ["before", printed, "after"]) is None


@pytest.mark.parametrize(
    ("quote", "printed"),
    [
        ("0 failed", "13 passed, 10 failed"),
        ("3 passed, 10 failed", "13 passed, 10 failed"),
        ("3 passed, [..]", "13 passed, 10 failed"),
        ("5 s", "1.5 s"),
        ("500 rows", "1,500 rows"),
        ("5 rows", "-5 rows"),
        ("05 late", "10:05 late"),
        ("failed", "un-failed"),
        ("failed", "unfailed"),
        ("(x)", "f(x)"),
        ("py failed", "conftest.py failed"),
        ("bin/a", "usr/bin/a"),
        ("Fatal: x", "Fatal: xy"),
        ("Fatal:", "now Fatal: x"),
        ("", "x"),
        ("  ", "x"),
    ],
)
def test_a_quote_does_not_begin_within_a_word(quote: str, printed: str) -> None:
    """A part of a word or of a number is not what was printed, nor is a part of the line's rest."""
    assert occurs([quote], ["before", printed, "after"]) == 0


@pytest.mark.parametrize(
    ("expected", "only"),
    [
        ([], False),
        ([""], False),
        (["..."], True),
        (["[..]"], True),
        (["[..] [..]", "...", ""], True),
        (["...", "a"], False),
        (["[..]."], False),
    ],
)
def test_an_output_of_wildcards_alone_is_known(expected: list[str], only: bool) -> None:  # noqa: FBT001 - a parameter
    """Where no character of its own is left, an output would match anything."""
    assert only_wildcards(expected) is only
