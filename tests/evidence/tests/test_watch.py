"""The watch names the lines that a release has made untrue, and changes nothing."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.evidence import __main__ as commands
from tests.evidence import watch
from tests.evidence.environments import NO_WHEEL, Environment, Environments, Unavailable, pins
from tests.evidence.outcome import Outcome, Run
from tests.evidence.subjects import PROJECT
from tests.evidence.watch import CLAIMS, Answer, Claim
from tests.known_issues import front_matter

SAMPLE = CLAIMS[0]
ISSUE_CLAIMS = watch.issue_claims(PROJECT)


def answer(*, holds: bool | None, claim: Claim = SAMPLE) -> Answer:
    """Return an answer about the newest grpcio."""
    return Answer(claim=claim, newest="grpcio 9.9.9", holds=holds, evidence="`repro.py`: so")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Pages, one of which rests on a claim in its third line."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "issue.md").write_text(f"# Issue\n\nIt crashes. <!-- upstream: {SAMPLE.name} -->\n")
    (docs / "other.md").write_text("# Other\n")
    return docs


@pytest.fixture
def environments(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, str]]:
    """Environments that need no installation; with the packages that each was to have."""
    asked: list[Mapping[str, str]] = []

    def make(_: Environments, _python: str, packages: Mapping[str, str]) -> Environment:
        asked.append(packages)
        return Environment(
            python=Path(sys.executable), release="", packages=dict.fromkeys(packages, "9.9.9")
        )

    monkeypatch.setattr(Environments, "make", make)
    return asked


def claim_with(outcomes: list[Outcome], expected: Outcome) -> Claim:
    """Return a claim whose attempts end like this."""
    ends = iter(outcomes)
    return Claim(
        name="sample",
        workaround="Something",
        newest=("grpcio",),
        attempt=lambda _: Run(outcome=next(ends), signal="", seconds=0, output=""),
        shows=lambda ended: ended.outcome is expected,
        cure=expected is Outcome.PASSED,
        subject="a try",
    )


def test_every_claim_is_marked_in_a_page() -> None:
    """Each claim has a line to change, and each mark is of a claim."""
    marked = {name for name, _, _ in watch.marked_lines(PROJECT / "docs")}
    assert marked == {claim.name for claim in CLAIMS}


def test_the_line_to_change_is_named(docs: Path) -> None:
    """A claim that no longer holds names page and line, with the version and the evidence."""
    assert watch.stale_lines(docs, [answer(holds=False)]) == [
        "docs/issue.md:3: no longer true with grpcio 9.9.9 (`repro.py`: so)"
    ]


def test_a_claim_that_no_page_marks_is_named_too(docs: Path) -> None:
    """Reality has changed, though nobody knows which line says so."""
    (line,) = watch.stale_lines(docs, [answer(holds=False, claim=CLAIMS[-1])])
    assert CLAIMS[-1].name in line


def test_the_line_of_an_issue_is_that_of_its_status(docs: Path) -> None:
    """A claim that comes from a page's front matter names that page, without a mark in it."""
    claim = ISSUE_CLAIMS[0]
    (line,) = watch.stale_lines(docs, [answer(holds=False, claim=claim)])
    page, number, _ = line.split(":", maxsplit=2)
    assert page == f"docs/known-issues/{claim.name}.md"
    assert (PROJECT / page).read_text().splitlines()[int(number) - 1].startswith("status: ")


def test_the_claims_of_the_issues_are_those_of_their_front_matter() -> None:
    """Each watched run is asked, with what it installs; a claim of the watch's own exists."""
    watched = [
        (issue.id, each)
        for issue in front_matter.issues(PROJECT)
        for each in issue.watch
        if not isinstance(each, str)
    ]
    runs = [(name, each) for name, each in watched if isinstance(each, front_matter.Watch)]
    assert [(claim.name, claim.newest) for claim in ISSUE_CLAIMS] == [
        (name, each.newest) for name, each in runs
    ]
    assert all(set(claim.newest) <= set(claim.packages or {}) for claim in ISSUE_CLAIMS)
    assert {claim.cure for claim in ISSUE_CLAIMS} == {True, False}
    named = {each.claim for _, each in watched if isinstance(each, front_matter.Claim)}
    assert named <= {claim.name for claim in CLAIMS}


def test_a_run_shows_what_it_did_or_it_does_not() -> None:
    """The message, the control and the status decide, not whether something failed."""
    claim = next(each for each in ISSUE_CLAIMS if each.name == "aio-code-never-returns")
    said = "the call is made, with a deadline of 1 s\nthe call is done: False\nTimeoutError\n"
    as_before = Run(
        outcome=Outcome.FAILED, signal="", seconds=0, output=f"{said}1 failed", status=1
    )
    assert claim.shows(as_before)
    for other in (replace(as_before, status=2), replace(as_before, output=f"{said}1 error")):
        assert not claim.shows(other)


