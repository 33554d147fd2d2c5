"""What is said of the strategies: the tables, the chart and the sentences, from the records."""

import statistics
from collections.abc import Mapping, Sequence

from tests.evidence import svg
from tests.evidence.experiments.strategies.catalogue import GUARDED, SHOWN, TIMED, Strategy
from tests.evidence.markdown import (
    NOT_MEASURED,
    TIMES,
    listing,
    provenance,
    share,
    share_lost,
    table,
)
from tests.evidence.outcome import Outcome
from tests.evidence.records import Record, find, where
from tests.evidence.subjects import PYTHONS


def sections(records: Sequence[Record]) -> Mapping[str, str]:
    """Return the Markdown of each section, one for each strategy among them."""
    cost = find(records, measured="cost", compared="all")
    cost_of_guard = find(records, measured="cost", compared="guard")
    factors = _factors(cost) | _factors(cost_of_guard)
    ratios = _ratios(cost, factors)
    leaks = {s.name: where(records, measured="leak", strategy=s.name) for s in SHOWN}
    reports = {s.name: find(records, measured="report", strategy=s.name) for s in SHOWN}
    made = {
        "lost": table(
            ["Strategy", *PYTHONS, "A crash is blamed on", "Remove when"],
            (
                [
                    strategy.title,
                    *(_lost(find(leaks[strategy.name], python=python)) for python in PYTHONS),
                    _who_is_blamed(leaks[strategy.name]),
                    strategy.remove_when,
                ]
                for strategy in SHOWN
            ),
        ),
        "reported": table(
            [
                "Strategy",
                "A test that crashes",
                "A test that passes, and its teardown crashes",
                "Set-ups of a module fixture, 6 tests",
                "Processor time",
            ],
            (
                [
                    strategy.title,
                    _reported(reports[strategy.name], "body"),
                    _reported(reports[strategy.name], "teardown"),
                    _set_ups(reports[strategy.name]),
                    ratios.get(strategy.name, NOT_MEASURED),
                ]
                for strategy in SHOWN
                if strategy in TIMED
            ),
        ),
        "chart": _chart(leaks, reports, factors),
        "measured": provenance(records, "just evidence strategies"),
        "timed": _how_it_was_timed(cost),
        "cost-of-the-guard": _cost_of_guard(cost_of_guard),
    }
    for strategy in SHOWN:
        made[strategy.name] = _sentence(strategy, leaks[strategy.name], ratios.get(strategy.name))
    return made


def _lost(record: Record | None) -> str:
    if record and record.count("refused"):
        return f"refused {share(record.count('refused'), record.runs)}"
    return share_lost(record)


def _who_is_blamed(leaks: Sequence[Record]) -> str:
    measured = [record for record in leaks if not record.unavailable]
    if not measured:
        return NOT_MEASURED
    blamed = {test for record in measured for test in record.facts["blamed"]}
    said = []
    if any(record.lost for record in measured):
        said.append("nobody: the session dies")
    if "test_late_client" in blamed:
        said.append("an innocent test")
    if blamed - {"test_late_client"}:
        said.append("a test that leaks")
    return "; or ".join(said) or "there is none"


def _reported(record: Record | None, where: str) -> str:
    if record is None or record.unavailable:
        return record.unavailable if record else NOT_MEASURED
    session_ended = Outcome(record.facts[where]["session"])
    if session_ended is Outcome.REFUSED:
        return "the session does not run"
    if session_ended.lost:
        return "the session dies"
    said = record.facts[where]["tests"].get("test_crashes", [])
    words = listing([word.upper() for word in said]) if said else "nothing"
    return f"{words}, and the session passes" if session_ended is Outcome.PASSED else words


def _set_ups(record: Record | None) -> str:
    if record is None or record.unavailable:
        return record.unavailable if record else NOT_MEASURED
    fixture = record.facts["fixture"]
    return f"{fixture['set-ups']}" if fixture["session"] == Outcome.PASSED else "its tests fail"


def factors_of(records: Sequence[Record]) -> dict[str, list[float]]:
    """Return each strategy's processor time against plain pytest's, round by round."""
    costs = (find(records, measured="cost", compared=compared) for compared in ("all", "guard"))
    return {name: each for cost in costs for name, each in _factors(cost).items()}


def _factors(cost: Record | None) -> dict[str, list[float]]:
    """Return each strategy's processor time against plain pytest's, round by round.

    Those under which a test did not pass are left out.
    """
    if cost is None or cost.unavailable:
        return {}
    seconds, passed = cost.facts["cpu"], cost.facts["passed"]
    return {
        name: [took / plain for took, plain in zip(took_all, seconds["nothing"], strict=True)]
        for name, took_all in seconds.items()
        if took_all and passed[name] == passed["nothing"]
    }


def _ratios(cost: Record | None, factors: Mapping[str, list[float]]) -> dict[str, str]:
    """Return what a table says of each strategy's cost: the median, or that tests do not pass."""
    said = {name: f"{statistics.median(each):.2f} {TIMES}" for name, each in factors.items()}
    if cost is None or cost.unavailable:
        return said
    passed = cost.facts["passed"]
    return {name: f"{share(n, passed['nothing'])} tests pass" for name, n in passed.items()} | said


