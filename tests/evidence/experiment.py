"""What an experiment is: cells to measure, and the sections that pages draw from their records."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.evidence import records
from tests.evidence.campaign import Cell
from tests.evidence.markdown import marked, with_data
from tests.evidence.records import Record

Pins = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One question that is answered by measuring."""

    name: str
    """As `just evidence NAME` takes it; also the name of its data, snippets and page."""
    cells: Callable[[Pins], Sequence[Cell]]
    sections: Callable[[Sequence[Record]], Mapping[str, str]]
    """Returns the Markdown of each section; pages include them by name."""
    varies: frozenset[str] = frozenset()
    """The packages of which it measures other versions than the pins too."""
    texts: Callable[[Sequence[Record]], Mapping[str, str]] = lambda _: {}
    """Returns further files, for commands on pages to show: file name and content."""
    on_its_own: bool = False
    """Whether a recipe of its own measures it, and not `just evidence`."""

    def data(self, folder: Path) -> Path:
        """Name its data file below docs/evidence/."""
        return folder / "data" / f"{self.name}.json"

    def rendered(self, folder: Path) -> dict[Path, str]:
        """Return the files that its data make below docs/evidence/: snippets, and its texts."""
        measured = records.read(self.data(folder))
        sections = {
            name: with_data(text, self.name) for name, text in self.sections(measured).items()
        }
        generated = folder / "generated"
        head = f"<!-- Generated from data/{self.name}.json by `just evidence`. -->"
        return {
            generated / f"{self.name}.md": f"{head}\n\n{marked(sections)}",
            **{generated / name: text for name, text in self.texts(measured).items()},
        }

    def render(self, folder: Path) -> None:
        """Write the files that its data make."""
        for path, text in self.rendered(folder).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


class Data:
    """The data files below docs/evidence/, which is all that campaigns remember."""

    def __init__(self, folder: Path, experiments: Mapping[str, Experiment], pins: Pins) -> None:
        """Take the records of these experiments from below `folder`, and put them there."""
        self._folder = folder
        self._experiments = experiments
        self._pins = pins
        self._lock = threading.Lock()

    def recall(self, cell: Cell) -> Record | None:
        """Return the record of a cell, if there is one."""
        with self._lock:
            return self._known(cell.experiment).get(records.named(cell.parameters))

    def keep(self, cell: Cell, record: Record) -> None:
        """Put a record into its file, in the order of the cells, and write what the file says.

        Records of cells that are no more are dropped.
        """
        experiment = self._experiments[cell.experiment]
        order = [records.named(cell.parameters) for cell in experiment.cells(self._pins)]
        with self._lock:
            known = self._known(experiment.name) | {record.name: record}
            kept = [known[name] for name in order if name in known]
            records.write(experiment.data(self._folder), kept)
            experiment.render(self._folder)

    def _known(self, experiment: str) -> dict[str, Record]:
        path = self._experiments[experiment].data(self._folder)
        return {record.name: record for record in records.read(path)}
