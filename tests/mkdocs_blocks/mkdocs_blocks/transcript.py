"""Commands with the output that a page shows: reading them, and comparing it with a run.

Wildcards: `[..]` stands for any part of a line, a line that is only `...` for any lines. They are
trycmd's, since doctest's `...` would match the dots that pytest prints.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mkdocs_blocks.block import Block, Fault
from mkdocs_blocks.shell_syntax import unfinished

ANY_LINES = "..."
ANY_TEXT = "[..]"

PROMPT = "$ "

# Lines of an output of which it is known what they match.
_MOST_REMEMBERED = 10_000

# Characters of a line that are looked at for the word in which a place lies.
_LONGEST_WORD = 80


@dataclass(frozen=True, kw_only=True)
class Command:
    """One `$ command` of a console block; `index` is its line in the block, from 0."""

    index: int
    text: str
    output: tuple[str, ...]

    @property
    def short(self) -> str:
        """Return the command's first line, for a message."""
        first, found, _ = self.text.partition("\n")
        return f"{first} …" if found else first

    @property
    def output_index(self) -> int:
        """Return the line in the block at which the expected output starts."""
        return self.index + self.text.count("\n") + 1

    @property
    def expected(self) -> tuple[str, ...]:
        """Return the output without the empty lines at its end, which only set blocks apart."""
        lines = list(self.output)
        while lines and not lines[-1].strip():
            lines.pop()
        return tuple(lines)


def is_continuation(line: str) -> bool:
    """Tell whether a line goes on with the command in the line before it."""
    return line == ">" or line.startswith("> ")


def commands(block: Block) -> list[Command] | Fault:
    """Read a console block, or say at which line of the page it is none, and what to write."""
    found: list[tuple[int, list[str], list[str]]] = []
    for index, line in enumerate(block.lines):
        if line.startswith(PROMPT):
            found.append((index, [line[len(PROMPT) :]], []))
        elif not found:
            return Fault(
                line=block.at(index),
                message=f"{line!r} stands before any command: start it with `{PROMPT}`",
                rule="text-before-command",
            )
        elif is_continuation(line) and not found[-1][2]:
            found[-1][1].append(line[2:])
        else:
            found[-1][2].append(line)
    if not found:
        return Fault(
            line=block.line,
            message=f"the block has no command: start one with `{PROMPT}`",
            rule="text-before-command",
        )
    asked = [
        Command(index=index, text="\n".join(text), output=tuple(output))
        for index, text, output in found
    ]
    for command in asked:
        reason = unfinished(command.text)
        if reason:
            return _incomplete(block, command, reason)
    return asked


def _incomplete(block: Block, command: Command, reason: str) -> Fault:
    what = f"the command is not complete ({reason})"
    if command.expected:
        following = block.at(command.output_index)
        todo = (
            f"begin its next lines with `> `, from line {following} on: `> {command.expected[0]}`"
        )
    else:
        todo = "begin its next lines with `> `; here none follows"
    return Fault(line=block.at(command.index), message=f"{what}: {todo}", rule="incomplete-command")


def same_commands(before: Block, after: Block) -> bool:
    """Tell whether two console blocks run the same commands, whatever output they show."""
    old, new = commands(before), commands(after)
    if isinstance(old, Fault) or isinstance(new, Fault):
        return False
    return [command.text for command in old] == [command.text for command in new]


# Wildcards.


def plain(line: str) -> str:
    """Return what is compared of a line: tabs do not count as such, nor do trailing blanks."""
    return line.expandtabs().rstrip(" ")


def stands_for_lines(line: str) -> bool:
    """Tell whether a line of an expected output stands for any lines."""
    return line.strip() == ANY_LINES


@lru_cache(maxsize=4096)
def _parts(expected: str) -> tuple[str, ...]:
    """Return the parts of an expected line between its wildcards."""
    return tuple(plain(expected).split(ANY_TEXT))


def line_matches(expected: str, actual: str) -> bool:
    """Tell whether one line of output is what the page shows."""
    return Line.of(expected).matches(plain(actual))


def only_wildcards(expected: Sequence[str]) -> bool:
    """Tell whether an expected output has wildcards and no other character: it proves nothing."""
    return any(stands_for_lines(line) or ANY_TEXT in line for line in expected) and all(
        stands_for_lines(line) or not "".join(_parts(line)).strip() for line in expected
    )


def _fits(parts: Sequence[str], line: str) -> bool:
    if len(parts) == 1:
        return parts[0] == line
    return line.startswith(parts[0]) and _fits_from(parts, line, len(parts[0]))


def _fits_from(parts: Sequence[str], line: str, place: int) -> bool:
    """Tell whether the parts but the first stand in this order up to the end of the line.

    Each is taken at its first place: a later one would only leave less for the others.
    """
    for part in parts[1:-1]:
        place = line.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return len(line) - place >= len(parts[-1]) and line.endswith(parts[-1])


def _fits_from_a_word(parts: Sequence[str], line: str) -> bool:
    """Tell whether the parts match the line, or its end from the beginning of a word on."""
    if _fits(parts, line):
        return True
    first = parts[0]
    if not first.strip():
        return False
    if len(parts) == 1:
        return line.endswith(first) and _begins_word(line, len(line) - len(first))
    place = line.find(first, 1)
    while place >= 0:
        if _begins_word(line, place):
            return _fits_from(parts, line, place + len(first))
        place = line.find(first, place + 1)
    return False


