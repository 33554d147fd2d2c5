"""The cause, caught in the act, and its cures: under valgrind's memcheck.

Of the reproducer's errors the one is shown that matters: an invalid write by a thread of gRPC's
event engine, into a block that was freed while a task of the event loop took its last step. Of the
cures, and of each way to leak a server, the errors are counted, before and after.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.evidence.campaign import Bench, Cell, Finding
from tests.evidence.environments import Unmeasurable
from tests.evidence.experiment import Experiment, Pins
from tests.evidence.leaks import Leak, survivors, ways_to_leak
from tests.evidence.markdown import NOT_MEASURED, listing, provenance, share, table
from tests.evidence.outcome import Outcome, Run, run
from tests.evidence.records import Record, find, where
from tests.evidence.sessions import Session, repeated, suite_session
from tests.evidence.subjects import (
    GUARD,
    LEAKING_SUITE,
    MODES,
    NEWEST_PYTHON,
    PINNED,
    PLUGINS,
    REPRODUCER,
)

TEXT = "proof.txt"
"""The extract as a file, which a command on a page shows."""
SECONDS = 450.0
"""Under valgrind a session takes half a minute, on a busy machine five; what then runs on hangs."""
STACK = 40
"""Frames that valgrind is to keep of each stack: the task's step is a dozen deep."""

PATIENCE = PLUGINS / "patience.py"
SCRIPTS = "scripts"
"""The group of the cells that run a script; the others have the names of the ways to leak."""
CURES = {REPRODUCER: "stopped", PINNED: "pinned"}
"""The scripts, each with the option that cures it."""

# Every block is valgrind's own to watch, none is cut from an arena of Python's.
_VARIABLES = {"PYTHONMALLOC": "malloc"}
_SUMMARY = re.compile(r"^==(\d+)== ERROR SUMMARY: (\d+) errors from (\d+) contexts", re.MULTILINE)
_ENDED_BY_US = "Process terminating with default action of signal 15 (SIGTERM)"
# What a leak is said to be of, by its group.
_GROUPS = {
    "variants": "The ordinary ones",
    "loops": "Who closes the loop",
    "keepers": "What keeps the server",
    "stops": "Its stop",
}
# What is said of a process beside its errors, if it has not come to its end.
_ENDED = {
    "hung": "it hangs",
    "crashed": "it crashes",
    "broke": "it ends in an INTERNALERROR",
    "refused": "it does not run",
}
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


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A process that has run under memcheck."""

    ended: Run | Session
    outcome: Outcome
    errors: int
    contexts: int
    """The places that the errors are of: what valgrind shows of each once."""
    log: str

    @property
    def finding(self) -> Finding:
        """What a record has of it."""
        return Finding(
            runs=1,
            outcomes={self.outcome: 1},
            signals=repeated([self.ended])["signals"],
            facts={"errors": self.errors, "contexts": self.contexts, "valgrind": _version()},
        )


def watched(
    run_under: Callable[[Sequence[str | Path], Mapping[str, str]], Run | Session],
    *,
    seconds: float = SECONDS,
) -> Watched:
    """Run something under memcheck: it is given what to put before its command, and variables.

    What has not ended by then is asked to: so valgrind still counts its errors. Raises `NoProof`.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise NoProof("valgrind is not installed: apt-get install valgrind")
    with tempfile.TemporaryDirectory(prefix="evidence-") as temporary:
        log = Path(temporary, "valgrind.log")
        ended = run_under(
            [
                *("timeout", "--signal=TERM", f"{seconds:g}"),
                *(valgrind, "--tool=memcheck", f"--num-callers={STACK}", f"--log-file={log}"),
            ],
            _VARIABLES,
        )
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    # A child that the process forks has a summary of its own.
    main = text.partition("==")[2].partition("==")[0]
    counted = [found for found in _SUMMARY.finditer(text) if found[1] == main]
    if not counted:
        raise NoProof(f"valgrind has not come to its end:\n{text or ended.output}")
    return Watched(
        ended=ended,
        outcome=Outcome.HUNG if _ENDED_BY_US in text else ended.outcome,
        errors=int(counted[-1][2]),
        contexts=int(counted[-1][3]),
        log=text,
    )


def _version() -> str:
    said = run(["valgrind", "--version"], folder=Path.cwd(), seconds=SECONDS).output
    return said.strip().removeprefix("valgrind-")


def _script(bench: Bench, script: Path, mode: str) -> Finding:
    """Run a script; of the reproducer as it is, find the write too."""
    options = [] if mode == "plain" else [f"--{mode}"]
    seen = watched(
        lambda under, variables: run(
            [*under, bench.environment.python, script.name, *options],
            folder=script.parent,
            seconds=2 * SECONDS,
            variables=variables,
        )
    )
    finding = seen.finding
    if script == REPRODUCER and mode == "plain":
        found = extract(seen.log)
        write = {"thread": found.thread, "size": found.size, "offset": found.offset}
        extracted = {**write, "block": found.block, "extract": list(found.lines)}
        finding = replace(finding, facts={**finding.facts, **extracted})
    return finding


