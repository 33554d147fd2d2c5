"""Whether the blocks of an issue's page show it: a run that fails, one that is cured, and no other.

Each command of the page that installs something is a run of the suite, so what a reader sees is
what `just evidence issues` measures.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.known_issues import suites
from tests.known_issues.faults import FaultyError, text_of
from tests.known_issues.front_matter import PAGES, TODO
from tests.known_issues.suites import Run

_BLOCK = re.compile(r"^( *)```console *\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A command in a console block of a page, and what the page says that it prints."""

    line: int
    """Where it stands, from 1."""
    command: str
    output: str


def faults(project: Path) -> list[str]:
    """Return what the pages of the issues that have a suite do not show, a line for each.

    A line is `docs/known-issues/x.md:LINE: what is missing; what to write`, or one of a fault in
    a runs.toml; see `suites.runs`. A page that cannot be read is told by `front_matter.faults`.
    """
    found = []
    for path in sorted((project / suites.SUITES).glob("*/runs.toml")):
        page = project / PAGES / f"{path.parent.name}.md"
        try:
            runs = list(suites.runs(path.parent))
            text = text_of(page) if page.exists() else None
        except ValueError as fault:
            found += f"{fault}".splitlines()
        except FaultyError:
            continue
        else:
            if text is not None:
                told = _faults(text, path.parent, runs)
                found += [f"{PAGES}/{page.name}:{line}" for line in told]
    return found


def _faults(text: str, folder: Path, runs: Sequence[Run]) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(TODO):
            yield f"{number}: is not written yet; write {line.removeprefix(TODO)}"
    blocks = [list(_commands(text, block)) for block in _BLOCK.finditer(text)]
    for word, heading in (("fails", "Reproducer"), ("cured", "Cure")):
        of_word = [run for run in runs if word in run.name]
        if not of_word:
            yield (
                f"{_line_of(text, heading)}: no run of the suite {_VERBS[word]}; name one "
                f"{word!r} in {suites.SUITES}/{folder.name}/runs.toml"
            )
        elif not any(_shows(block, run) for block in blocks for run in of_word):
            yield (
                f"{_line_of(text, heading)}: no block shows a run that {_VERBS[word]}; write a "
                f"console block with the command of {' or '.join(repr(r.name) for r in of_word)}, "
                "its message, its control and `$ echo $?`"
            )
    known = {line for run in runs for line in run.lines}
    for shown in (shown for block in blocks for shown in block):
        if "uv run" in shown.command and shown.command not in known:
            yield (
                f"{shown.line}: this command is no run of the suite; write it into "
                f"examples/known_issues/{folder.name}/runs.toml too"
            )


_VERBS = {"fails": "fails", "cured": "is cured"}


def _line_of(text: str, heading: str) -> int:
    """Return the line of a heading, from 1; that of the first heading where it is missing."""
    found = re.search(rf"^## {heading}$", text, re.MULTILINE) or re.search(
        r"^# ", text, re.MULTILINE
    )
    return text[: found.start()].count("\n") + 1 if found else 1


def _commands(text: str, block: re.Match[str]) -> Iterator[Shown]:
    indent, body = block[1], block[2]
    first = text[: block.start(2)].count("\n") + 1
    lines = [line.removeprefix(indent) for line in body.splitlines()]
    starts = [n for n, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Shown(
            line=first + start,
            command=lines[start].removeprefix("$ "),
            output="\n".join(lines[start + 1 : end]),
        )


def _shows(block: Sequence[Shown], run: Run) -> bool:
    """Tell whether a block has the commands of a run, its message, its control and its status."""
    commands = [shown.command for shown in block]
    for start in run.starts(commands):
        end = start + len(run.lines)
        output = block[end - 1].output
        status = block[end].output if commands[end : end + 1] == ["echo $?"] else "0"
        return (
            any(text.strip() in output for text in run.message)
            and any(text.strip() in output for text in run.control)
            and status.strip() == f"{run.status}"
        )
    return False