def _begins_word(line: str, place: int) -> bool:
    """Tell whether nothing that stands before a place belongs to what begins there."""
    before, first = line[place - 1], line[place]
    if _is_letter(before):
        return False
    word = line[max(0, place - _LONGEST_WORD) : place].rpartition(" ")[2]
    if first.isdigit():
        # Not the end of a number: 1.5, 1,500, 10:05, 3/5, -5.
        if before in "+-\N{MINUS SIGN}" or (before in ",:/'" and word[-2:-1].isdigit()):
            return False
        return before != "." or word[-2:-1] == "."
    if before in "-./'@_":
        # A test runner may have named the tests before, with a letter each: `..F.Fatal`.
        return not any(map(_is_letter, word)) or not word.strip(".FEsxX")
    return True


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"


# Comparing.


@dataclass(frozen=True)
class Line:
    """A line of an expected output; one that is `quoted` may begin in the middle of a line."""

    parts: tuple[str, ...]
    """What stands between its wildcards."""
    quoted: bool = False

    @classmethod
    def of(cls, expected: str, *, quoted: bool = False) -> "Line":
        """Read a line of the page."""
        return cls(_parts(expected), quoted)

    def matches(self, line: str) -> bool:
        """Tell whether it stands for a line that is as `plain` returns it."""
        return (_fits_from_a_word if self.quoted else _fits)(self.parts, line)


def first_difference(expected: Sequence[str], actual: Sequence[str]) -> int | None:
    """Return the index of the first expected line that the output lacks; None when it matches.

    `len(expected)` means that the output goes on after the last expected line. The time is at most
    the product of both lengths, and linear where the lines of a group have no wildcard.
    """
    return _difference(
        [None if stands_for_lines(line) else Line.of(line) for line in expected], actual
    )


def occurs(expected: Sequence[str], actual: Sequence[str]) -> int | None:
    """Return None when a quote stands somewhere in an output, else the index of a line it lacks.

    Its first line may be the end of a line, from the beginning of a word on: `Fatal: x` stands in
    `....Fatal: x`, but `0 failed` does not stand in `10 failed`. All other lines are whole ones.
    """
    lines = [
        None if stands_for_lines(line) else Line.of(line, quoted=index == 0)
        for index, line in enumerate(expected)
    ]
    found = _difference([None, *lines, None], actual)
    return None if found is None else min(max(found - 1, 0), len(expected) - 1)


def _difference(expected: Sequence[Line | None], actual: Sequence[str]) -> int | None:
    """Do what `first_difference` does; None stands for any lines."""
    groups = list(_groups(expected))
    place = 0
    for number, (start, group) in enumerate(groups):
        last = number == len(groups) - 1
        if number and not last:
            if number == 1:  # not before: a difference may come sooner
                actual = plain_lines(actual)
            found = find(group, actual, place)
            if found.place is None:
                return start + found.most
            place = found.place + len(group)
            continue
        if number:
            if len(actual) - len(group) < place:
                return start
            place = len(actual) - len(group)
        matched = _matched(group, actual, place)
        if matched < len(group):
            return start + matched
        place += len(group)
        if last and place != len(actual):
            return start + len(group)
    return None


def _groups(expected: Sequence[Line | None]) -> Iterator[tuple[int, list[Line]]]:
    """Yield the groups of lines between those that stand for any lines, with their indices."""
    start: int = 0
    group: list[Line] = []
    for index, line in enumerate(expected):
        if line is None:
            yield start, group
            start, group = index + 1, []
        else:
            group.append(line)
    yield start, group


def _matched(group: Sequence[Line], actual: Sequence[str], place: int) -> int:
    """Return how many lines from the start of a group stand at a place."""
    for count, line in enumerate(group):
        if place + count >= len(actual) or not line.matches(plain(actual[place + count])):
            return count
    return len(group)


@dataclass(frozen=True)
class Found:
    """Where the lines of a group stand in an output, or how near to that they come."""

    place: int | None
    nearest: int
    """The place at which most lines from the start of the group stand."""
    most: int
    """How many stand there."""


def find(group: Sequence[Line], actual: Sequence[str], place: int) -> Found:
    """Return the first place, from a place on, at which all lines of a group stand.

    `actual` has lines as `plain` returns them. Bit `n` of the state tells whether the lines up to
    the n-th stand right before the place: so each line of the output is looked at once.
    """
    if not group:
        return Found(place, place, 0)
    marks: dict[Line, int] = {}
    for number, line in enumerate(group):
        marks[line] = marks.get(line, 0) | 1 << number
    matching: dict[str, int] = {}
    state = most = 0
    nearest = place
    while True:
        if not state:
            place = _next_place(group[0], actual, place)
        if place >= len(actual):
            return Found(None, nearest, most)
        text = actual[place]
        if text not in matching:
            if len(matching) >= _MOST_REMEMBERED:
                matching.clear()
            matching[text] = sum(mark for line, mark in marks.items() if line.matches(text))
        state = (state << 1 | 1) & matching[text]
        place += 1
        if state.bit_length() > most:
            most = state.bit_length()
            nearest = place - most
        if most == len(group):
            return Found(nearest, nearest, most)


def _next_place(line: Line, actual: Sequence[str], place: int) -> int:
    """Return the next place at which a line matches, or the output's end."""
    if len(line.parts) == 1 and not line.quoted:
        try:
            return actual.index(line.parts[0], place)
        except ValueError:
            return len(actual)
    longest = max(line.parts, key=len)
    return next(
        (n for n in range(place, len(actual)) if longest in actual[n] and line.matches(actual[n])),
        len(actual),
    )


def plain_lines(lines: Sequence[str]) -> Sequence[str]:
    """Return lines as `plain` returns each; the same object when there is nothing to do."""
    text = "\n".join(lines)
    if "\t" in text or " \n" in text or text.endswith(" "):
        return [plain(line) for line in lines]
    return lines
