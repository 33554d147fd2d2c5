"""Which strategy answers which question: chosen by what the records say of each."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.evidence import svg
from tests.evidence.experiments.strategies.catalogue import BY_NAME, STRATEGIES, Strategy
from tests.evidence.experiments.strategies.wording import LEGEND, factors_of, tone_of
from tests.evidence.markdown import NOT_MEASURED, TIMES, listing, share, table
from tests.evidence.outcome import Outcome
from tests.evidence.records import Record, find, together, where

_TESTS_OF_THE_MODULE_FIXTURE = 6
_TWO = "-2"  # ends the name of a strategy that is another one's, with two modules
_OF_TWO_MODULES = tuple(name for name in BY_NAME if name.removesuffix(_TWO) in {*BY_NAME} - {name})
# What is not meant to isolate.
_NOT_ISOLATING = ("nothing", "stopped", "guard")
_NOBODY = "none of those that were measured"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the records show of a strategy."""

    strategy: Strategy
    leak: Record | None
    """Its sessions with the leaking suite, of all Pythons together."""
    leak_of_two_modules: Record | None
    """The same of two modules, where that was measured apart."""
    tone: svg.Tone
    """The worst that it does, with one module or two."""
    report: Record | None
    factor: float | None
    """Processor time against plain pytest."""

    @property
    def lost(self) -> bool:
        """Whether it has lost a session, of one module or of two."""
        return self.tone in {"crashed", "hung"}

    @property
    def holds(self) -> bool:
        """Whether it does nothing bad: no session is lost, no innocent blamed, no crash hidden."""
        return self.tone == "held"

    @property
    def tells(self) -> bool:
        """Whether a test that crashes is `failed` and nothing else, in its body or its teardown."""
        return all(self.said(crash) == ["failed"] for crash in ("body", "teardown"))

    @property
    def set_ups(self) -> int:
        """How often a module fixture of six tests is built; 0 if that is not known."""
        fixture = self.report.facts["fixture"] if self.report else {}
        return int(fixture.get("set-ups", 0)) if fixture.get("session") == Outcome.PASSED else 0

    def said(self, crash: str) -> list[str]:
        """Return what the session says of the test that crashes; nothing if it is lost or green."""
        if self.report is None or self.report.facts[crash]["session"] != Outcome.FAILED:
            return []
        told: list[str] = self.report.facts[crash]["tests"].get("test_crashes", [])
        return told

    @property
    def losses(self) -> str:
        """Say how many sessions of the leaking suite were lost, of two modules also."""
        if self.leak is None:
            return NOT_MEASURED
        said = share(self.leak.lost, self.leak.runs)
        other = self.leak_of_two_modules
        return f"{said}, of two modules {share(other.lost, other.runs)}" if other else said

    @property
    def cost(self) -> str:
        """Say its processor time against plain pytest."""
        return NOT_MEASURED if self.factor is None else f"{self.factor:.2f} {TIMES}"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question of the page, and what a strategy has to show that answers it."""

    text: str
    fits: Callable[[Shown], bool]
    advice: str
    """What is to be known beside the figures."""


# In the order of the page: what needs the least comes first.
QUESTIONS = (
    Question(
        text="Can you mend the fixtures that start your servers?",
        fits=lambda s: s.strategy.own_suite and s.holds,
        advice="It is the fix: right with grpcio's defect and without.",
    ),
    Question(
        text="Does a server leak that you cannot find, or cannot stop?",
        fits=lambda s: not s.strategy.own_suite and s.holds and s.set_ups == 1,
        advice="It names who leaks, and prevents the crash; it contains none.",
    ),
    Question(
        text="Do tests crash for another reason, or must no crash end the run?",
        fits=lambda s: s.holds and s.tells,
        advice="A crash is one failed test, and each test builds its fixtures anew.",
    ),
    Question(
        text="Is the suite too slow?",
        fits=lambda s: not s.lost and 1 < s.set_ups < _TESTS_OF_THE_MODULE_FIXTURE,
        advice="For speed, beside one of those above: it is no isolation.",
    ),
)
OTHERWISE = Question(
    text="No to all of these?",
    fits=lambda s: s.strategy.name == "nothing",
    advice="Nothing to install, and nothing that stands between you and a debugger.",
)
# Where a strategy is explained, from docs/guides/.
_PAGES = {
    "stopped": "../known-issues/grpc-segfault.md#fix-it-stop-the-server-in-its-loop",
    "guard": "../guard.md",
    "forked": "../known-issues/grpc-segfault-forked.md",
    "xdist": "../TESTING_GUIDE.md#run-them-in-parallel",
}


def sections(records: Sequence[Record]) -> Mapping[str, str]:
    """Return the picture of the choice, its table, and what is chosen by no question."""
    factors = factors_of(records)
    shown = [
        _shown(strategy, records, factors)
        for strategy in STRATEGIES
        if strategy.name not in _OF_TWO_MODULES
    ]
    answers = {
        question: [each for each in shown if question.fits(each)]
        for question in (*QUESTIONS, OTHERWISE)
    }
    return {
        "choice": _picture(answers),
        "choices": table(
            [
                "Your suite",
                "Take",
                "Sessions lost",
                "Processor time",
                "To know",
            ],
            ([question.text, *_row(found), question.advice] for question, found in answers.items()),
        ),
        "instead": _instead(answers),
        "not-chosen": table(
            ["Not as isolation", "Why"],
            (
                [each.strategy.title, _why_not(each)]
                for each in shown
                if each.strategy.name not in _NOT_ISOLATING and _why_not(each)
            ),
        ),
    }


def _shown(
    strategy: Strategy, records: Sequence[Record], factors: Mapping[str, Sequence[float]]
) -> Shown:
    leaks = _measured(where(records, measured="leak", strategy=strategy.name))
    of_two = _measured(where(records, measured="leak", strategy=f"{strategy.name}{_TWO}"))
    report = find(records, measured="report", strategy=strategy.name)
    return Shown(
        strategy=strategy,
        leak=together(leaks) if leaks else None,
        leak_of_two_modules=together(of_two) if of_two else None,
        tone=tone_of([*leaks, *of_two], report),
        report=None if report is None or report.unavailable else report,
        factor=statistics.median(factors[strategy.name]) if strategy.name in factors else None,
    )


def _measured(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if not record.unavailable]


def _row(found: Sequence[Shown]) -> list[str]:
    if not found:
        return [_NOBODY, *[NOT_MEASURED] * 2]
    first = found[0]
    title = first.strategy.title
    page = _PAGES.get(first.strategy.name)
    return [
        f"[{title}]({page})" if page else title,
        first.losses,
        first.cost,
    ]


def _picture(answers: Mapping[Question, Sequence[Shown]]) -> str:
    first = {question: found[0] if found else None for question, found in answers.items()}
    holding = [shown.strategy.called for shown in first.values() if shown and shown.holds]
    return svg.flow(
        words=svg.Words(
            id="isolation",
            finding=f"What holds: {'; '.join(holding) or _NOBODY}",
            unit=f"Sessions of a leaking suite; processor time, {TIMES} that of plain pytest",
            description=(
                "Questions from top to bottom; a yes leads to an answer, which has a sign for what "
                "becomes of the leaking suite. The table has the same."
            ),
            legend=LEGEND,
        ),
        steps=[
            svg.Step(
                question=question.text,
                answer=shown.strategy.title.replace("`", "") if shown else _NOBODY,
                note=_note(shown) if shown else "",
                tone=shown.tone if shown else "absent",
            )
            for question, shown in first.items()
        ],
    )


def _note(shown: Shown) -> str:
    said = [f"{shown.losses} sessions lost"]
    if shown.factor is not None and shown.strategy.name != "nothing":
        said.append(f"costs {shown.cost}")
    return "; ".join(said)


def _instead(answers: Mapping[Question, Sequence[Shown]]) -> str:
    """Say which others do what an answer does, by the same records."""
    said = [
        f"In place of {found[0].strategy.title}: "
        f"{listing([f'{each.strategy.title} ({each.cost})' for each in found[1:]])}."
        for found in answers.values()
        if len(found) > 1
    ]
    return " ".join(said) or "No other does the same."


def _why_not(shown: Shown) -> str:
    """Say what the records have against a strategy; nothing if they have nothing."""
    if shown.leak is None:
        return ""
    reasons = []
    if shown.lost:
        reasons.append(f"sessions lost: {shown.losses}")
    if shown.tone == "blamed":
        reasons.append("an innocent test is blamed for the crash of another")
    for crash, words in (("body", "a test crashes"), ("teardown", "its teardown crashes")):
        session = shown.report.facts[crash]["session"] if shown.report else Outcome.FAILED
        if session == Outcome.PASSED:
            reasons.append(f"the session is green when {words}")
        elif Outcome(session).lost and not shown.lost:
            reasons.append(f"the session dies when {words}")
    return "; ".join(reasons)
