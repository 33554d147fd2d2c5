"""What is made from the front matter of the known issues, and committed.

The rows of the index, a status strip for each page, the navigation in mkdocs.yml, the issues in
OSV's format, a feed, the rows of the watch, and what the triage knows.
"""

import json
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.evidence.experiments.issues import EXPERIMENT as MEASURED
from tests.evidence.experiments.issues import section
from tests.evidence.markdown import listing, table
from tests.known_issues import triage
from tests.known_issues.front_matter import (
    PAGES,
    Affected,
    Group,
    Issue,
    Severity,
    Status,
    Watch,
    further_pages,
    issues,
    page_of,
)

GENERATED = f"{PAGES}/generated"
HEAD = "<!-- Made from the front matter of the pages by `just known-issues`. -->\n"

TITLES = {
    Group.CRASH: "The process dies",
    Group.HANG: "The run hangs",
    Group.EVENT_LOOP: "Event loops",
    Group.IMPORT: "Imports and generated code",
    Group.CONNECTION: "Connections and ports",
    Group.FORK: "Forks and children",
    Group.SILENT: "Slow, wrong or noisy",
}
"""What the index and the navigation call each group."""

# The marks in a file between which what is made is written; a comment's sign comes first.
_BEGIN = "Made from the front matter of the pages by `just known-issues`: begin.\n"
_END = "End of what `just known-issues` makes.\n"

_OSV_VERSION = "1.7.5"
_OSV_PREFIX = "x_grpc-aio-under-pytest-"
"""OSV's own prefix for a database that it does not serve, and the name of this one."""
_ATOM = "http://www.w3.org/2005/Atom"


def generated(project: Path) -> dict[Path, str]:
    """Return each file that the front matter makes, and what it has to contain.

    Raises `ValueError`: see `front_matter.issues`; or mkdocs.yml has lost a mark.
    """
    found = issues(project)
    folder = project / GENERATED
    return {
        **{
            folder / f"{issue.id}.md": HEAD + strip(issue)
            for issue in found
            if f"{GENERATED}/{issue.id}.md" in page_of(project, issue).read_text(encoding="utf-8")
        },
        folder / "index.md": HEAD + "\n" + index(project, found),
        folder / "watch.md": HEAD + "\n" + watched(found),
        **MEASURED.rendered(project / "docs/evidence"),
        project / PAGES / "known-issues.json": osv(found),
        project / PAGES / "feed.xml": feed(found),
        folder / "triage.md": HEAD + "\n" + triage.messages(found),
        project / triage.PYTHON: renewed(project, triage.PYTHON, "# ", triage.python(found)),
        project / triage.JAVASCRIPT: renewed(
            project, triage.JAVASCRIPT, "// ", triage.javascript(found)
        ),
        project / "mkdocs.yml": renewed(
            project, "mkdocs.yml", "      # ", navigation(project, found)
        ),
    }


