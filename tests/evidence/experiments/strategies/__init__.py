"""What each way to run a leaking suite does to the crash, to the report, and to the cost."""

from tests.evidence.experiment import Experiment
from tests.evidence.experiments.strategies import measuring, wording

EXPERIMENT = Experiment(name="strategies", cells=measuring.cells, sections=wording.sections)
