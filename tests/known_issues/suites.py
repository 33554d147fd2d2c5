"""The suites of the known issues: how each is run, and what its runs show."""

import re
import shlex
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

from tests.evidence.outcome import Run as Ended
from tests.evidence.outcome import run as execute

ROOT = Path(__file__).parents[2] / "examples" / "known_issues"
PROGRAMS = Path(sys.executable).parent
"""The programs of the project's own environment."""
# What a reader puts before a program, in place of an environment that has it.
LAUNCHER = re.compile(r"\buv run --no-project (?:--with (?:'[^']*'|\S+) )*")
# Variables that change what gRPC does with a server on this machine.
FOREIGN = (
    *("http_proxy", "https_proxy", "grpc_proxy", "no_proxy", "no_grpc_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)


@dataclass(frozen=True)
class Run:
    """One command in the folder of a suite, or several in a row, and what they show.

    `message` and `control` are literal texts of the output: what is claimed, and what shows that
    the thing tried was in force. `status` is the exit status of the last line of `command`;
    `python` the oldest Python that shows it; `project`, whether the packages that the project
    pins show it too.
    """

    suite: Path = field(repr=False)
    name: str
    command: str
    status: int
    message: tuple[str, ...]
    control: tuple[str, ...]
    project: bool = True
    python: str = "3.11"

    @property
    def installed(self) -> list[dict[str, str]]:
        """What the launcher of each line installs: packages, each with `==1.0` or other bounds."""
        return [
            dict(re.findall(r"--with '?([\w.-]+)([^ ']*)", launcher[0]))
            for launcher in LAUNCHER.finditer(self.command)
        ]

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

    def lacks(self, ended: Ended) -> list[str]:
        """List what this run should have shown and has not."""
        lacks = [text for text in (*self.message, *self.control) if text not in ended.output]
        return lacks if ended.status == self.status else [f"exit status {self.status}", *lacks]


def runs(folder: Path | None = None) -> Iterator[Run]:
    """Give the runs of a suite, or of all, from the runs.toml of each folder.

    Raises `ValueError`, which names the file, the run and the key, where one is missing or unknown.
    """
    paths = sorted(ROOT.glob("*/runs.toml")) if folder is None else [folder / "runs.toml"]
    for path in paths:
        for entry in tomllib.loads(path.read_text())["run"]:
            unknown = entry.keys() - {key.name for key in fields(Run) if key.name != "suite"}
            missing = {key.name for key in fields(Run) if key.default is MISSING} - entry.keys()
            if wrong := sorted(unknown | missing - {"suite"}):
                raise ValueError(f"{path}: the run {entry.get('name')!r}: {', '.join(wrong)}?")
            message, control = (tuple(entry.pop(key)) for key in ("message", "control"))
            yield Run(suite=path.parent, message=message, control=control, **entry)


def attempt(run: Run, programs: Sequence[Path], *, seconds: float) -> Ended:
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
        return execute(["bash", "-c", script], folder=folder, seconds=seconds, pytest=True)
