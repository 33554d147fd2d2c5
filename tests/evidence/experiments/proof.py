"""The cause, caught in the act: the reproducer under valgrind's memcheck, cut down to what matters.

What is looked for: an invalid write by a thread of gRPC's event engine, into a block that was freed
while a task of the event loop took its last step.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import Unmeasurable
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.markdown import provenance
from tests.evidence.outcome import run
from tests.evidence.records import Record
from tests.evidence.subjects import NEWEST_PYTHON, REPRODUCER

TEXT = "proof.txt"
"""The extract as a file, which a command on a page shows."""
SECONDS = 600.0
STACK = 40
"""Frames that valgrind is to keep of each stack: the task's step is a dozen deep."""

_LINE = re.compile(r"^==\d+== ?")
_PLACE = re.compile(r"^ +(?:at|by) 0x")
_WRITE = re.compile(r"^Invalid write of size (?P<size>\d+)$")
_FREED = re.compile(
    r"^ *Address 0x[0-9a-fA-F]+ is (?P<offset>[\d,]+) bytes inside a block of size "
    r"(?P<block>[\d,]+) free'd$"
)
_THREAD = re.compile(r"^Thread \d+ (?P<name>\S+):$")
_MASK = "0x........"
_FREED_BY = "task_step_impl"
_WRITTEN_BY = "event_engine"


class NoProof(Unmeasurable):
    """valgrind is missing, or its log does not show the write; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Extract:
    """One invalid write of valgrind's log, addresses masked and frames without a name left out."""

    lines: tuple[str, ...]
    thread: str
    size: int
    """Bytes written."""
    offset: int
    """Bytes from the start of the freed block."""
    block: int
    """Bytes that the freed block had."""


def extract(log: str) -> Extract:
    """Find the write in valgrind's log. Raises `NoProof` when it is not there."""
    thread = ""
    lines = [_LINE.sub("", line) for line in log.splitlines() if _LINE.match(line)]
    for number, line in enumerate(lines):
        named = _THREAD.match(line)
        if named:
            thread = named["name"]
        write = _WRITE.match(line)
        if write is None:
            continue
        ends = (n for n in range(number, len(lines)) if not lines[n].strip())
        error = lines[number : next(ends, len(lines))]
        freed = next((found for part in error if (found := _FREED.match(part))), None)
        freed_by = "\n".join(error).partition("free'd")[2].partition("Block was")[0]
        if freed and thread == _WRITTEN_BY and _FREED_BY in freed_by:
            return Extract(
                lines=(f"Thread {thread}:", *_shortened(error)),
                thread=thread,
                size=int(write["size"]),
                offset=int(freed["offset"].replace(",", "")),
                block=int(freed["block"].replace(",", "")),
            )
    if "Invalid write" not in log:
        raise NoProof("valgrind saw no invalid write")
    raise NoProof(
        f"valgrind saw invalid writes, but none by {_WRITTEN_BY} into a block that {_FREED_BY} "
        "freed: does this Python have its symbols?"
    )


def _shortened(error: Sequence[str]) -> list[str]:
    """Mask addresses, shorten paths to file names, and elide frames that say nothing."""
    kept: list[str] = []
    past = False  # past the frame of a stack that matters
    for line in error:
        if not _PLACE.match(line):
            past = False
            kept.append(re.sub(r"0x[0-9a-fA-F]+", _MASK, line))
            continue
        if past or (kept[-1].strip() == "..." and "???" in line):
            continue
        masked = re.sub(r"0x[0-9a-fA-F]+", _MASK, line)
        masked = re.sub(r"\(in \S*/(\S+?)(?:\.cpython\S*)?\)", r"(in \1)", masked)
        repeated_frame = "???" in line and "???" in kept[-1]
        kept.append("   ..." if repeated_frame else masked)
        past = _FREED_BY in line
        if past:
            kept.append("   ...")
    return kept


def prove(bench: Bench) -> Finding:
    """Run the reproducer under memcheck. Raises `NoProof`."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise NoProof("valgrind is not installed: apt-get install valgrind")
    log = bench.environment.python.parents[1] / "valgrind.log"
    ended = run(
        [
            *(valgrind, "--tool=memcheck", f"--num-callers={STACK}", f"--log-file={log}"),
            *(bench.environment.python, REPRODUCER.name),
        ],
        folder=REPRODUCER.parent,
        seconds=SECONDS,
        # Every block is valgrind's own to watch, none is cut from an arena of Python's.
        variables={"PYTHONMALLOC": "malloc"},
    )
    found = extract(log.read_text(encoding="utf-8", errors="replace"))
    version = run([valgrind, "--version"], folder=Path.cwd(), seconds=SECONDS).output.strip()
    return Finding(
        runs=1,
        outcomes={ended.outcome: 1},
        signals={ended.signal: 1} if ended.signal else {},
        facts={
            "valgrind": version.removeprefix("valgrind-"),
            "thread": found.thread,
            "size": found.size,
            "offset": found.offset,
            "block": found.block,
            "extract": list(found.lines),
        },
    )


def _cells(pins: Pins) -> list[Cell]:
    return [
        Cell(
            experiment="proof",
            parameters={"python": NEWEST_PYTHON},
            python=NEWEST_PYTHON,
            packages={"grpcio": pins["grpcio"]},
            runs=1,
            measure=prove,
            inputs=[REPRODUCER],
        )
    ]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    if not records or records[0].unavailable:
        return {"sentence": "Not proven yet: `just prove`.", "measured": "", "extract": ""}
    facts = records[0].facts
    return {
        "sentence": (
            f"valgrind's memcheck sees an invalid write of {facts['size']} bytes by a thread named "
            f"`{facts['thread']}`, at {facts['offset']} bytes inside a block of {facts['block']} "
            f"bytes that was freed under `{_FREED_BY}`, the step of the cancelled task."
        ),
        "extract": "\n".join(
            ["```console", f"$ cat docs/evidence/generated/{TEXT}", *facts["extract"], "```"]
        ),
        "measured": provenance(records, "just prove", valgrind=facts["valgrind"]),
    }


def _texts(records: Sequence[Record]) -> Mapping[str, str]:
    lines = records[0].facts.get("extract", []) if records else []
    return {TEXT: "".join(f"{line}\n" for line in lines)}


EXPERIMENT = Experiment(
    name="proof", cells=_cells, sections=_sections, texts=_texts, on_its_own=True
)
