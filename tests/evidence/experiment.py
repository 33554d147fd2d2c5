"""What an experiment is: cells to measure, and the sections that pages draw from their records."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.evidence import records
from tests.evidence.campaign import Cell
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

    def update(self, folder: Path, measured: Sequence[Record], pins: Pins) -> None:
        """Put records into its data file, in its cells' order; drop cells that are no more."""
        known = {record.name: record for record in records.read(self.data(folder))}
        known |= {record.name: record for record in measured}
        order = [records.named(cell.parameters) for cell in self.cells(pins)]
        records.write(self.data(folder), [known[name] for name in order if name in known])

    def rendered(self, folder: Path) -> dict[Path, str]:
        """Return the files that its data make below docs/evidence/: snippets, and its texts."""
        measured = records.read(self.data(folder))
        marked = "\n".join(
            f"<!-- --8<-- [start:{name}] -->\n{text}\n<!-- --8<-- [end:{name}] -->\n"
            for name, text in self.sections(measured).items()
        )
        generated = folder / "generated"
        head = f"<!-- Generated from data/{self.name}.json by `just evidence`. -->"
        return {
            generated / f"{self.name}.md": f"{head}\n\n{marked}",
            **{generated / name: text for name, text in self.texts(measured).items()},
        }