def _leak(bench: Bench, leak: Leak, mode: str) -> Finding:
    return watched(
        lambda under, variables: suite_session(
            bench.environment,
            LEAKING_SUITE,
            ["-p", "patience", *MODES[mode]],
            seconds=2 * SECONDS,
            variables={**variables, "EVIDENCE_PATIENCE": "20"},
            only=leak.target,
            under=under,
        )
    ).finding


def _cells(pins: Pins) -> list[Cell]:
    scripts = [
        Cell(
            experiment="proof",
            parameters={
                "group": SCRIPTS,
                "subject": script.name,
                "python": NEWEST_PYTHON,
                "mode": mode,
            },
            python=NEWEST_PYTHON,
            packages={"grpcio": pins["grpcio"]},
            runs=1,
            measure=partial(_script, script=script, mode=mode),
            inputs=[script],
        )
        for script, cure in CURES.items()
        for mode in ("plain", cure)
    ]
    leaks = [
        Cell(
            experiment="proof",
            parameters={
                "group": leak.group,
                "subject": leak.name,
                "python": leak.pythons[-1],
                "mode": mode,
            },
            python=leak.pythons[-1],
            packages={name: pins[name] for name in leak.packages},
            runs=1,
            measure=partial(_leak, leak=leak, mode=mode),
            inputs=[*leak.inputs, PATIENCE, *([GUARD] if mode == "guard" else [])],
        )
        for leak in ways_to_leak()
        for mode in MODES
    ]
    return [*scripts, *leaks]


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    measured = [record for record in records if not record.unavailable]
    plain = find(measured, subject=REPRODUCER.name, mode="plain")
    valgrinds = sorted({record.facts["valgrind"] for record in measured})
    return {
        "sentence": "Not proven yet: `just prove`." if plain is None else _sentence(plain.facts),
        "extract": "" if plain is None else _shown(plain.facts["extract"]),
        "scripts": table(
            ["Script", "As it is", "Cured"],
            (
                [
                    f"`{script.name}`",
                    _errors(find(measured, subject=script.name, mode="plain")),
                    f"`--{cure}`: {_errors(find(measured, subject=script.name, mode=cure))}",
                ]
                for script, cure in CURES.items()
            ),
        ),
        "summary": _summary([r for r in measured if r.parameters["group"] != SCRIPTS]),
        "leaks": table(
            ["Way to leak a server", "As it is", "Under the guard"],
            (
                [
                    f"{_GROUPS[leak.group]}: {leak.said[:1].lower()}{leak.said[1:]}",
                    *(
                        _errors(find(measured, group=leak.group, subject=leak.name, mode=mode))
                        for mode in MODES
                    ),
                ]
                for leak in ways_to_leak()
            ),
        ),
        "measured": provenance(measured, "just prove --leaks", valgrind=listing(valgrinds)),
    }


def _sentence(facts: Mapping[str, Any]) -> str:
    return (
        f"valgrind's memcheck sees an invalid write of {facts['size']} bytes by a thread named "
        f"`{facts['thread']}`, at {facts['offset']} bytes inside a block of {facts['block']} "
        f"bytes that was freed under `{_FREED_BY}`, the step of the cancelled task."
    )


def _shown(lines: Sequence[str]) -> str:
    return "\n".join(["```console", f"$ cat docs/evidence/generated/{TEXT}", *lines, "```"])


def _errors(record: Record | None) -> str:
    """Say how many errors memcheck has counted, and whether the process had to be ended."""
    if record is None:
        return NOT_MEASURED
    errors, places = record.facts["errors"], record.facts["contexts"]
    counted = f"{_counted(errors, 'error')} in {_counted(places, 'place')}" if errors else "none"
    ended = [_ENDED[outcome] for outcome in record.outcomes if outcome in _ENDED]
    if record.count("failed") and "failed" not in survivors(record.parameters["subject"]):
        ended.append("it fails")
    return ", and ".join([counted, *ended])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _summary(leaks: Sequence[Record]) -> str:
    """Say of how many ways to leak a server memcheck sees errors, before and after."""
    if not leaks:
        return "Of the ways to leak a server nothing was seen under valgrind yet."
    found = {}
    for mode in MODES:
        errors = [record.facts["errors"] for record in where(leaks, mode=mode)]
        bad = sum(number > 0 for number in errors)
        found[mode] = f"{_counted(sum(errors), 'error')} in {share(bad, len(errors))} sessions"
    return (
        f"One session of each way to leak a server: {found['plain']} as they are, and "
        f"{found['guard']} under the guard."
    )


def _texts(records: Sequence[Record]) -> Mapping[str, str]:
    plain = find(records, subject=REPRODUCER.name, mode="plain")
    lines = plain.facts.get("extract", []) if plain else []
    return {TEXT: "".join(f"{line}\n" for line in lines)}


EXPERIMENT = Experiment(
    name="proof", cells=_cells, sections=_sections, texts=_texts, on_its_own=True
)
