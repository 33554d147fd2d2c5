"""The suites of the known issues: how each is run, and what its runs show."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

ROOT = Path(__file__).parents[2] / "examples" / "known_issues"
# What a reader puts before a program, in place of an environment that has it.
LAUNCHER = re.compile(r"\buv run --no-project (?:--with (?:'[^']*'|\S+) )*")


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

    @property
    def in_project(self) -> str:
        """The command for an environment that has what the launcher would install."""
        return LAUNCHER.sub("", self.command)

    def missing(self, status: int, output: str) -> list[str]:
        """List what this run should have shown and has not."""
        lacks = [text for text in (*self.message, *self.control) if text not in output]
        return lacks if status == self.status else [f"exit status {self.status}", *lacks]


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


def shell(command: str, folder: Path, *, patience: float) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader pastes it, with this Python's programs first; give its output.

    Standard error follows standard output. Raises `subprocess.TimeoutExpired` after `patience`
    seconds.
    """
    foreign = re.compile(
        r"PYTEST_|COV_|GRPC_|(?:https?|grpc|no)_proxy$|no_grpc_proxy$", re.IGNORECASE
    )
    environment = {name: text for name, text in os.environ.items() if not foreign.match(name)}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=patience,
        check=False,
    )
