"""How console blocks are read, compared with a run, and rewritten."""

import pytest

from tests.docs.checker.page import Block, Fault, Kind
from tests.docs.checker.transcript import (
    accept,
    commands,
    difference,
    first_difference,
    line_matches,
    occurs,
)


def console(*lines: str) -> Block:
    """Return a console block at line 10 of a page."""
    return Block(
        line=10,
        language="console",
        kind=Kind.CONSOLE,
        lines=lines,
        lines_at=tuple(range(11, 11 + len(lines))),
    )


def test_commands_have_their_output_and_continuation_lines() -> None:
    """A line `> …` right after a command belongs to it; all else up to the next `$ ` is output."""
    found = commands(console("$ cat <<END", "> a", ">", "> END", "a", "> b", "$ true"))
    assert isinstance(found, list)
    assert [(c.index, c.text, c.output) for c in found] == [
        (0, "cat <<END\na\n\nEND", ("a", "> b")),
        (6, "true", ()),
    ]
    assert [c.output_index for c in found] == [4, 7]


def test_output_before_any_command_is_a_fault() -> None:
    """A console block without a prompt is named at its line."""
    found = commands(console("uv sync", "$ true"))
    assert isinstance(found, Fault)
    assert found.line == 11
    assert "`$ `" in found.message


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
        ("text", " text", False),
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


def test_a_quote_is_found_anywhere_in_an_output() -> None:
    """A quote is a run of lines; the line that fails is counted in the quote."""
    output = ["first", "Fatal Python error: Aborted", "", "Current thread", "last"]
    assert occurs(["Fatal Python error: [..]", "...", "Current thread"], output) is None
    assert occurs(["Fatal Python error: [..]", "Current thread"], output) == 1
    assert occurs(["Fatal Python error: Segmentation fault"], output) == 0


def test_a_difference_shows_both_sides() -> None:
    """Lines that a wildcard stands for are shown, but not as different."""
    assert difference(["a", "...", "16 passed"], ["a", "b", "c", "15 passed"]) == [
        "  a",
        "  ...",
        "| b",
        "| c",
        "- 16 passed",
        "+ 15 passed",
    ]


@pytest.mark.parametrize(
    ("expected", "actual", "accepted"),
    [
        # A wildcard that still stands for something stays; the word that changed is replaced.
        (
            ["...", "[..] 16 passed in [..]"],
            ["x", "=== 15 passed in 3.21s ==="],
            ["...", "[..] 15 passed in [..]"],
        ),
        (["3 tests in [..] ms"], ["4 tests in 21 ms"], ["4 tests in [..] ms"]),
        # A line of the output that nothing stood for is added, without what will not stay.
        (["a"], ["a", "==== 3 passed in 0.12s ===="], ["a", "[..] 3 passed in [..]"]),
        ([], ["Installed 3 packages in 12ms"], ["Installed 3 packages in [..]"]),
        ([], ["listening on 127.0.0.1:40123"], ["listening on 127.0.0.1:[..]"]),
        ([], ["http://127.0.0.1:8000"], ["http://127.0.0.1:8000"]),
        # No path of this machine gets into a page.
        ([], ["File /home/me/main/x.py"], ["File [..]/main/x.py"]),
        # What begins like a command is not left as one.
        ([], ["$ ls", "> x", "$5"], ["[..] ls", "[..] x", "$5"]),
        # A line that the output lacks goes.
        (["a", "gone", "b"], ["a", "b"], ["a", "b"]),
        (["...", "z"], ["a", "z"], ["...", "z"]),
    ],
)
def test_accepting_an_output_keeps_its_wildcards(
    expected: list[str], actual: list[str], accepted: list[str]
) -> None:
    """What is accepted matches the run, and is as general as it was where it can be."""
    assert accept(expected, actual, ["/home/me"]) == accepted
    assert first_difference(accepted, actual) is None
