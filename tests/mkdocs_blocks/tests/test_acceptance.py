"""Which outputs can be accepted, and what becomes of the page."""

import random

import pytest
from mkdocs_blocks.acceptance import Accepted, Edit, Refused, accept, rewritten
from mkdocs_blocks.block import Block
from mkdocs_blocks.transcript import ANY_TEXT, commands, first_difference, stands_for_lines


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        # A wildcard that still stands for something stays; the word that changed is replaced.
        (
            ["...", "[..] 16 passed in [..]"],
            ["x", "=== 15 passed in 3.21s ==="],
            ["...", "[..] 15 passed in [..]"],
        ),
        (["3 tests in [..] ms"], ["4 tests in 21 ms"], ["4 tests in [..] ms"]),
        (["took [..]ms"], ["took 5s"], ["took [..]s"]),
        # A wildcard does not swallow the word beside it.
        (["12 [..]passed"], ["12 not failed"], ["12 [..]failed"]),
        # A line that the output lacks goes, a new one comes, others stay as they were.
        (["a", "gone", "b"], ["a", "b"], ["a", "b"]),
        (["a  ", "[..]"], ["a", "b", "c"], ["a  ", "[..]", "c"]),
        ([], ["a", "", "b"], ["a", "", "b"]),
        (["a"], [], []),
        # `...` does not swallow the first or the last line that the page shows.
        (["...", "z"], ["a", "z"], ["...", "z"]),
        (["...", "survived"], ["some", "died"], ["...", "died"]),
        (["began", "...", "survived"], ["some", "died"], ["some", "...", "died"]),
        # Only the first line could be read as the next line of the command.
        (["a"], ["b", "> c", ">", "$5"], ["b", "> c", ">", "$5"]),
        (["..."], ["..."], ["..."]),
    ],
)
def test_accepting_an_output_keeps_its_wildcards(
    expected: list[str], actual: list[str], lines: list[str]
) -> None:
    """What is accepted matches the run, and is as general as it was where it can be."""
    accepted = accept(expected, actual, ["/home/me"])
    assert isinstance(accepted, Accepted)
    assert list(accepted.lines) == lines
    assert first_difference(lines, actual) is None


@pytest.mark.parametrize(
    ("expected", "actual", "reason"),
    [
        ([], ["a", "$ ls"], "line 2 of the output begins with `$ `"),
        ([], ["> a"], "line 1 of the output begins with `>`"),
        ([], [">", "a"], "line 1 of the output begins with `>`"),
        ([], ["a", "..."], "line 2 of the output is `...`"),
        ([], ["  ... "], "line 1 of the output is `...`"),
        ([], ["a [..] b"], "line 1 of the output has `[..]`"),
        (["a [..] b"], ["c [..] b"], "line 1 of the output has `[..]`"),
        (["a [..] b"], ["c 1 b [..]"], "line 1 of the output has `[..]`"),
        ([], ["a", "  ```"], "line 2 of the output begins like a fence"),
        ([], ["~~~~ python"], "line 1 of the output begins like a fence"),
        ([], ['--8<-- "secret.txt"'], "line 1 of the output begins like a fence or the mark"),
        ([], ["a\x1b[31mb"], "line 1 of the output has a control character"),
        ([], ["a\rb"], "line 1 of the output has a control character"),
        ([], ["a\u2028b"], "line 1 of the output has a control character"),
        ([], ["a\ud800b"], "line 1 of the output has a control character"),
        ([], ["in", "File /home/me/x.py"], "line 2 of the output names a folder of this run"),
        ([], ["file:///home/me"], "line 1 of the output names a folder of this run"),
    ],
)
def test_what_a_page_cannot_hold_is_refused(
    expected: list[str], actual: list[str], reason: str
) -> None:
    """The one reason names the line of the output, and what to do by hand."""
    refused = accept(expected, actual, ["", "/home/me/"])
    assert isinstance(refused, Refused)
    assert refused.reason.startswith(reason)
    assert refused.reason.endswith("put `[..]` there by hand")


def test_what_a_wildcard_of_the_page_covers_is_not_refused() -> None:
    """The author has put a wildcard where the folder, the mark or the dots are."""
    expected = ["File [..]/x.py, line 3", "[..] ls", "...", "old"]
    actual = ["File /home/me/x.py, line 4", "$ ls", "```", "...", "new"]
    accepted = accept(expected, actual, ["/home/me"])
    assert isinstance(accepted, Accepted)
    assert accepted.lines == ("File [..]/x.py, line 4", "[..] ls", "...", "new")


