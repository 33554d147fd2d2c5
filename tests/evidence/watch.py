"""The watch: whether the newest releases still need the workarounds that the pages describe.

A page marks each line that rests on a claim with `<!-- upstream: NAME -->`. When a claim no longer
holds, these are the lines to change. The claims of the known issues are made from the front matter
of their pages: the line to change is that of their status.
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
from tests.evidence.experiments import versions
from tests.evidence.experiments.issues import SECONDS, versions_of
from tests.evidence.markdown import share, table
from tests.evidence.outcome import Outcome, Run
from tests.evidence.sessions import Session, suite_session
from tests.evidence.subjects import BASE, LEAKING_SUITE, MODES, NEWEST_PYTHON
from tests.known_issues import front_matter, suites
from tests.known_issues.front_matter import Issue, Watch

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
    shows: Callable[[Run | Session], bool]
    """Whether an attempt has ended as it does as long as the claim holds."""
    cure: bool = False
    """Whether it is about a cure, which has to hold each time; of crashes one is enough."""
    subject: str
    """What is attempted, for the evidence."""
    packages: Mapping[str, str] | None = None
    """What is installed, where that is not what the project pins."""
    places: tuple[str, ...] = ()
    """Lines to change that carry no mark, as `docs/page.md:12`."""

    @property
    def held(self) -> str:
        """The answer to `still needed?` as long as the claim holds."""
        return "it works" if self.cure else "yes"

    @property
    def broken(self) -> str:
        """The answer when the claim no longer holds."""
        return "it no longer works" if self.cure else "no"


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


def _lost(ended: Run | Session) -> bool:
    return ended.outcome.lost


def _passed(ended: Run | Session) -> bool:
    return ended.outcome is Outcome.PASSED


def _leaking(*arguments: str) -> Callable[[Environment], Session]:
    return lambda environment: suite_session(environment, LEAKING_SUITE, arguments)


CLAIMS = (
    Claim(
        name="grpcio-crashes",
        workaround="Stop every server in its loop, or the guard, or `--forked`",
        newest=("grpcio",),
        attempt=versions.reproduce,
        shows=_lost,
        subject="`repro.py`",
    ),
    Claim(
        name="fix-holds",
        workaround="Stop every server in its loop",
        newest=("grpcio",),
        attempt=lambda environment: versions.reproduce(environment, "--stopped"),
        shows=_passed,
        cure=True,
        subject="`repro.py --stopped`",
    ),
    Claim(
        name="guard-holds",
        workaround="The guard, `pytest-grpc-guard`",
        newest=("grpcio",),
        attempt=_leaking(*MODES["guard"]),
        shows=_passed,
        cure=True,
        subject="the leaking suite, guarded",
    ),
    Claim(
        name="pytest-asyncio-crashes",
        workaround="The same, with pytest-asyncio's event loops",
        newest=("pytest-asyncio",),
        attempt=_leaking(),
        shows=_lost,
        subject="the leaking suite",
    ),
    Claim(
        name="forked-contains",
        workaround="`--forked`",
        newest=("pytest-forked",),
        attempt=_leaking("--forked"),
        shows=_passed,
        cure=True,
        subject="the leaking suite with `--forked`",
    ),
)


def issue_claims(project: Path) -> list[Claim]:
    """Return the claims of the known issues that name a run of their suite to be watched.

    Raises `ValueError` when the front matter of a page is at fault.
    """
    return [
        _issue_claim(project, issue, watch)
        for issue in front_matter.issues(project)
        for watch in issue.watch
        if isinstance(watch, Watch)
    ]


def _issue_claim(project: Path, issue: Issue, watch: Watch) -> Claim:
    (run,) = (run for run in suites.runs(project / f"{issue.examples}") if run.name == watch.run)
    page = front_matter.page_of(project, issue)

    def attempt(environment: Environment) -> Run:
        return suites.attempt(run, [environment.python.parent], seconds=SECONDS)

    def shows(ended: Run | Session) -> bool:
        return isinstance(ended, Run) and not run.lacks(ended)

    return Claim(
        name=issue.id,
        workaround=issue.workaround,
        newest=watch.newest,
        attempt=attempt,
        shows=shows,
        cure="cured" in run.name,
        subject=f"`{issue.id}`, {run.name}",
        packages=versions_of(run.installed[-1]),
        places=(f"{page.relative_to(project)}:{front_matter.line_of(page, 'status')}",),
    )


def ask(
    project: Path, claims: Sequence[Claim] | None = None, *, pre_releases: bool = False
) -> list[Answer]:
    """Try every claim in throw-away environments; the project is only read.

    `pre_releases` counts these among the newest releases. Raises `ValueError` when the front matter
    of a page is at fault.
    """
    claims = [*CLAIMS, *issue_claims(project)] if claims is None else claims
    pinned = pins(project)
    with (
        tempfile.TemporaryDirectory(prefix="evidence-") as folder,
        ThreadPoolExecutor(jobs_of_this_machine()) as pool,
    ):
        environments = Environments(Path(folder), pre_releases=pre_releases)
        return list(pool.map(lambda claim: _ask(claim, environments, pinned), claims))


def _ask(claim: Claim, environments: Environments, pinned: Mapping[str, str]) -> Answer:
    packages = claim.packages or {name: pinned[name] for name in (*BASE, "pytest-forked")}
    try:
        environment = environments.make(
            NEWEST_PYTHON, {**packages, **dict.fromkeys(claim.newest, NEWEST)}
        )
    except (Unavailable, Unreachable, ValueError) as reason:
        return Answer(claim=claim, newest=", ".join(claim.newest), holds=None, evidence=f"{reason}")
    attempts = [claim.attempt(environment) for _ in range(ATTEMPTS)]
    outcomes = [ended.outcome for ended in attempts]
    counts = " and ".join(
        f"{share(outcomes.count(outcome), ATTEMPTS)} {outcome}"
        for outcome in dict.fromkeys(outcomes)
    )
    shown = [claim.shows(ended) for ended in attempts]
    return Answer(
        claim=claim,
        newest=", ".join(f"{name} {environment.packages[name]}" for name in claim.newest),
        holds=all(shown) if claim.cure else any(shown),
        evidence=f"{claim.subject}: {counts}, {share(shown.count(True), ATTEMPTS)} as before",
    )


def marked_lines(docs: Path) -> Iterator[tuple[str, Path, int]]:
    """Find the lines of pages that rest on a claim: its name, the page, and the line from 1."""
    for page in sorted(docs.rglob("*.md")):
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
            for mark in _MARK.finditer(line):
                yield mark["name"], page, number


def stale_lines(docs: Path, answers: Sequence[Answer]) -> list[str]:
    """Name the lines to change, as `docs/page.md:12: why`."""
    broken = {answer.claim.name: answer for answer in answers if answer.holds is False}
    marked = [
        (name, f"{page.relative_to(docs.parent)}:{number}")
        for name, page, number in marked_lines(docs)
    ]
    marked += [(name, place) for name, answer in broken.items() for place in answer.claim.places]
    stale = [
        f"{place}: no longer true with {broken[name].newest} ({broken[name].evidence})"
        for name, place in marked
        if name in broken
    ]
    return stale + [
        f"docs: no page marks what rests on {name}, which is no longer true"
        for name in broken.keys() - {name for name, _ in marked}
    ]


def report(answers: Sequence[Answer], stale: Sequence[str]) -> str:
    """Return the table and the lines to change, as Markdown."""
    lines = "\n".join(f"- `{line}`" for line in stale)
    return f"{table(HEADER, (answer.row() for answer in answers))}\n\n{lines}".rstrip() + "\n"
