"""The experiments: each a module or a package here, named as `just evidence` takes it.

To add one, add a module with an `EXPERIMENT`, and the page docs/evidence/NAME.md that shows it.
"""

import importlib
import pkgutil

from tests.evidence.experiment import Experiment


def load() -> dict[str, Experiment]:
    """Return every experiment of this folder by its name, in the order of the names."""
    modules = (
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    )
    experiments: list[Experiment] = [module.EXPERIMENT for module in modules]
    return {experiment.name: experiment for experiment in experiments}
