"""Which strategy a page recommends is decided by the data: another datum, another answer."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.evidence import records
from tests.evidence.__main__ import DOCS, EXPERIMENTS
from tests.evidence.experiments.strategies import choosing
from tests.evidence.markdown import TIMES
from tests.evidence.records import Record
from tests.evidence.subjects import PROJECT

EXPERIMENT = EXPERIMENTS["strategies"]
MEASURED = records.read(EXPERIMENT.data(DOCS))
PAGE = (PROJECT / "docs/guides/isolation.md").read_text(encoding="utf-8")
QUESTIONS = [question.text for question in (*choosing.QUESTIONS, choosing.OTHERWISE)]
MEND, LEAK, CRASH, SLOW, NONE = QUESTIONS


def answers(measured: Sequence[Record]) -> dict[str, str]:
    """Return what the table answers to each question: the strategy, without its link."""
    rows = [line.split(" | ") for line in EXPERIMENT.sections(measured)["choices"].split("\n")[2:]]
    return {row[0].removeprefix("| "): re.sub(r"\[(.+)\]\(.+\)", r"\1", row[1]) for row in rows}


def changed(change: Callable[[Record], Record], **values: str) -> list[Record]:
    """Return the records, some of them changed."""
    some = records.where(MEASURED, **values)
    assert some
    return [change(record) if record in some else record for record in MEASURED]


def losing(record: Record) -> Record:
    """Return a record of which one session was lost."""
    return replace(record, outcomes={"passed": record.runs - 1, "crashed": 1})


def keeping(record: Record) -> Record:
    """Return a record of which no session was lost."""
    return replace(record, outcomes={"passed": record.runs})


def silent(record: Record) -> Record:
    """Return a record of a session that is green when the teardown of a test crashes."""
    teardown = {"session": "passed", "tests": {"test_crashes": ["passed"]}}
    return replace(record, facts={**record.facts, "teardown": teardown})


def test_what_is_recommended_comes_first() -> None:
    """The fix, then the guard, then what contains a crash, then what is quick, then nothing."""
    assert answers(MEASURED) == {
        MEND: "stop the server in its loop",
        LEAK: "the guard, `pytest-grpc-guard`",
        CRASH: "`--forked`",
        SLOW: r"pytest-xdist, `-n 2`",
        NONE: "nothing",
    }


@pytest.mark.parametrize(
    ("strategy", "change", "question", "instead"),
    [
        ("stopped", losing, MEND, "none of those that were measured"),
        ("guard", losing, LEAK, "none of those that were measured"),
        ("forked", losing, CRASH, "pytest-isolate"),
        ("forked", silent, CRASH, "pytest-isolate"),
        ("xdist", losing, SLOW, "pytest-zygote, 2 workers"),
        ("module-loops-2", keeping, LEAK, "module-scoped loops, one module"),
    ],
)
def test_another_datum_gives_another_answer(
    strategy: str, change: Callable[[Record], Record], question: str, instead: str
) -> None:
    """What loses a session, or hides a crash, is recommended no more; table and picture say so."""
    measured_as = "report" if change is silent else "leak"
    measured = changed(change, strategy=strategy, measured=measured_as)
    assert answers(measured)[question].startswith(instead)
    picture = EXPERIMENT.sections(measured)["choice"]
    assert re.search(rf">\S {instead}", picture)
    assert answers(measured) | {question: ""} == answers(MEASURED) | {question: ""}


def test_what_is_no_isolation_is_named_with_the_reason() -> None:
    """A strategy that begins to lose sessions is among them; one that contains is not."""
    row = "| `--forked` | sessions lost: 3/60 |"
    assert "`--forked`" not in EXPERIMENT.sections(MEASURED)["not-chosen"]
    measured = changed(losing, strategy="forked", measured="leak")
    assert row in EXPERIMENT.sections(measured)["not-chosen"].split("\n")


def test_a_tick_is_for_what_holds() -> None:
    """Only what lost nothing and blamed nobody wears one, and is in the title; figures are data."""
    picture = EXPERIMENT.sections(MEASURED)["choice"]
    assert re.findall(r">(✓|≠|✗) (.+?)</text>", picture) == [
        ("✓", "stop the server in its loop"),
        ("✓", "the guard, pytest-grpc-guard"),
        ("✓", "--forked"),
        ("≠", "pytest-xdist, -n 2"),
        ("✗", "nothing"),
    ]
    finding = "What holds: stopping the server; the guard; --forked"
    assert finding in picture
    lost = EXPERIMENT.sections(changed(losing, strategy="guard", measured="leak"))["choice"]
    assert finding.replace(" the guard;", "") in lost
    cost = records.find(MEASURED, measured="cost", compared="all")
    assert cost
    seconds = {**cost.facts["cpu"], "forked": [5 * each for each in cost.facts["cpu"]["nothing"]]}
    dearer = replace(cost, facts={**cost.facts, "cpu": seconds})
    measured = [dearer if record is cost else record for record in MEASURED]
    assert f"5.00 {TIMES}" in EXPERIMENT.sections(measured)["choice"]


def test_without_data_nothing_is_recommended() -> None:
    """What was not measured is no answer."""
    assert set(answers([]).values()) == {"none of those that were measured", "nothing"}


@pytest.mark.parametrize("section", ["choice", "choices", "instead", "not-chosen"])
def test_the_page_has_each_section(section: str) -> None:
    """The page of the decision shows all that is made for it."""
    assert f'--8<-- "docs/evidence/generated/strategies.md:{section}"' in PAGE
