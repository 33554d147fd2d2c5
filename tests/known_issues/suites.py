"""The suites of the known issues: how each is run, and what its runs show."""

import re
import shlex
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

from mkdocs_blocks.printed import PrintedBlock
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
)

from tests.evidence import outcome
from tests.known_issues.faults import FaultyError, text_of, told

SUITES = "examples/known_issues"
"""The folder of the suites, below the project's root."""
ROOT = Path(__file__).parents[2] / SUITES
PROGRAMS = Path(sys.executable).parent
"""The programs of the project's own environment."""
# What a reader puts before a program, in place of an environment that has it.
LAUNCHER = re.compile(r"\buv run --no-project (?:--with (?:'[^']*'|\S+) )*")
# Variables that change what gRPC does with a server on this machine.
FOREIGN = (
    *("http_proxy", "https_proxy", "grpc_proxy", "no_proxy", "no_grpc_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)


def _python(text: str) -> str:
    if not re.fullmatch(r"3\.[0-9]+", text):
        raise ValueError(f"{text!r} is no version of Python; write one as 3.12")
    return text


def _installs(command: str) -> str:
    if not LAUNCHER.search(command):
        raise ValueError("installs nothing; begin it with uv run --no-project --with pytest==9.1.1")
    return command


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]


class _Written(BaseModel):
    """A run as runs.toml has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    command: Annotated[Text, AfterValidator(_installs)]
    """In the folder of the suite; one command, or several in a row."""
    status: StrictInt
    """The exit status of its last line."""
    message: Texts
    """Literal texts of the output: what is claimed."""
    control: Texts
    """Literal texts of the output, which show that the thing tried was in force."""
    project: StrictBool = True
    """Whether the packages that the project pins show it too."""
    python: Annotated[str, AfterValidator(_python)] = "3.11"
    """The oldest Python that shows it."""


class _Suite(BaseModel):
    """A runs.toml."""

    model_config = ConfigDict(extra="forbid")

    run: Annotated[tuple[_Written, ...], Field(min_length=1)]


_KEYS = {(): ["run"], ("run",): list(_Written.model_fields)}


class Ending(Protocol):
    """How a run ended, as far as it is claimed: a `tests.evidence.outcome.Run`, for one."""

    @property
    def output(self) -> str:
        """Standard output and standard error."""

    @property
    def status(self) -> int | None:
        """The exit status of its last command; None when it had to be ended."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A run that ended by itself."""

    output: str
    status: int


class Run(_Written):
    """One command in the folder of a suite, or several in a row, and what they show."""

    suite: Annotated[Path, Field(repr=False)]

    @property
    def installed(self) -> list[dict[str, str]]:
        """What the launcher of each line installs: packages, each with `==1.0` or other bounds."""
        return [
            dict(re.findall(r"--with '?([\w.-]+)([^ ']*)", launcher[0]))
            for launcher in LAUNCHER.finditer(self.command)
        ]

    def installs(self, pins: Mapping[str, str]) -> bool:
        """Tell whether all that its launchers name are these packages in these versions."""
        return all(
            bounds == f"=={pins.get(name)}"
            for line in self.installed
            for name, bounds in line.items()
        )

    def with_programs(self, folders: Sequence[Path]) -> str:
        """Return the command with a folder of programs in place of each launcher, in their order.

        Raises `ValueError` when there are not as many of them.
        """
        pairs = list(zip(LAUNCHER.finditer(self.command), folders, strict=True))
        command, end = "", 0
        for launcher, folder in pairs:
            command += (
                f'{self.command[end : launcher.start()]}PATH={shlex.quote(str(folder))}:"$PATH" '
            )
            end = launcher.end()
        return command + self.command[end:]

    @property
    def lines(self) -> list[str]:
        """Its commands."""
        return self.command.strip().splitlines()

    def starts(self, commands: Sequence[str]) -> Iterator[int]:
        """Give the indices at which its commands stand among others, one after the other."""
        for start in range(len(commands)):
            if [*commands[start : start + len(self.lines)]] == self.lines:
                yield start

    def lacks(self, ended: Ending) -> list[str]:
        """List what this run should have shown and has not."""
        lacks = [text for text in (*self.message, *self.control) if text not in ended.output]
        return lacks if ended.status == self.status else [f"exit status {self.status}", *lacks]


def on_page(run: Run, blocks: Iterable[PrintedBlock]) -> Ended | None:
    """Return how a run ended in a block of its page; None when no block shows what it promises.

    One that has its commands may have had other files: a page that cures runs some of them twice.
    """
    for block in blocks:
        for start in run.starts([command.text for command in block.commands]):
            commands = block.commands[start : start + len(run.lines)]
            output = "\n".join(command.output for command in commands)
            ended = Ended(output=output, status=commands[-1].status)
            if not run.lacks(ended):
                return ended
    return None


def runs(folder: Path | None = None) -> Iterator[Run]:
    """Give the runs of a suite, or of all, from the runs.toml of each folder.

    Raises `ValueError` with a line for each fault, as `examples/known_issues/x/runs.toml:LINE:
    key: what is wrong; what to write`.
    """
    paths = sorted(ROOT.glob("*/runs.toml")) if folder is None else [folder / "runs.toml"]
    for path in paths:
        try:
            written = _read(text_of(path))
        except FaultyError as faulty:
            name = f"{SUITES}/{path.parent.name}/{path.name}"
            raise ValueError("\n".join(f"{name}:{line}" for line in faulty.lines)) from faulty
        for run in written:
            yield Run(suite=path.parent, **run.model_dump())


def _read(source: str) -> tuple[_Written, ...]:
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        said, _, place = f"{error}".partition(" (at ")
        found = re.match(r"line (\d+)", place)
        line = int(found[1]) if found else source.rstrip().count("\n") + 1
        raise FaultyError(
            [f"{line}: TOML: {said[:1].lower()}{said[1:]}; mend it, or put the text in quotes"]
        ) from error
    try:
        return _Suite.model_validate(data).run
    except ValidationError as error:
        raise FaultyError(told(error.errors(), _lines_of(source), _KEYS)) from error


def _lines_of(source: str) -> dict[tuple[str, ...], int]:
    """Return the line of each key of a TOML text, from 1, by the path of tables and positions.

    A line within a text of several lines can look like a key: then the first one counts.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    tables = 0
    for number, line in enumerate(source.splitlines(), 1):
        if re.match(r"\s*\[\[\s*run\s*\]\]", line):
            table = ("run", f"{tables}")
            tables += 1
            lines.setdefault(("run",), number)
            lines[table] = number
        elif key := re.match(r"\s*\[*\s*([\w-]+)\s*(?:=|\])", line):
            lines.setdefault((*table, key[1]), number)
    return lines


def attempt(run: Run, programs: Sequence[Path], *, seconds: float) -> outcome.Run:
    """Make a run in a folder that has nothing but its suite; nothing that it starts outlives it.

    `programs` has a folder of programs for each launcher of its command: what the launcher would
    install. Raises `tests.evidence.outcome.Lost` when there is no outcome.
    """
    with tempfile.TemporaryDirectory(prefix="issue-") as temporary:
        folder = Path(temporary) / run.suite.name
        shutil.copytree(
            run.suite, folder, ignore=shutil.ignore_patterns("runs.toml", "__pycache__", ".*")
        )
        script = f"unset {' '.join(FOREIGN)}\n{run.with_programs(programs)}"
        return outcome.run(["bash", "-c", script], folder=folder, seconds=seconds, pytest=True)
