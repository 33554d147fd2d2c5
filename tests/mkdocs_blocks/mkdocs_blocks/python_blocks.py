"""Python blocks: run by pytest-markdown-docs in the page's sandbox, each in a process of its own.

The work is done by `carrier.py`, in the sandbox's own environment. This is the checker's side: it
starts the carrier, tells it what a block is, and tells the page what became of the block.

What a block finds, as in pytest itself:

* It is a test of the page's file, where that lies in the project: the `conftest.py` files from the
  project's root down to the page's folder are in force, and the ini file of the project's root,
  as the page has shown them and as its commands have left them.
* It may ask for a fixture, `fixture="port"`, of any `conftest.py` that the page has shown, in
  whatever folder: then it is a test of that folder. Of two that define it, the one shown last
  counts. Only for that are the `conftest.py` files of other folders loaded.
* An `await` runs in the event loop of pytest-asyncio, and so of the page's fixtures; without
  pytest-asyncio, in one of its own.
* Of `addopts`, only what decides what a test finds is kept (`-p`, `-W`, `-o`, `--import-mode`,
  `--asyncio-mode`): the others are for the project's own runs of its tests.
"""

from __future__ import annotations

import json
import re
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mkdocs_blocks.block import Block, BlockError
from mkdocs_blocks.processes import StartError
from mkdocs_blocks.terminal import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mkdocs_blocks.processes import Service, Supervisor

_PROGRAM = Path(__file__).with_name("carrier.py")

_GRACE = 10.0
"""Seconds beyond a block's that the carrier has to answer: it watches the time limit itself."""

_UNTOLD = 120
"""Exit status by which `carrier.py` says that a block has closed the pipe of its report."""

_ATTEMPTS = 3
"""How often pytest is configured anew for one block, when files change while it is done."""

_MOST_LINES = 40
"""Lines of what a block printed that a failure shows at the most, from the end."""


_Json = dict[str, Any]


class ConftestError(BlockError):
    """A `conftest.py` or an ini file that pytest cannot be configured with."""

    def __init__(
        self, line: int, title: str, message: str, details: Sequence[str] = (), at: int = 0
    ) -> None:
        """Keep, beside what `BlockError` keeps, the file and its line `at`; 0: not known.

        `line` is the page's line of the block that could not be run for it.
        """
        super().__init__(line, f"{title}: {message}", details)
        self.title = title
        self.at = at


_LOST = {
    "time": "stopped the process that carries it",
    "output": "printed more than the checker keeps",
}


class SandboxLike(Protocol):
    """What is needed of a page's sandbox."""

    @property
    def root(self) -> Path: ...  # noqa: D102 - its name says it
    @property
    def python(self) -> Path: ...  # noqa: D102 - its name says it
    @property
    def environment(self) -> Mapping[str, str]: ...  # noqa: D102 - its name says it