def write(project: Path) -> list[Path]:
    """Write what the front matter makes; return the files that were not so before."""
    changed = []
    files = generated(project)
    for stray in set((project / GENERATED).glob("*")) - files.keys():
        stray.unlink()
        changed.append(stray)
    for path, text in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def heading(page: Path) -> str:
    """Return a page's first heading, as Markdown."""
    text = re.sub(
        r"\A---$.*?^---$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    found = re.search(r"^# (.+?)(?: \{.*\})?$", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{PAGES}/{page.name}:1: has no heading; write `# ` and the message")
    return found[1]


def strip(issue: Issue) -> str:
    """Return the status strip of an issue's page."""
    state = {
        Status.OPEN: "**Open**{ .is-open }",
        Status.BY_DESIGN: "**By design**{ .is-open }",
        Status.FIXED: "**Fixed**{ .is-fixed }",
    }[issue.status]
    entries = {
        "Status": state if issue.since == "always" else f"{state}, since {issue.since}",
        "Affected": ", ".join(affected(package) for package in issue.packages),
        "What it does": _DOES[issue.severity],
        "Way out": issue.workaround,
    }
    if issue.examples:
        measured = f"docs/evidence/generated/issues.md:{section(issue.id)}"
        entries["Last measured"] = "\n    ".join(
            ["<!-- from the data -->", f'--8<-- "{measured}"', "([how](../evidence/issues.md))"]
        )
    terms = "\n\n".join(f"{term}\n:   {text}" for term, text in entries.items())
    return f'<div class="status-strip" markdown>\n\n{terms}\n\n</div>\n'


_DOES = {
    Severity.CRASH: "A process dies",
    Severity.HANG: "A test or the run hangs",
    Severity.FAILURE: "Tests fail",
    Severity.WRONG: "A result is wrong, without a failure",
    Severity.SLOW: "Tests are slow",
    Severity.NOISE: "Noise in logs, which fails strict tests",
}


def affected(package: Affected) -> str:
    """Say in words which releases of a package have an issue."""
    about = f" (`{package.of}`)" if package.of else ""
    if package.introduced == "0":
        which = f"before {package.fixed}" if package.fixed else "of every version"
    elif package.fixed:
        which = f"{package.introduced}, until {package.fixed}"
    else:
        which = f"{package.introduced} and later"
    return f"{package.name} {which}{about}"


def index(project: Path, found: Sequence[Issue]) -> str:
    """Return the tables of the index, one for each group."""
    parts = []
    for group, members in groupby(found, key=lambda issue: issue.group):
        rows = ([_seen(project, issue), issue.cause, issue.workaround] for issue in members)
        head = ["What you see", "What it is", "What to do"]
        parts.append(f"## {TITLES[group]}\n\n{table(head, rows)}\n")
    return "\n".join(parts)


def _seen(project: Path, issue: Issue) -> str:
    """Return what a reader sees of an issue: the heading of its page, and further messages."""
    said = heading(page_of(project, issue))
    further = [f"`{message}`" for message in issue.messages if message not in said]
    return "<br>".join([f"[{said}]({issue.id}.md)", *further])


def watched(found: Sequence[Issue]) -> str:
    """Return the list of what the watch asks of the newest releases, for the page of the watch."""
    lines = (
        f"- [{issue.nav}](../known-issues/{issue.id}.md): the run `{watch.run}` of its suite shows "
        f"what it did, with the newest {listing(watch.newest)}."
        for issue in found
        for watch in issue.watch
        if isinstance(watch, Watch)
    )
    return "\n".join(lines) + "\n"


def navigation(project: Path, found: Sequence[Issue]) -> str:
    """Return the lines of mkdocs.yml with the issues, and the further pages of each."""
    further = further_pages(project)
    lines = []
    for group, members in groupby(found, key=lambda issue: issue.group):
        lines.append(f"      - {TITLES[group]}:\n")
        for issue in members:
            lines.append(_entry(issue.nav, page_of(project, issue)))
            lines += [_entry(heading(page), page) for page in further[issue.id]]
    return "".join(lines)


def renewed(project: Path, name: str, comment: str, made: str) -> str:
    """Return a file of the project with what is made between its two marks.

    Each mark is a line, which begins with `comment`. Raises `ValueError` when one is gone.
    """
    text = (project / name).read_text(encoding="utf-8")
    before, begin, rest = text.partition(comment + _BEGIN)
    _, end, after = rest.partition(comment + _END)
    if not begin or not end:
        lost = comment + (_END if begin else _BEGIN)
        raise ValueError(f"{name}:1: a mark is gone; write {lost!r}")
    return f"{before}{begin}{made}{end}{after}"


def _entry(name: str, page: Path) -> str:
    """Return a line of the navigation; quotes where YAML needs them."""
    name = name.replace("`", "")
    plain = re.fullmatch(r"[A-Za-z][\w .,()/'-]*", name)
    return f"          - {name if plain else json.dumps(name)}: known-issues/{page.name}\n"


def osv(found: Sequence[Issue]) -> str:
    """Return the issues as a list of records in the format of Open Source Vulnerabilities.

    The format is meant for vulnerabilities, which these are not; what it is used for here is that
    programs know how to read which releases are affected.
    """
    records = [
        {
            "schema_version": _OSV_VERSION,
            "id": f"{_OSV_PREFIX}{issue.id}",
            "modified": f"{issue.changed}T00:00:00Z",
            "summary": issue.title,
            "details": issue.description,
            "affected": [_affected(package) for package in issue.packages],
            "references": [{"type": "REPORT", "url": str(url)} for url in issue.upstream],
            "database_specific": issue.model_dump(
                mode="json",
                include={
                    "messages",
                    "signs",
                    "since",
                    "status",
                    "severity",
                    "cause",
                    "workaround",
                    "remove_when",
                },
            ),
        }
        for issue in found
    ]
    return json.dumps(records, indent=2, ensure_ascii=False) + "\n"


def _affected(package: Affected) -> dict[str, object]:
    events = [{"introduced": package.introduced}]
    if package.fixed:
        events.append({"fixed": package.fixed})
    record: dict[str, object] = {
        "package": {
            "ecosystem": "PyPI",
            "name": package.name,
            "purl": f"pkg:pypi/{package.name}",
        },
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return record | ({"database_specific": {"of": package.of}} if package.of else {})


def feed(found: Sequence[Issue]) -> str:
    """Return an Atom feed of the issues, the one that has changed last first.

    Its links are relative to its own address, since the site has none of its own yet.
    """
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    _add(root, "title", "Known issues of gRPC test suites under pytest")
    _add(root, "id", "urn:grpc-aio-under-pytest:known-issues")
    _add(root, "updated", f"{max(issue.changed for issue in found)}T00:00:00Z")
    _add(root, "link", rel="self", href="feed.xml")
    _add(root, "link", href="./")
    _add(_add(root, "author"), "name", "grpc.aio under pytest")
    for issue in sorted(found, key=lambda issue: issue.changed, reverse=True):
        entry = _add(root, "entry")
        _add(entry, "title", issue.title)
        _add(entry, "id", f"urn:grpc-aio-under-pytest:known-issues:{issue.id}")
        _add(entry, "updated", f"{issue.changed}T00:00:00Z")
        _add(entry, "link", href=f"{issue.id}/")
        _add(entry, "category", term=issue.group)
        _add(entry, "summary", issue.description)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = text
    return element