def test_a_name_that_only_begins_like_a_folder_of_the_run_is_accepted() -> None:
    """`/home/men` is not below `/home/me`."""
    assert isinstance(accept([], ["/home/men"], ["/home/me"]), Accepted)


def test_an_output_of_wildcards_alone_is_refused() -> None:
    """The line that proved something is gone: what proves it now, only the author knows."""
    refused = accept(["...", "3 passed", "..."], ["nothing", "of that"], [])
    assert isinstance(refused, Refused)
    assert "only wildcards would be left" in refused.reason


def test_a_line_that_nobody_reads_is_refused() -> None:
    """A line of a million characters is no line for a page."""
    refused = accept(["a [..] b"], ["a x b" * 200_000 + "c"], [])
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("line 1 of the output has 1000001 characters")


def test_a_flood_is_accepted_or_refused() -> None:
    """Without wildcards a long output replaces the old one; with them, nobody can tell."""
    flood = [f"line {n}" for n in range(5000)]
    rows = [f"row {n}" for n in range(50)]
    accepted = accept(rows, flood, [])
    assert isinstance(accepted, Accepted)
    assert list(accepted.lines) == flood
    refused = accept([*rows, "took [..]", *rows], flood, [])
    assert isinstance(refused, Refused)
    assert "write `...` for most of its lines" in refused.reason