class BareCarrier:
    """A carrier and what it costs to start one: it serves one page after the other.

    It starts with the first block. Pages whose sandboxes use the checker's own environment share
    one; the others each have their own.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        """Start nothing yet."""
        self._supervisor = supervisor
        self._service: Service | None = None
        self.serves: object = None
        """The page whose template waits for blocks."""

    def start(self, page: object, sandbox: SandboxLike, request: _Json, seconds: float) -> _Json:
        """Let pytest be configured for a page; the answer tells how that ended."""
        self.end(self.serves)
        if self._service is None:
            # In no sandbox and with no variable of one: it may outlive the page.
            own = str(sandbox.root.parent)
            variables = {k: v for k, v in sandbox.environment.items() if own not in v}
            program = [sandbox.python, _PROGRAM]
            try:
                self._service = self._supervisor.serve(
                    program, folder=Path("/"), variables=variables
                )
            except StartError as error:
                return {"missing": f"{sandbox.python}: {error}", "left": ()}
        answer = self.ask(request | {"do": "start"}, seconds)
        if answer.get("report") is not None:
            self.serves = page
        return answer

    def ask(self, request: _Json, seconds: float) -> _Json:
        """Return the answer to a request; `lost` in it tells why there is none."""
        if self._service is None:
            return {"lost": "could not be run: what carries it has ended", "left": ()}
        nonce = secrets.token_hex(16)
        request |= {"nonce": nonce, "seconds": seconds}
        got = self._service.ask(json.dumps(request).encode(), seconds=seconds + _GRACE)
        answer: _Json = {}
        try:
            answer = json.loads(got.line)
        except ValueError:
            answer = {"lost": _LOST.get(got.trouble, "ended the process that carries it")}
        if not {"missing", "lost"} & answer.keys() and answer.get("nonce") != nonce:
            answer = {"lost": "ended the process that carries it"}
        if "lost" in answer or "missing" in answer:
            self.close()
        return answer | {"left": got.left}

    def end(self, page: object) -> tuple[str, ...]:
        """End the template of a page, if it still waits; return what it has left behind."""
        if page is None or self.serves is not page:
            return ()
        self.serves = None
        left = self.ask({"do": "end"}, _GRACE)["left"]
        # By the time that the carrier answers again, the template is gone.
        return (*left, *self.ask({"do": "end"}, _GRACE)["left"])

    def close(self) -> None:
        """End the carrier; the next block starts another one."""
        self.serves = None
        if self._service is not None:
            service, self._service = self._service, None
            service.close()


class PythonBlocks:
    """Runs the Python blocks of one page."""

    def __init__(
        self, sandbox: SandboxLike, supervisor: Supervisor, *, bare: BareCarrier | None = None
    ) -> None:
        """Share `bare` if the sandbox has no environment of its own; start nothing yet."""
        shares = bare is not None and Path(sandbox.python) == Path(sys.executable)
        self._sandbox = sandbox
        self._carrier = bare if bare is not None and shares else BareCarrier(supervisor)
        self._shares = shares

    def close(self) -> tuple[str, ...]:
        """End what waits for more blocks of the page; return what its `conftest.py` has left."""
        left = self._carrier.end(self)
        if not self._shares:
            self._carrier.close()
        return left

    def run(self, block: Block, *, page: str, conftests: Sequence[str], seconds: float) -> str:
        """Run a block once, and return what it printed.

        `page` is the page's name, `conftests` are the titles of the `conftest.py` files that it has
        shown before the block, in their order; a block may take `seconds`.

        Raises `BlockError` when the block did not come to its end without a fault, or left a
        process; `ConftestError` when pytest could not be configured for it.
        """
        fixtures = re.findall(r"[^\s,]+", block.options.get("fixture", ""))
        about: _Json = {"page": page, "conftests": list(conftests) if fixtures else []}
        answer: _Json = {"stale": "a file"}
        for _ in range(_ATTEMPTS):
            if self._carrier.serves is not self:
                self._configure(block, about, conftests, seconds)
            answer = self._carrier.ask(
                {
                    "do": "run",
                    **about,
                    "text": block.text,
                    "line": block.line,
                    "lines_at": [block.at(index) for index in range(len(block.lines))],
                    "fixtures": fixtures,
                },
                seconds,
            )
            if "stale" not in answer:
                return self._judge(block, answer, seconds)
            left = self._carrier.end(self)
            if left:
                title = next(reversed(conftests), "conftest.py")
                raise ConftestError(block.line, title, f"left a process behind: {', '.join(left)}")
            if answer["stale"] == "packages":
                self._carrier.close()
        raise BlockError(block.line, f"{answer['stale']} changes all the time")

    def _configure(
        self, block: Block, about: _Json, conftests: Sequence[str], seconds: float
    ) -> None:
        sandbox = self._sandbox
        request = about | {
            "root": str(sandbox.root),
            "environment": dict(sandbox.environment),
        }
        answer = self._carrier.start(self, sandbox, request, seconds)
        if "missing" in answer:
            raise BlockError(
                block.line,
                "Python blocks need pytest 8 or later and pytest-markdown-docs in the sandbox "
                f"({answer['missing']}): add pytest-markdown-docs to what the site's install "
                "command installs",
            )
        if "lost" in answer:
            answer |= {"report": None, "trouble": "lost", "dump": "", "printed": "", "status": None}
        if answer["left"]:
            answer |= {"report": None, "trouble": "left"}
        if answer.get("stale"):
            self._carrier.close()
            self._configure(block, about, conftests, seconds)
        elif answer["report"] is None:
            self._blame(block, conftests, answer, seconds)

    def _judge(self, block: Block, answer: _Json, seconds: float) -> str:
        """Return what a block printed if it came to its end; raise if not."""
        if "lost" in answer:
            raise BlockError(block.line, f"the block {answer['lost']}", answer["left"])
        report = answer["report"]
        printed: str = answer["printed"]
        left = [f"it left a process behind: {line}" for line in answer["left"]]
        if report and report.get("ok") and answer["status"] == 0 and not answer["trouble"]:
            if left:
                raise BlockError(block.line, left[0].replace("it", "the block", 1), left[1:])
            return printed
        line = answer.get("line") or block.line
        details: list[str] = []
        if answer["trouble"] or not report or report.get("ok"):
            message = f"the block {_ending(answer, seconds)}"
        else:
            line = report["line"] or block.line
            message, details = report["message"], report["details"]
        raise BlockError(line, message, [*details, *left, *_tail(printed)])

    def _blame(self, block: Block, conftests: Sequence[str], answer: _Json, seconds: float) -> None:
        """Raise for the file for which pytest could not be configured."""
        self._carrier.end(self)
        said = answer["dump"] + answer["printed"]
        for root in {str(self._sandbox.root.resolve()), str(self._sandbox.root)}:
            said = said.replace(f"{root}/", "")
        # The frames outside of the sandbox tell nothing: they are those of an import.
        said = re.sub(
            r'^  File "[</].*\n|^/.*:\d+: in .*\n(?:    .*\n)*', "", said, flags=re.MULTILINE
        )
        named = _CONFTEST.search(said) or _INI.search(said)
        title = named[0] if named else next(reversed(conftests), "pytest")
        places = re.findall(rf'{re.escape(title)}(?:", line |:)(\d+)', said)
        crashed = bool(answer["dump"]) or answer["trouble"]
        at = int(places[0 if crashed else -1]) if places else 0
        lines = [line for line in said.splitlines() if line.strip()]
        if answer["trouble"] or (answer["status"] or 0) <= 0 or not lines:
            message = _ending(answer, seconds)
        else:
            errors = [line[1:].strip() for line in lines if line.startswith("E  ")]
            if not errors:
                message = lines[-1].removeprefix("ERROR: ").removeprefix("INTERNALERROR> ")
            else:
                message = errors[-1 if errors[0].startswith("File ") else 0]
        raise ConftestError(block.line, title, message, _tail(said), at)


_CONFTEST = re.compile(r"(?:[^\s'\":/]+/)*conftest\.py")
_INI = re.compile(r"\.?pytest\.(?:ini|toml)|pyproject\.toml|tox\.ini|setup\.cfg")


def _ending(answer: _Json, seconds: float) -> str:
    """Tell how a process ended that did not report."""
    status = answer["status"]
    troubles = {
        "lost": answer.get("lost"),
        "left": f"left a process behind: {', '.join(answer['left'])}",
        "time": f"did not end within {seconds:g} s",
        "output": "printed more than 8 MiB",
    }
    if answer["trouble"]:
        return str(troubles[answer["trouble"]])
    if status == _UNTOLD:
        return "closed the pipe by which its end is told"
    if status is not None and status < 0:
        names = {number.value: number.name for number in signal.Signals}
        return f"was ended by {names.get(-status, f'signal {-status}')}"
    return f"ended its process with status {status} before its end"


def _tail(printed: str) -> list[str]:
    """Return the last lines that were printed, as a terminal shows them."""
    lines = shown(printed)
    if not any(lines):
        return []
    hidden = len(lines) - _MOST_LINES
    more = [f"({hidden} lines before this)"] if hidden > 0 else []
    return ["It printed:", *more, *lines[-_MOST_LINES:]]
