"""What a failure shows of an output that is not the page's."""

import random

import pytest
from mkdocs_blocks.difference import MOST_SHOWN, align, difference
from mkdocs_blocks.transcript import first_difference, line_matches, stands_for_lines


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


def test_lines_alike_stand_side_by_side() -> None:
    """A line that changed is followed by what it became; others are dropped and added."""
    assert difference(
        ["one line of it", "gone", "last in [..] ms"], ["one line of that", "new!", "last in 5 s"]
    ) == [
        "- one line of it",
        "+ one line of that",
        "- gone",
        "+ new!",
        "- last in [..] ms",
        "+ last in 5 s",
    ]


def test_of_what_a_wildcard_hid_the_end_is_shown() -> None:
    """The cause is often among the last lines; the very last one stands for the page's last."""
    shown = difference(["...", "end"], [*map(str, range(100)), "END"])
    assert shown == ["  ...", *(f"| {n}" for n in range(88, 100)), "- end", "+ END"]
    shown = difference(["begin", "..."], ["BEGIN", *map(str, range(5))])
    assert shown == ["- begin", "+ BEGIN", "  ...", *(f"| {n}" for n in range(5))]


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        ("a b", "a\N{NO-BREAK SPACE}b", ["- a b", "+ a\\xa0b"]),
        ("a\N{NO-BREAK SPACE}b", "a b", ["- a\\xa0b", "+ a b"]),
        ("a[..] c", "a b\N{EM SPACE}c", ["- a[..] c", "+ a b\\u2003c"]),
        ("ab", "a\N{ZERO WIDTH SPACE}b", ["- ab", "+ a\\u200bb"]),
        ("é", "e\N{COMBINING ACUTE ACCENT}", ["- é", "+ e\\u0301"]),
        ("a\x1b[m", "a", None),
    ],
)
def test_what_the_eye_does_not_see_is_spelled(
    expected: str, actual: str, lines: list[str] | None
) -> None:
    """Two lines that look the same are told apart by numbers, and a note says so."""
    shown = difference([expected], [actual])
    assert all(line.isprintable() for line in shown)
    if lines:
        assert shown[:2] == lines
        assert shown[2].startswith("? ")


def test_lines_that_agree_are_shown_around_a_difference_only() -> None:
    """Of a long output, the failure shows some lines before and after."""
    expected = [str(n) for n in range(1000)]
    actual = [*expected[:500], "other", *expected[501:]]
    assert difference(expected, actual) == [
        "(487 lines that agree)",
        *(f"  {n}" for n in range(487, 500)),
        "- 500",
        "+ other",
        *(f"  {n}" for n in range(501, 514)),
    ]


def test_long_lines_are_cut_around_their_difference() -> None:
    """A reader sees what differs, and how much is left out on both sides."""
    old, new = difference(["x" * 5000 + "a" + "y" * 5000], ["x" * 5000 + "b" + "y" * 5000])
    assert "xxxayyy" in old
    assert "xxxbyyy" in new
    for line in (old, new):
        assert line[2:].startswith("(4900 characters) … x")
        assert line.endswith("y … (4801 more characters)")
        assert len(line) < 400


def test_a_flood_of_output_is_counted() -> None:
    """Neither many lines nor a long one fill the failure."""
    flood = [f"line {n} of the flood" for n in range(100_000)]
    shown = difference(["the answer"], flood)
    assert shown[:2] == ["- the answer", "+ line 0 of the flood"]
    assert shown[-1] == "+ line 99999 of the flood"
    assert "+ (99976 more lines)" in shown
    assert difference([], flood)[0] == "+ line 0 of the flood"
    assert len(difference(flood, [f"row {n}" for n in range(60)])) <= MOST_SHOWN
    assert sum(map(len, difference(["the answer"], ["y" * 1_000_000]))) < 500


def test_a_difference_is_found_in_a_flood() -> None:
    """Groups between wildcards are paired first; around the one that fails, lines are compared."""
    flood = [f"line {n} of the flood" for n in range(20_000)]
    expected = ["...", flood[5000], "...", flood[9000], flood[9001], "line that is not", "..."]
    shown = difference(expected, flood)
    failing = shown.index("- line that is not")
    assert shown[failing - 2 : failing] == [f"  {flood[9000]}", f"  {flood[9001]}"]


def test_a_diff_has_a_bounded_length() -> None:
    """Many small differences end in a count."""
    expected = [f"this is line {n} of a page" for n in range(200)]
    shown = difference(expected, [line.replace("page", "site") for line in expected])
    assert len(shown) == MOST_SHOWN
    assert shown[-1] == "(341 more lines of the difference)"


@pytest.mark.parametrize("seed", range(3))
def test_an_alignment_loses_nothing(seed: int) -> None:
    """Each line of the page and of the output is in one step, in order; `same` is true."""
    some = random.Random(seed)  # noqa: S311 - to be repeated, not secret
    for longest in [4, 8, 40] * 15 + [450]:
        expected = some.choices(["a", "b", "c d", "[..] d", "..."], k=some.randrange(longest))
        actual = some.choices(["a", "b", "c d", "x d", "y"], k=some.randrange(longest))
        steps = align(expected, actual).steps
        assert [step.expected for step in steps if step.expected is not None] == expected
        assert [line for step in steps for line in step.actual] == actual
        for step in steps:
            if step.same and not stands_for_lines(step.expected or ""):
                assert line_matches(step.expected or "", step.actual[0])
        same = all(step.same for step in steps)
        if longest < 100:  # the others may be rough
            assert same == (first_difference(expected, actual) is None)