@pytest.mark.parametrize("holds", [True, None])
def test_nothing_is_stale_while_claims_hold(docs: Path, *, holds: bool | None) -> None:
    """Neither is what could not be found out."""
    assert watch.stale_lines(docs, [answer(holds=holds)]) == []


@pytest.mark.parametrize(
    ("outcomes", "expected", "holds"),
    [
        ([Outcome.CRASHED] * 3, Outcome.CRASHED, True),
        ([Outcome.PASSED, Outcome.PASSED, Outcome.CRASHED], Outcome.CRASHED, True),
        ([Outcome.PASSED] * 3, Outcome.CRASHED, False),
        ([Outcome.PASSED] * 3, Outcome.PASSED, True),
        ([Outcome.PASSED, Outcome.PASSED, Outcome.CRASHED], Outcome.PASSED, False),
    ],
)
@pytest.mark.usefixtures("environments")
def test_one_crash_is_a_crash_and_a_cure_cures_always(
    outcomes: list[Outcome], expected: Outcome, *, holds: bool
) -> None:
    """A workaround is needed as long as it crashes at all; a cure has to work every time."""
    (found,) = watch.ask(PROJECT, [claim_with(outcomes, expected)])
    assert found.holds is holds


def test_only_what_is_asked_about_is_the_newest(
    environments: list[Mapping[str, str]],
) -> None:
    """The other packages stay at the project's pins."""
    watch.ask(PROJECT, [claim_with([Outcome.CRASHED] * 3, Outcome.CRASHED)])
    (packages,) = environments
    assert packages["grpcio"] == "newest"
    assert packages["pytest"] == pins(PROJECT)["pytest"]


def test_an_issue_is_asked_with_its_own_versions(environments: list[Mapping[str, str]]) -> None:
    """What is not asked about is as the run says, not as the project pins."""
    claim = next(each for each in ISSUE_CLAIMS if each.newest == ("pytest",))
    ended = Run(outcome=Outcome.FAILED, signal="", seconds=0, output="")
    watch.ask(PROJECT, [replace(claim, attempt=lambda _: ended)])
    assert claim.packages
    forked = claim.packages["pytest-forked"]
    assert environments == [{"pytest": "newest", "pytest-forked": forked}]


@pytest.mark.parametrize("pre_releases", [True, False])
def test_pre_releases_are_asked_for_by_name(
    monkeypatch: pytest.MonkeyPatch, *, pre_releases: bool
) -> None:
    """Only a package that is asked about may be a pre-release."""
    called: list[str] = []

    def uv(*arguments: str) -> subprocess.CompletedProcess[str]:
        called.extend(arguments)
        return subprocess.CompletedProcess(arguments, 0, stdout=sys.executable, stderr="no network")

    monkeypatch.setattr("tests.evidence.environments._uv", uv)
    with tempfile.TemporaryDirectory() as folder, suppress(ValueError, OSError):
        environments = Environments(Path(folder), pre_releases=pre_releases)
        environments.make("3.13", {"grpcio": "newest", "pytest": "9.1.1", "protobuf": ">=7,<8"})
    assert {"pytest==9.1.1", "protobuf>=7,<8"} <= set(called)
    assert ("grpcio>=0.dev0" in called) is pre_releases
    assert ("grpcio" in called) is not pre_releases


def test_no_wheel_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that cannot be installed says nothing about the claim."""

    def make(*_: object) -> Environment:
        raise Unavailable(NO_WHEEL)

    monkeypatch.setattr(Environments, "make", make)
    (found,) = watch.ask(PROJECT, [SAMPLE])
    assert found.holds is None
    assert found.row()[2:] == ("not known", NO_WHEEL)


@pytest.mark.parametrize(("holds", "status"), [(True, 0), (False, 1), (None, 3)])
def test_the_exit_status_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, holds: bool | None, status: int
) -> None:
    """0: all agree; 1: a page is out of date; 3: not found out. The report has the table."""
    monkeypatch.setattr(watch, "ask", lambda _, **_options: [answer(holds=holds)])
    report = tmp_path / "report.md"
    result = CliRunner().invoke(commands.app, ["check-upstream", "--report", str(report)])
    assert result.exit_code == status
    assert "| grpcio 9.9.9 |" in report.read_text()
    assert ("docs/evidence/upstream.md:" in report.read_text()) is (holds is False)
