"""The watch: whether the newest releases still need the workarounds that the pages describe.

A page marks each line that rests on a claim with `<!-- upstream: NAME -->`. When a claim no longer
holds, these are the lines to change.
"""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.evidence.campaign import jobs_of_this_machine
from tests.evidence.environments import (
    NEWEST,
    Environment,
    Environments,
    Unavailable,
    Unreachable,
    pins,
)
from tests.evidence.experiments import compatibility, versions
from tests.evidence.markdown import share, table
from tests.evidence.outcome import Outcome, Run
from tests.evidence.sessions import Session, suite_session
from tests.evidence.subjects import BASE, LEAKING_SUITE, MODES, NEWEST_PYTHON

OUT_OF_DATE = 1
"""The exit status when a page is out of date."""
HEADER = ("Workaround", "Newest", "Still needed?", "Evidence")
ATTEMPTS = 3

_MARK = re.compile(r"<!-- upstream: (?P<name>[a-z-]+) -->")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Something that pages say, and that a release may end."""

    name: str
    """As the pages mark it."""
    workaround: str
    newest: tuple[str, ...]
    """The packages taken at their newest version; the others stay at their pins."""
    attempt: Callable[[Environment], Run | Session]
    expected: frozenset[Outcome]
    """How an attempt ends as long as the claim holds: one is enough for a crash."""
    subject: str
    """What is attempted, for the evidence."""
    held: str = "yes"
    """The answer to `still needed?` as long as the claim holds."""
    broken: str = "no"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was found out about a claim."""

    claim: Claim
    newest: str
    """The packages and versions that it was asked of."""
    holds: bool | None
    """None when it could not be asked."""
    evidence: str

    def row(self) -> tuple[str, str, str, str]:
        """Return the row of the table; see `HEADER`."""
        needed = {True: self.claim.held, False: self.claim.broken, None: "not known"}[self.holds]
        return self.claim.workaround, self.newest, needed, self.evidence


_LOST = frozenset({Outcome.CRASHED, Outcome.BROKE, Outcome.HUNG})
_PASSED = frozenset({Outcome.PASSED})


def _leaking(*arguments: str) -> Callable[[Environment], Session]:
    return lambda environment: suite_session(environment, LEAKING_SUITE, arguments)


CLAIMS = (
    Claim(
        name="grpcio-crashes",
        workaround="Stop every server in its loop, or the guard, or `--forked`",
        newest=("grpcio",),
        attempt=versions.reproduce,
        expected=_LOST,
        subject="`repro.py`",
    ),
    Claim(
        name="fix-holds",
        workaround="Stop every server in its loop",
        newest=("grpcio",),
        attempt=lambda environment: versions.reproduce(environment, "--stopped"),
        expected=_PASSED,
        subject="`repro.py --stopped`",
        held="it works",
        broken="it no longer works",
    ),
    Claim(
        name="guard-holds",
        workaround="The guard, `pytest-grpc-guard`",
        newest=("grpcio",),
        attempt=_leaking(*MODES["guard"]),
        expected=_PASSED,
        subject="the leaking suite, guarded",
        held="it works",
        broken="it no longer works",
    ),
    Claim(
        name="pytest-asyncio-crashes",
        workaround="The same, with pytest-asyncio's event loops",
        newest=("pytest-asyncio",),
        attempt=_leaking(),
        expected=_LOST,
        subject="the leaking suite",
    ),
    Claim(
        name="forked-contains",
        workaround="`--forked`",
        newest=("pytest-forked",),
        attempt=_leaking("--forked"),
        expected=_PASSED,
        subject="the leaking suite with `--forked`",
        held="it works",
        broken="it no longer works",
    ),
    Claim(
        name="pytest-breaks-forked",
        workaround="The bound `pytest<9.2`",
        newest=("pytest",),
        attempt=compatibility.run_one_test,
        expected=frozenset({Outcome.FAILED}),
        subject="one test with `--forked`",
    ),
    Claim(
        name="pytest-breaks-forked",
        workaround="The bound `pytest<9.2`, both newest",
        newest=("pytest", "pytest-forked"),
        attempt=compatibility.run_one_test,
        expected=frozenset({Outcome.FAILED}),
        subject="one test with `--forked`",
    ),
)


def ask(project: Path, claims: Sequence[Claim] = CLAIMS) -> list[Answer]:
    """Try every claim in throw-away environments; the project is only read."""
    pinned = pins(project)
    with (
        tempfile.TemporaryDirectory(prefix="evidence-") as folder,
        ThreadPoolExecutor(jobs_of_this_machine()) as pool,
    ):
        environments = Environments(Path(folder))
        return list(pool.map(lambda claim: _ask(claim, environments, pinned), claims))


def _ask(claim: Claim, environments: Environments, pinned: Mapping[str, str]) -> Answer:
    packages = {name: pinned[name] for name in (*BASE, "pytest-forked")}
    packages |= dict.fromkeys(claim.newest, NEWEST)
    try:
        environment = environments.make(NEWEST_PYTHON, packages)
    except (Unavailable, Unreachable, ValueError) as reason:
        return Answer(claim=claim, newest=", ".join(claim.newest), holds=None, evidence=f"{reason}")
    attempts = [claim.attempt(environment).outcome for _ in range(ATTEMPTS)]
    ended = " and ".join(
        f"{share(attempts.count(outcome), ATTEMPTS)} {outcome}"
        for outcome in dict.fromkeys(attempts)
    )
    return Answer(
        claim=claim,
        newest=", ".join(f"{name} {environment.packages[name]}" for name in claim.newest),
        holds=_holds(claim, attempts),
        evidence=f"{claim.subject}: {ended}",
    )


def _holds(claim: Claim, attempts: Sequence[Outcome]) -> bool:
    """Tell whether a claim holds: one crash in three is a crash, two passes in three no fix."""
    if claim.expected == _PASSED:
        return set(attempts) <= _PASSED
    return bool(claim.expected & set(attempts))


def marked_lines(docs: Path) -> Iterator[tuple[str, Path, int]]:
    """Find the lines of pages that rest on a claim: its name, the page, and the line from 1."""
    for page in sorted(docs.rglob("*.md")):
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
            for mark in _MARK.finditer(line):
                yield mark["name"], page, number


def stale_lines(docs: Path, answers: Sequence[Answer]) -> list[str]:
    """Name the lines to change, as `docs/page.md:12: why`."""
    broken = {answer.claim.name: answer for answer in answers if answer.holds is False}
    stale = [
        f"{page.relative_to(docs.parent)}:{number}: no longer true with {broken[name].newest} "
        f"({broken[name].evidence})"
        for name, page, number in marked_lines(docs)
        if name in broken
    ]
    marked = {name for name, _, _ in marked_lines(docs)}
    return stale + [
        f"docs: no page marks what rests on {name}, which is no longer true"
        for name in broken.keys() - marked
    ]


def report(answers: Sequence[Answer], stale: Sequence[str]) -> str:
    """Return the table and the lines to change, as Markdown."""
    lines = "\n".join(f"- `{line}`" for line in stale)
    return f"{table(HEADER, (answer.row() for answer in answers))}\n\n{lines}".rstrip() + "\n"
