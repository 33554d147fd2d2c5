"""What is done with each kind of block, and what counts as a failure."""

import ast
import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.docs.checker.page import Block, Kind, Site
from tests.docs.checker.sandbox import Run, Sandbox, Session
from tests.docs.checker.transcript import (
    ANY_LINES,
    ANY_TEXT,
    Command,
    accept,
    commands,
    difference,
    first_difference,
    occurs,
)

STATUS_QUESTION = "echo $?"
"""The command that lets the one before it fail: the reader sees the status as its output."""

MOST_LINES = 60
"""Lines of an output that a failure shows at the most, from its end."""

_PYTEST_FILES = frozenset({"pytest.ini", "pytest.toml", "pyproject.toml", "setup.cfg", "tox.ini"})
_UNKNOWN_OPTION = re.compile(r"Unknown config option: (?P<key>\S+)")
_PYTEST_USAGE_ERROR = 4
_SCRIPT_LINE = "docs-checker: stopped at line "


class BlockError(Exception):
    """A block that is not true; the message starts with `page.md:line`."""


@dataclass(frozen=True)
class Edit:
    """New lines for an expected output: from the page's line `first` to `last`, both included."""

    first: int
    last: int
    lines: tuple[str, ...]


@dataclass(kw_only=True)
class PageRun:
    """The state that the blocks of one page share: its sandbox, and what its commands printed."""

    site: Site
    name: str
    """The page's path below the project, as failures name it."""
    blocks: tuple[Block, ...]
    seconds: float
    cache: Path
    """A folder of this process alone, for what mypy knows from one block to the next."""
    bless: bool = False
    edits: list[Edit] = field(default_factory=list)
    _sandbox: Sandbox | None = None
    _printed: dict[int, list[str]] = field(default_factory=dict)
    _written: list[Block] = field(default_factory=list)

    @property
    def sandbox(self) -> Sandbox:
        """Return the page's sandbox, made when the first block needs it."""
        if self._sandbox is None:
            self._sandbox = Sandbox(self.site.root)
        return self._sandbox

    def close(self) -> None:
        """Remove the sandbox."""
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    def check(self, block: Block) -> None:
        """Run or check one block, after the files that the blocks before it show were written.

        Python blocks and excused ones are not judged here.

        Raises `BlockError` when the block is not true, `SandboxError` when it cannot be tried.
        """
        self.enter(block)
        judges = {
            Kind.CONSOLE: self._console,
            Kind.SCRIPT: self._script,
            Kind.FILE: self._file,
            Kind.EXCERPT: self._excerpt,
            Kind.QUOTE: self._quote,
            Kind.MARKDOWN: self._markdown,
        }
        judges[block.kind](block)

    def enter(self, block: Block) -> Path:
        """Return the sandbox's root with the files in it that the blocks before this one show."""
        written = {file.line for file in self._written}
        for earlier in self.blocks:
            shown = earlier.kind is Kind.FILE and earlier.line < block.line
            if shown and earlier.line not in written:
                self._write(earlier)
        return self.sandbox.root

    def _fail(self, line: int, what: str, details: Sequence[str] = ()) -> BlockError:
        return BlockError("\n".join([f"{self.name}:{line}: {what}", *details]))

    # Commands.

    def _console(self, block: Block) -> None:
        asked = commands(block)
        if not isinstance(asked, list):
            raise self._fail(asked.line, asked.message)
        session = self._run(block, [command.text for command in asked])
        for number, (command, run) in enumerate(zip(asked, session.runs, strict=False)):
            line = block.at(command.index)
            may_fail = number + 1 < len(asked) and asked[number + 1].text == STATUS_QUESTION
            if run.status and not may_fail:
                raise self._fail(
                    line,
                    f"`{command.short}` exited with status {run.status}; "
                    f"if it should, let the next command be `$ {STATUS_QUESTION}`",
                    [*_tail(run.lines), *self._named_lines(run.lines)],
                )
            self._compare(block, command, run)
        if session.trouble:
            culprit = asked[min(len(session.runs), len(asked) - 1)]
            raise self._fail(
                block.at(culprit.index),
                f"`{culprit.short}` {session.trouble}",
                _tail(session.unfinished),
            )

    def _run(self, block: Block, texts: Sequence[str]) -> Session:
        session = self.sandbox.run(texts, seconds=self.seconds)
        self._printed[block.line] = [line for run in session.runs for line in run.lines]
        self._printed[block.line] += session.unfinished
        return session

    def _compare(self, block: Block, command: Command, run: Run) -> None:
        expected = list(command.output)
        while expected and not expected[-1].strip():
            expected.pop()
        differs = first_difference(expected, run.lines)
        if differs is None:
            return
        if self.bless and block.literal:
            first = block.at(command.index) + command.text.count("\n") + 1
            self.edits.append(
                Edit(
                    first,
                    first + len(expected) - 1,
                    tuple(
                        f"{block.prefix}{line}".rstrip()
                        for line in accept(expected, run.lines, self.sandbox.places)
                    ),
                )
            )
            return
        index = (
            command.output_index + min(differs, len(expected) - 1) if expected else command.index
        )
        raise self._fail(
            block.at(index),
            f"`{command.short}` printed something else (- the page, + the run)",
            [*_tail(difference(expected, run.lines)), *self._named_lines(run.lines)],
        )

    def _named_lines(self, lines: Sequence[str]) -> Iterator[str]:
        """Yield the page's line of each line of a file block that an output names."""
        shown = {block.title: block for block in self._written}
        for title, block in shown.items():
            pattern = re.compile(rf'\b{re.escape(Path(title).name)}(?::|", line )(?P<line>\d+)')
            named = {int(found["line"]) for line in lines for found in pattern.finditer(line)}
            for number in sorted(named):
                if number <= len(block.lines):
                    yield (
                        f"{self.name}:{block.at(number - 1)}: "
                        f"this is line {number} of {title}, which the output names"
                    )

    def _script(self, block: Block) -> None:
        trap = f"trap 'echo \"{_SCRIPT_LINE}$((LINENO - 1))\"' ERR\n"
        name = f".docs-checker-{block.line}.sh"
        self.sandbox.write(name, trap + block.text)
        session = self._run(block, [f"bash -eE {name}"])
        (self.sandbox.root / name).unlink(missing_ok=True)
        if session.trouble:
            raise self._fail(block.line, f"the script {session.trouble}", session.unfinished)
        (run,) = session.runs
        if run.status:
            stopped = [line for line in run.lines if line.startswith(_SCRIPT_LINE)]
            index = int(stopped[0].removeprefix(_SCRIPT_LINE)) - 1 if stopped else 0
            printed = [line for line in run.lines if not line.startswith(_SCRIPT_LINE)]
            raise self._fail(
                block.at(index),
                f"`{block.lines[index].strip()}` exited with status {run.status}",
                _tail(printed),
            )

    # Files.

    def _write(self, block: Block) -> None:
        self.sandbox.write(block.title, block.text)
        self._written.append(block)

    def _file(self, block: Block) -> None:
        self._write(block)
        name = Path(block.title)
        match block.language:
            case "python":
                self._check_python(block)
            case "json" | "toml" | "yaml":
                self._check_syntax(block)
            case "markdown":
                self._markdown(block)
        if name.name in _PYTEST_FILES:
            self._check_pytest_options(block)
        wanted = {name.name, name.stem, name.parts[0]}
        if name.name in _PYTEST_FILES | {"conftest.py"}:
            wanted |= {"pytest"}
        later = [
            other.text
            for other in self.blocks
            if other.line > block.line and other.kind in {Kind.CONSOLE, Kind.SCRIPT}
        ]
        if not any(word in text for word in wanted for text in later):
            raise self._fail(
                block.line,
                f"no later command on this page uses {block.title}: show one that does",
            )

    def _check_python(self, block: Block) -> None:
        try:
            ast.parse(block.text)
        except SyntaxError as error:
            raise self._fail(
                block.at((error.lineno or 1) - 1), f"{block.title} does not parse: {error.msg}"
            ) from None
        # Types find the name that no test reaches, at its line.
        done = self.sandbox.python(
            *("-m", "mypy", "--config-file=", "--check-untyped-defs", "--ignore-missing-imports"),
            *("--follow-imports=silent", "--no-error-summary", "--no-color-output"),
            "--disable-error-code=var-annotated",
            f"--cache-dir={self.cache}",
            block.title,
        )
        for line in done.stdout.splitlines():
            found = re.match(rf"{re.escape(block.title)}:(\d+): error: (.*)", line)
            if found:
                raise self._fail(block.at(int(found[1]) - 1), f"{block.title}: {found[2]}")
        if done.returncode:
            raise self._fail(block.line, f"mypy cannot read {block.title}", _tail(done.stdout))

    def _check_syntax(self, block: Block) -> None:
        try:
            match block.language:
                case "json":
                    json.loads(block.text)
                case "toml":
                    tomllib.loads(block.text)
                case "yaml":
                    list(yaml.parse(block.text))
        except (json.JSONDecodeError, tomllib.TOMLDecodeError, yaml.YAMLError) as error:
            raise self._fail(
                block.at(_line_of(error)), f"{block.title} is not valid {block.language}: {error}"
            ) from None

    def _check_pytest_options(self, block: Block) -> None:
        """Let pytest read the file: with its neighbours, whose plugins may add options."""
        for index, line in enumerate(block.lines):
            # What stands in any other section, pytest passes over without a word.
            if Path(block.title).name == "pytest.ini" and re.match(r"\[(?!pytest\])", line):
                raise self._fail(
                    block.at(index), f"pytest.ini has just one section, [pytest], and not {line}"
                )
        printed = self._refusal(block)
        unknown = _UNKNOWN_OPTION.search(printed)
        if unknown:
            key = re.compile(rf"\s*{re.escape(unknown['key'])}\b")
            index = next((n for n, line in enumerate(block.lines) if key.match(line)), 0)
            raise self._fail(
                block.at(index), f"no installed pytest plugin knows the option {unknown['key']!r}"
            )
        # What a conftest.py does wrong is told at its own block.
        if printed and (printed := self._refusal(block, "--noconftest")):
            raise self._fail(block.line, f"pytest refuses {block.title}", _tail(printed))

    def _refusal(self, block: Block, *arguments: str) -> str:
        """Return what pytest says when it does not start with this configuration."""
        folder = str((self.sandbox.root / block.title).parent)
        done = self.sandbox.python(
            *("-m", "pytest", "--strict-config", "--collect-only", "-q", "-p", "no:cacheprovider"),
            *("-c", block.title, "--rootdir", folder, *arguments, folder),
        )
        return done.stdout if done.returncode == _PYTEST_USAGE_ERROR else ""

    def _excerpt(self, block: Block) -> None:
        actual = (self.site.root / block.title).read_text(encoding="utf-8").splitlines()
        expected = [
            ANY_LINES if line.strip() in {ANY_LINES, f"# {ANY_LINES}"} else line
            for line in block.lines
        ]
        while expected and not expected[-1].strip():  # a snippet brings one
            expected.pop()
        differs = occurs(expected, actual)
        if differs is not None:
            line = expected[differs]
            close = difflib.get_close_matches(line, actual, n=1, cutoff=0.5)
            raise self._fail(
                block.at(differs),
                f"{block.title} has no such line here: {line.strip()!r}",
                [f"- {line}", *(f"+ {similar}" for similar in close)],
            )
        if block.language == "toml":
            self._check_tables(block, [line for line in expected if line != ANY_LINES])

    def _check_tables(self, block: Block, lines: Sequence[str]) -> None:
        """Hold the excerpt's keys to the file's tables: the right line under a wrong table."""
        try:
            shown = tomllib.loads("\n".join(lines))
        except tomllib.TOMLDecodeError as error:
            raise self._fail(block.line, f"the excerpt is not valid TOML: {error}") from None
        whole = tomllib.loads((self.site.root / block.title).read_text(encoding="utf-8"))
        wrong = _not_within(shown, whole)
        if wrong:
            raise self._fail(
                block.line, f"{block.title} has no {'.'.join(wrong)}, or another value there"
            )

    def _quote(self, block: Block) -> None:
        for other in self.blocks:
            if other.line in self._printed:
                continue
            if other.kind is Kind.CONSOLE:
                asked = commands(other)
                if isinstance(asked, list):
                    self._run(other, [command.text for command in asked])
        # The output of a test runner goes on in the line in which it has named the test.
        quoted = [f"{ANY_TEXT}{block.lines[0]}", *block.lines[1:]]
        wrong = [occurs(quoted, printed) for printed in self._printed.values()]
        if None in wrong:
            return
        reached = max((index for index in wrong if index is not None), default=0)
        seen = [line for printed in self._printed.values() for line in printed]
        close = difflib.get_close_matches(block.lines[reached], seen, n=1, cutoff=0.5)
        raise self._fail(
            block.at(reached),
            f"no command of this page printed {block.lines[reached]!r} here",
            [f"+ {line}" for line in close],
        )

    def _markdown(self, block: Block) -> None:
        faults = self.site.parse(block.text).faults
        if faults:
            raise self._fail(block.at(faults[0].line - 1), faults[0].message)