@pytest.mark.parametrize(
    "varies",
    [
        "in 0.42s",
        "in 12ms",
        "3.5 s",
        "127.0.0.1:40123",
        "localhost:40123",
        "0x7f3a12345678",
        "2026-11-25 22:30:00",
        "22:30:01",
        "pid 4242",
        "123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_what_will_differ_is_accepted_with_a_remark(varies: str) -> None:
    """No wildcard is written that nobody wrote: the author is told where one belongs."""
    accepted = accept(["same"], ["same", f"it is {varies} today"], [])
    assert isinstance(accepted, Accepted)
    assert accepted.lines == ("same", f"it is {varies} today")
    (remark,) = accepted.remarks
    assert remark.startswith("line 2 differs from run to run")
    assert f"`{varies}`: put `[..]` there" in remark


def test_what_stays_as_it_was_gets_no_remark() -> None:
    """A line that the page had already, and one that does not vary, say nothing."""
    accepted = accept(["in 0.42s", "a"], ["in 0.42s", "version 8000", "http://127.0.0.1:80"], [])
    assert isinstance(accepted, Accepted)
    assert accepted.remarks == ()


def test_a_lost_wildcard_is_told() -> None:
    """A wildcard that stands for nothing any more is gone, and so is a line between two `...`."""
    accepted = accept(["counted [..] of them"], ["counted of them all"], [])
    assert isinstance(accepted, Accepted)
    assert accepted.lines == ("counted of them all",)
    assert accepted.remarks == ("line 1 has lost a wildcard of `counted [..] of them`",)
    accepted = accept(["a", "...", "b", "...", "c"], ["a", "x", "c"], [])
    assert isinstance(accepted, Accepted)
    assert "`b` is gone" in " ".join(accepted.remarks)


def test_unseen_characters_are_told() -> None:
    """A format character is accepted, but not in silence."""
    accepted = accept([], ["a\N{ZERO WIDTH SPACE}b"], [])
    assert isinstance(accepted, Accepted)
    assert accepted.remarks == ("line 1 has characters that the eye does not see",)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_accepted_matches_and_has_no_new_wildcard(seed: int) -> None:
    """For any page and any output: it matches, and no wildcard came from nowhere."""
    some = random.Random(seed)  # noqa: S311 - to be repeated, not secret
    words = ["a", "b", "3", "passed", " ", " ", ANY_TEXT, "...", ">", "$", "```"]
    accepted_once = 0
    for _ in range(600):
        expected = [
            "".join(some.choices(words, k=some.randrange(1, 6))) for _ in range(some.randrange(5))
        ]
        expected += ["..."] * some.randrange(2)
        actual = [
            "".join(some.choices(words, k=some.randrange(1, 6))).rstrip()
            for _ in range(some.randrange(5))
        ]
        accepted = accept(expected, actual, [])
        if isinstance(accepted, Refused):
            continue
        accepted_once += 1
        lines = accepted.lines
        assert first_difference(lines, actual) is None
        wildcards = "\n".join(lines).count(ANY_TEXT)
        assert wildcards <= "\n".join(expected).count(ANY_TEXT)
        assert sum(map(stands_for_lines, lines)) <= sum(map(stands_for_lines, expected))
        assert not (lines and (lines[0] == ">" or lines[0].startswith("> ")))
    assert accepted_once > 100


def test_an_edit_stands_where_the_output_stood() -> None:
    """The lines of an edit are the page's; empty lines that set commands apart are not touched."""
    lines = ("$ cat <<E", "> E", "old", "", "", "$ true")
    block = Block(
        place=0,
        line=10,
        language="console",
        lexer="console",
        kind="console",
        lines=lines,
        lines_at=tuple(range(11, 17)),
    )
    asked = commands(block)
    assert isinstance(asked, list)
    first, second = (Edit.of(block, command, ["new"]) for command in asked)
    assert (first.command, first.first, first.last) == (11, 13, 13)
    assert (second.command, second.first, second.last) == (16, 17, 16)


PAGE = "# Page\n\n```console\n$ printf 'one\\ntwo\\n'\none\nTWO\n```\n\nEnd.\n"


def test_only_the_lines_that_differ_are_rewritten() -> None:
    """All else on the page keeps each of its bytes."""
    edit = Edit(command=4, first=5, last=6, lines=("one", "two"))
    assert rewritten(PAGE, [edit]) == PAGE.replace("TWO", "two")
    assert rewritten(PAGE, []) == PAGE


@pytest.mark.parametrize("prefix", ["\t", "    ", "> ", "> > ", ">     ", "  \t"])
def test_what_stands_before_the_command_stands_before_its_output(prefix: str) -> None:
    """Lists, tabs and quotes go on; an empty line has no blanks at its end."""
    page = f"{prefix}```console\n{prefix}$ a\n{prefix}old\n{prefix}```\n"
    new = rewritten(page, [Edit(command=2, first=3, last=3, lines=("new", "", "line"))])
    empty = prefix.rstrip()
    assert new == (
        f"{prefix}```console\n{prefix}$ a\n{prefix}new\n{empty}\n{prefix}line\n{prefix}```\n"
    )


def test_a_tab_indented_fence_keeps_its_marks() -> None:
    """A block in a list that a tab indents: just the line that differs changes."""
    page = "1. First:\n\n\t```console\n\t$ printf 'one\\ntwo\\n'\n\tone\n\tTWO\n\t```\n\n2. End.\n"
    edit = Edit(command=4, first=5, last=6, lines=("one", "two"))
    assert rewritten(page, [edit]) == page.replace("TWO", "two")


def test_line_endings_stay_as_they_are() -> None:
    """Those of Windows, mixed ones, a byte order mark, no newline at the end."""
    page = "\ufeff```console\r\n$ a\r\nsame \nold\nother\r\n```"
    new = rewritten(page, [Edit(command=2, first=3, last=5, lines=("same", "new", "x", "y"))])
    assert new == "\ufeff```console\r\n$ a\r\nsame \nnew\nx\r\ny\r\n```"
    assert rewritten("$ a", [Edit(command=1, first=2, last=1, lines=("b", "c"))]) == "$ a\nb\nc"
    assert rewritten("$ a\r\nb", [Edit(command=1, first=2, last=2, lines=("c",))]) == "$ a\r\nc"


def test_characters_that_end_no_line_end_no_line() -> None:
    """Form feeds and the line separators of Unicode count as MkDocs counts them: not at all."""
    page = "a\x0cb\u2028c\x85d\n$ a\nold\n"
    edit = Edit(command=2, first=3, last=3, lines=("new",))
    assert rewritten(page, [edit]) == page.replace("old", "new")


def test_several_edits_do_not_disturb_each_other() -> None:
    """Lines are counted in the page as it was; the same edit twice is done once."""
    page = "$ a\n1\n2\n$ b\n$ c\n3\n"
    edits = [
        Edit(command=1, first=2, last=3, lines=()),
        Edit(command=4, first=5, last=4, lines=("x", "y")),
        Edit(command=5, first=6, last=6, lines=("z",)),
    ]
    assert rewritten(page, [*edits, *edits]) == "$ a\n$ b\nx\ny\n$ c\nz\n"


def test_a_page_that_was_changed_meanwhile_is_left_alone() -> None:
    """Where no command stands any more, nothing is written."""
    with pytest.raises(ValueError, match="line 5 is no longer the command that was run"):
        rewritten(PAGE, [Edit(command=5, first=6, last=6, lines=())])
    with pytest.raises(ValueError, match="line 99 is no longer"):
        rewritten(PAGE, [Edit(command=99, first=100, last=100, lines=())])
