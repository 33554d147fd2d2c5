"""The pieces that generated snippets are made of: tables, counts and the line of provenance."""

from collections.abc import Iterable, Mapping, Sequence

from tests.evidence.records import Record

NOT_MEASURED = "not measured"
TIMES = "\N{MULTIPLICATION SIGN}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar in a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def with_data(section: str, experiment: str) -> str:
    """Return a section with a link to its data below it, if it is a table or a chart.

    The link leads from any page that is one folder below docs/.
    """
    if not section.startswith(("|", "<figure")):
        return section
    link = f"[{experiment}.json](../evidence/data/{experiment}.json)"
    return f"{section}\n\nThe data: {link}\n{{ .data-link }}"


def marked(sections: Mapping[str, str]) -> str:
    """Return sections between the marks by which a page includes them."""
    return "\n".join(
        f"<!-- --8<-- [start:{name}] -->\n{text}\n<!-- --8<-- [end:{name}] -->\n"
        for name, text in sections.items()
    )


def share(count: int, runs: int) -> str:
    """Return `3/20`."""
    return f"{count}/{runs}"


def share_lost(record: Record | None) -> str:
    """Return how many sessions of a cell were lost, or why there is no such figure."""
    if record is None:
        return NOT_MEASURED
    return record.unavailable or share(record.lost, record.runs)


def endings(record: Record | None, words: Mapping[str, str]) -> str:
    """Return how the runs of a cell ended, `crashes 3/5, hangs 2/5`, or why that is not known.

    `words` has what each outcome is called, in the order in which they are named; outcomes that it
    does not have are left out.
    """
    if record is None or record.unavailable:
        return record.unavailable if record else NOT_MEASURED
    return ", ".join(
        f"{word} {share(record.count(outcome), record.runs)}"
        for outcome, word in words.items()
        if record.count(outcome)
    )


def listing(words: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def dated(records: Sequence[Record]) -> str:
    """Say on which day the records were made, or from which day to which."""
    dates = sorted({record.date for record in records})
    return " to ".join(dates[:: len(dates) - 1] if dates[1:] else dates) or NOT_MEASURED


def provenance(records: Sequence[Record], command: str, **tools: str) -> str:
    """Say when, where and with what the records were made, and by which command.

    `tools` are further versions, by name.
    """
    if not records:
        return f"Not measured yet: `{command}`."
    # `just bench` always measures anew; the others, what has changed.
    again = command if command == "just bench" else f"{command} --again"
    measured = [record for record in records if not record.unavailable]
    pythons = sorted({record.python for record in measured}, key=_numbers)
    versions: dict[str, set[str]] = {}
    for record in measured:
        for name, version in record.packages.items():
            versions.setdefault(name, set()).add(version)
    versions |= {name: {version} for name, version in tools.items()}
    said = [
        f"{name} {listing(sorted(found, key=_numbers))}" for name, found in sorted(versions.items())
    ]
    where = listing(sorted({record.platform for record in records}))
    return (
        f"Measured {dated(records)} on {where}, CPython {listing(pythons)}, "
        f"with {'; '.join(said)}. Again: `{again}`."
    )


def _numbers(version: str) -> tuple[tuple[int, str], ...]:
    """Order versions by their numbers."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in version.split("."))