def rewrite(page: Path, edits: Sequence[Edit]) -> None:
    """Put the accepted outputs into the page, the last one first so that lines stay in place."""
    lines = page.read_text(encoding="utf-8").split("\n")
    for edit in sorted(edits, key=lambda edit: edit.first, reverse=True):
        lines[edit.first - 1 : edit.last] = edit.lines
    page.write_text("\n".join(lines), encoding="utf-8")


def _tail(lines: str | Sequence[str]) -> list[str]:
    """Return the last lines of an output, and how many are not shown."""
    shown = lines.splitlines() if isinstance(lines, str) else list(lines)
    hidden = len(shown) - MOST_LINES
    return [f"({hidden} lines before this)", *shown[-MOST_LINES:]] if hidden > 0 else shown


def _line_of(error: Exception) -> int:
    """Return the line, from 0, at which a parser stopped."""
    if isinstance(error, json.JSONDecodeError):
        return error.lineno - 1
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return int(error.problem_mark.line)
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) - 1 if found else 0


def _not_within(shown: object, whole: object) -> list[str]:
    """Return the path of the first value that `whole` lacks; lists may leave entries out."""
    if isinstance(shown, dict) and isinstance(whole, dict):
        for key, value in shown.items():
            if key not in whole:
                return [key]
            wrong = _not_within(value, whole[key])
            if wrong:
                return [key, *(wrong if wrong != ["="] else [])]
        return []
    if isinstance(shown, list) and isinstance(whole, list):
        rest = iter(whole)
        return [] if all(any(entry == other for other in rest) for entry in shown) else ["="]
    return [] if shown == whole else ["="]
