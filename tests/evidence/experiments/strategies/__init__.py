"""What each way to run a leaking suite does to the crash, to the report, and to the cost."""

from collections.abc import Mapping, Sequence

from tests.evidence.experiment import Experiment
from tests.evidence.experiments.strategies import choosing, measuring, wording
from tests.evidence.records import Record


def _sections(records: Sequence[Record]) -> Mapping[str, str]:
    return {**wording.sections(records), **choosing.sections(records)}


EXPERIMENT = Experiment(name="strategies", cells=measuring.cells, sections=_sections)
