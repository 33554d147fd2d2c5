"""A campaign measures each cell once, and again when what it rests on has changed."""

import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.evidence import records
from tests.evidence.campaign import Bench, Campaign, Cell, Finding
from tests.evidence.environments import (
    NO_INTERPRETER,
    NO_WHEEL,
    Environment,
    Environments,
    Unavailable,
    Unreachable,
)
from tests.evidence.experiment import Data, Experiment
from tests.evidence.records import Record


class Measurement:
    """Measures nothing, and knows how often."""

    def __init__(self) -> None:
        """Start with none."""
        self.benches: list[Bench] = []

    def __call__(self, bench: Bench) -> Finding:
        """Find that every run passed."""
        self.benches.append(bench)
        return Finding(runs=bench.runs, outcomes={"passed": bench.runs})


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> Measurement:
    """A measurement, in environments that need no installation."""

    def make(_: Environments, python: str, packages: Mapping[str, str]) -> Environment:
        if packages.get("thing") == "none":
            raise Unavailable(NO_WHEEL)
        if packages.get("thing") == "unreachable":
            raise Unreachable("no network")
        return Environment(
            python=Path(sys.executable), release=f"{python}.7", packages={**packages, "other": "1"}
        )

    monkeypatch.setattr(Environments, "make", make)
    return Measurement()


def cell(measure: Measurement, thing: str = "1.0", *inputs: Path, alone: bool = False) -> Cell:
    """Return a cell that depends on a version of one package."""
    return Cell(
        experiment="things",
        parameters={"thing": thing},
        python="3.13",
        packages={"thing": thing},
        runs=3,
        measure=measure,
        inputs=inputs,
        alone=alone,
    )


def run(folder: Path, *cells: Cell, again: bool = False, runs: int | None = None) -> list[Record]:
    """Run a campaign of its own, whose memory are the data in a folder."""
    things = Experiment(name="things", cells=lambda _: cells, sections=lambda _: {})
    memory = Data(folder, {"things": things}, {})
    return Campaign(folder, memory, Console(), again=again).run(cells, jobs=2, runs=runs)


def test_a_record_says_what_was_measured(tmp_path: Path, measure: Measurement) -> None:
    """It has the interpreter, the versions that the cell asked for, and the outcomes."""
    (record,) = run(tmp_path, cell(measure))
    assert (record.parameters, record.python, record.packages) == (
        {"thing": "1.0"},
        "3.13.7",
        {"thing": "1.0"},
    )
    assert (record.runs, record.outcomes) == (3, {"passed": 3})


def test_a_finished_cell_is_not_measured_again(tmp_path: Path, measure: Measurement) -> None:
    """A second campaign gives the same records, and measures only what is new."""
    first = run(tmp_path, cell(measure))
    second = run(tmp_path, cell(measure, "2.0"), cell(measure))
    assert second[1:] == first
    assert len(measure.benches) == 2


def test_again_measures_again(tmp_path: Path, measure: Measurement) -> None:
    """What is finished is measured anew when it is asked for."""
    run(tmp_path, cell(measure))
    run(tmp_path, cell(measure), again=True)
    assert len(measure.benches) == 2


def test_other_runs_are_another_measurement(tmp_path: Path, measure: Measurement) -> None:
    """A sanity check of one run does not pass for the real thing."""
    run(tmp_path, cell(measure), runs=1)
    (record,) = run(tmp_path, cell(measure))
    assert record.runs == 3
    assert [bench.runs for bench in measure.benches] == [1, 3]


def test_a_changed_input_voids_a_result(tmp_path: Path, measure: Measurement) -> None:
    """A cell is measured again when a file that it runs has changed, in a folder too."""
    suite = tmp_path / "suite"
    suite.mkdir()
    for text in ("assert 1", "assert 1", "assert 2"):
        (suite / "test_it.py").write_text(text)
        run(tmp_path, cell(measure, "1.0", suite))
    assert len(measure.benches) == 2


def test_a_finished_cell_is_kept_at_once(tmp_path: Path, measure: Measurement) -> None:
    """What was measured before a campaign breaks off is data, in the place of what was known."""
    run(tmp_path, cell(measure, "1.0"), cell(measure, "2.0"))

    def fail(_: Bench) -> Finding:
        kept = records.read(tmp_path / "data/things.json")
        assert [(r.packages["thing"], r.runs) for r in kept] == [("1.0", 5), ("2.0", 3)]
        raise KeyboardInterrupt

    broken = replace(cell(measure, "2.0"), measure=fail, alone=True)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, cell(measure, "1.0"), broken, runs=5)
    assert [r.runs for r in records.read(tmp_path / "data/things.json")] == [5, 3]


def test_what_is_unavailable_is_recorded(tmp_path: Path, measure: Measurement) -> None:
    """No wheel is a result: the record says so, and the others are measured."""
    absent, present = run(tmp_path, cell(measure, "none"), cell(measure))
    assert (absent.unavailable, absent.runs, absent.outcomes) == (NO_WHEEL, 0, {})
    assert present.outcomes == {"passed": 3}


def test_a_missing_interpreter_is_asked_for_again(
    tmp_path: Path, measure: Measurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the Python is installed, its cell is measured."""

    def make(*_: object) -> None:
        raise Unavailable(NO_INTERPRETER)

    with monkeypatch.context() as without:
        without.setattr(Environments, "make", make)
        assert run(tmp_path, cell(measure))[0].unavailable == NO_INTERPRETER
    assert run(tmp_path, cell(measure))[0].outcomes == {"passed": 3}


def test_what_cannot_be_asked_for_ends_the_campaign(tmp_path: Path, measure: Measurement) -> None:
    """Without a network there is no record, but what was finished before is kept."""
    run(tmp_path, cell(measure))
    with pytest.raises(Unreachable, match="no network"):
        run(tmp_path, cell(measure, "unreachable"))
    run(tmp_path, cell(measure))
    assert len(measure.benches) == 1


def test_a_timed_cell_runs_alone(tmp_path: Path, measure: Measurement) -> None:
    """What takes the time starts only when all else has ended."""
    ended: list[str] = []
    meet = threading.Barrier(2, timeout=60)

    def beside(name: str) -> Cell:
        def work(bench: Bench) -> Finding:
            meet.wait()  # both run at the same time, or never
            ended.append(name)
            return measure(bench)

        return Cell(
            experiment="things",
            parameters={"name": name},
            python="3.13",
            packages={},
            runs=1,
            measure=work,
        )

    def time(bench: Bench) -> Finding:
        assert sorted(ended) == ["one", "two"]
        return measure(bench)

    timed = Cell(
        experiment="things",
        parameters={"name": "timed"},
        python="3.13",
        packages={},
        runs=1,
        measure=time,
        alone=True,
    )
    assert len(run(tmp_path, timed, beside("one"), beside("two"))) == 3


def test_further_environments_that_cannot_be_made_are_left_out(
    tmp_path: Path, measure: Measurement
) -> None:
    """A cell that compares several gets those that there are."""
    both = Cell(
        experiment="things",
        parameters={"name": "both"},
        python="3.13",
        packages={},
        others={"there": {"thing": "1.0"}, "absent": {"thing": "none"}},
        runs=1,
        measure=measure,
    )
    run(tmp_path, both)
    assert measure.benches[0].others.keys() == {"there"}