def _how_it_was_timed(cost: Record | None) -> str:
    if cost is None or cost.unavailable:
        return "The costs are not measured yet: `just evidence strategies --only cost`."
    plain = cost.facts["cpu"]["nothing"]
    return (
        f"Processor time, of all processes of a run, children included: of the "
        f"{cost.facts['passed']['nothing']} integration tests, in {cost.runs} rounds in which the "
        f"strategies took turns; the median of the rounds' ratios against plain pytest. That one "
        f"took {min(plain):.2f} s to {max(plain):.2f} s, so small differences are the machine's "
        "noise."
    )


def _cost_of_guard(cost: Record | None) -> str:
    factors = _factors(cost)
    if cost is None or "guard" not in factors:
        return "What the guard costs is not measured yet: `just evidence strategies --only cost`."
    return (
        f"On {cost.facts['passed']['guard']} tests with a server each, the guard takes "
        f"{_spread(factors['guard'])} the processor time of plain pytest, in {cost.runs} rounds in "
        f"turn. Plain pytest takes {_spread(factors['again'])} its own."
    )


def _spread(factors: Sequence[float]) -> str:
    low, middle, high = statistics.quantiles(factors, n=4)
    return f"{middle:.2f} {TIMES} (half of the rounds: {low:.2f} to {high:.2f})"


def _sentence(strategy: Strategy, leaks: Sequence[Record], ratio: str | None) -> str:
    measured = [record for record in leaks if not record.unavailable]
    if not measured:
        return f"{strategy.title}: {NOT_MEASURED}."
    lost = listing([f"{_lost(record)} on {record.parameters['python']}" for record in measured])
    cost = f"; {ratio} the processor time of plain pytest" if ratio and TIMES in ratio else ""
    return f"Sessions lost: {lost}{cost if strategy.name != 'nothing' else ''}."


LEGEND: Mapping[svg.Tone, str] = {
    "held": "no session of the leaking suite is lost",
    "crashed": "sessions crash",
    "hung": "sessions hang",
    "blamed": "none is lost, but an innocent test is blamed",
    "hidden": "none is lost, but a session passes in which a test has crashed",
    "absent": "not measured",
}
"""What becomes of the leaking suite, and of a test that crashes."""
_INNOCENT = "test_late_client"


def tone_of(leaks: Sequence[Record], report: Record | None) -> svg.Tone:
    """Return the worst that a strategy does."""
    measured = [record for record in leaks if not record.unavailable]
    if not measured:
        return "absent"
    if any(record.count("crashed", "broke") for record in measured):
        return "crashed"
    if any(record.lost for record in measured):
        return "hung"
    if any(_INNOCENT in record.facts["blamed"] for record in measured):
        return "blamed"
    if report and not report.unavailable:
        ended = {report.facts[where]["session"] for where in ("body", "teardown")}
        if Outcome.PASSED in ended:
            return "hidden"
    return "held"


def _chart(
    leaks: Mapping[str, Sequence[Record]],
    reports: Mapping[str, Record | None],
    factors: Mapping[str, list[float]],
) -> str:
    tones = {s.name: tone_of(leaks[s.name], reports[s.name]) for s in SHOWN}
    medians = {s.name: statistics.median(factors[s.name]) for s in SHOWN if s.name in factors}
    return svg.bars(
        words=svg.Words(
            id="strategies",
            finding=_finding(tones, medians),
            unit=f"Processor time, {TIMES} that of plain pytest",
            description=(
                "A bar for each strategy: the processor time against plain pytest, and by its "
                "colour and sign what becomes of the leaking suite. The tables have the same "
                "figures."
            ),
            legend=LEGEND,
        ),
        bars=[
            svg.Bar(
                name=strategy.title.replace("`", ""),
                length=medians[strategy.name],
                label=f"{medians[strategy.name]:.2f} {TIMES}",
                tone=tones[strategy.name],
            )
            for strategy in SHOWN
            if strategy.name in medians
        ],
    )


def _finding(tones: Mapping[str, svg.Tone], medians: Mapping[str, float]) -> str:
    """Say whether what is recommended holds, and what the guard and the dearest cost."""
    advised = [strategy for strategy in SHOWN if strategy.recommended]
    holding = [strategy.called for strategy in advised if tones[strategy.name] == "held"]
    others = [strategy.called for strategy in advised if tones[strategy.name] != "held"]
    said = [f"no session is lost with {listing(holding)}"] if holding else []
    said += [f"not seen to hold: {listing(others)}"] if others else []
    charted = [strategy for strategy in SHOWN if strategy.name in medians]
    dearest = sorted(charted, key=lambda strategy: medians[strategy.name])[-1:]
    costs = [
        f"{strategy.called} costs {medians[strategy.name]:.2f} {TIMES}"
        for strategy in charted
        if strategy is GUARDED or strategy in dearest
    ]
    words = "; ".join([*said, *costs])
    return words[0].upper() + words[1:]
