"""What is made from the front matter is committed, whole, and in the formats that it says."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Annotated, Literal
from xml.etree import ElementTree as ET

import pytest
import yaml
from mkdocs_blocks.checkout import copy_project
from packaging.version import Version
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from tests.known_issues import catalogue, front_matter
from tests.known_issues.front_matter import Affected, Issue

PROJECT = Path(__file__).parents[2]
FOUND = front_matter.issues(PROJECT)
PAGES = PROJECT / front_matter.PAGES
GENERATED = PROJECT / catalogue.GENERATED
ATOM = "{http://www.w3.org/2005/Atom}"

each_issue = pytest.mark.parametrize("issue", FOUND, ids=lambda issue: issue.id)


class _Format(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class OsvPackage(_Format):
    """`affected[].package`."""

    ecosystem: Literal["PyPI"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    purl: Annotated[str, Field(pattern=r"^pkg:pypi/[a-z0-9-]+$")]


class OsvEvent(_Format):
    """One of `affected[].ranges[].events`: exactly one of its names."""

    introduced: str | None = None
    fixed: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "OsvEvent":
        if (self.introduced is None) == (self.fixed is None):
            raise ValueError("an event is one of introduced and fixed")
        return self


class OsvRange(_Format):
    """One of `affected[].ranges`."""

    type: Literal["ECOSYSTEM"]
    events: Annotated[list[OsvEvent], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> "OsvRange":
        versions = [Version(event.introduced or event.fixed or "") for event in self.events]
        if self.events[0].introduced is None or versions != sorted(set(versions)):
            raise ValueError("a range begins with introduced, and its versions rise")
        return self


class OsvAffected(_Format):
    """One of `affected`."""

    package: OsvPackage
    ranges: Annotated[list[OsvRange], Field(min_length=1)]
    database_specific: dict[str, object] = {}


class OsvReference(_Format):
    """One of `references`."""

    type: Literal["ADVISORY", "ARTICLE", "DISCUSSION", "EVIDENCE", "FIX", "REPORT", "WEB"]
    url: AnyUrl


class OsvRecord(_Format):
    """The fields of OSV's format that are used here, written from its specification, 1.7.5.

    The published JSON Schema is in no package, and is not copied; it accepts each record as well.
    """

    schema_version: Literal["1.7.5"]
    id: Annotated[str, Field(pattern=r"^x_[A-Za-z0-9.-]+$")]
    """With the prefix of a database that OSV does not serve."""
    modified: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
    summary: Annotated[str, Field(min_length=1)]
    details: Annotated[str, Field(min_length=1)]
    affected: Annotated[list[OsvAffected], Field(min_length=1)]
    references: list[OsvReference]
    database_specific: dict[str, object]


def test_what_is_committed_is_what_the_front_matter_makes() -> None:
    """`just known-issues` changes nothing."""
    for path, text in catalogue.generated(PROJECT).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `just known-issues`"


def test_nothing_else_is_generated() -> None:
    """No strip outlives its page."""
    made = {path for path in catalogue.generated(PROJECT) if path.parent == GENERATED}
    assert set(GENERATED.iterdir()) == made


def test_a_change_of_one_page_is_all_that_it_takes(tmp_path: Path) -> None:
    """What is written anew is what the page has changed; a second time, nothing."""
    project = tmp_path / "project"
    copy_project(PROJECT, project)
    assert catalogue.write(project) == []
    page = project / front_matter.PAGES / "shared-port.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("status: by design", "status: open"), encoding="utf-8")
    stray = project / catalogue.GENERATED / "gone.md"
    stray.write_text("The page is no more.\n")
    assert {path.name for path in catalogue.write(project)} == {
        "gone.md",
        "known-issues.json",
        "shared-port.md",
    }
    assert not stray.exists()
    assert catalogue.write(project) == []


def test_a_mark_that_is_gone_is_told(tmp_path: Path) -> None:
    """Nothing is written into a navigation that has no place for it."""
    project = tmp_path / "project"
    copy_project(PROJECT, project)
    settings = project / "mkdocs.yml"
    marked = settings.read_text(encoding="utf-8")
    settings.write_text(marked.replace("# End of what", "# End of that"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"^mkdocs.yml:1: a mark is gone; write .*End of what"):
        catalogue.write(project)


def test_a_comment_in_the_front_matter_is_no_heading(tmp_path: Path) -> None:
    """It begins as one does."""
    page = tmp_path / "page.md"
    page.write_text("---\n# Why.\nid: page\n---\n\n# `Closed` { #closed }\n", encoding="utf-8")
    assert catalogue.heading(page) == "`Closed`"


@each_issue
def test_each_page_begins_with_its_message(issue: Issue) -> None:
    """The heading is a text of the log, where there is one; strip and question come next."""
    text = front_matter.page_of(PROJECT, issue).read_text(encoding="utf-8")
    heading = catalogue.heading(front_matter.page_of(PROJECT, issue))
    shown = "".join(re.findall(r"^```console$.*?^```$", text, re.MULTILINE | re.DOTALL))
    known = " ".join([shown, issue.title, *issue.messages, *issue.signs])
    said = [part for code in re.findall(r"`([^`]+)`", heading) for part in code.split(" … ")]
    assert not issue.messages or any(part in known for part in said), heading
    strip = f'\n# {heading}\n\n--8<-- "{catalogue.GENERATED}/{issue.id}.md"\n'
    if strip not in text:  # a strip of its own, with more from the data
        (state,) = re.findall(
            r"^Status\n:   \*\*([A-Z][a-z ]+?)(?: in [\w-]+)?\*\*", text, re.MULTILINE
        )
        assert state.lower() == issue.status
    order = [
        re.search(rf"^## {title}", text, re.MULTILINE)
        for title in ("Is it this\\?", "(Cure|Close|A handler|The fix)", "When (to|the cure)")
    ]
    places = [found.start() for found in order if found]
    assert len(places) == len(order)
    assert places == sorted(places)


@each_issue
def test_each_issue_has_one_row(issue: Issue) -> None:
    """The row has the messages, what it is, and what to do; it leads to the page."""
    rows = [
        line
        for line in catalogue.index(PROJECT, FOUND).splitlines()
        if f"({issue.id}.md)" in line.partition("|")[2].partition("|")[0]
    ]
    (row,) = rows
    for text in (*issue.messages, issue.workaround):
        assert text.replace("|", "\\|") in row


def test_the_navigation_has_each_page_once() -> None:
    """As mkdocs reads it."""
    listed = yaml.safe_load(catalogue.navigation(PROJECT, FOUND))
    pages = [page for group in listed for entry in group.values() for page in entry]
    named = [path for page in pages for path in page.values()]
    assert sorted(named) == sorted(
        f"known-issues/{page.name}"
        for issue in FOUND
        for page in [
            front_matter.page_of(PROJECT, issue),
            *front_matter.further_pages(PROJECT)[issue.id],
        ]
    )


def test_the_issues_are_in_osv_s_format() -> None:
    """Each record is whole, and says of its packages what the page says."""
    text = (PAGES / "known-issues.json").read_text(encoding="utf-8")
    records = TypeAdapter(list[OsvRecord]).validate_json(text)
    assert [record.id.removeprefix("x_grpc-aio-under-pytest-") for record in records] == [
        issue.id for issue in FOUND
    ]
    for record, issue in zip(records, FOUND, strict=True):
        assert [each.package.name for each in record.affected] == [
            package.name for package in issue.packages
        ]
        assert [each.ranges[0].events[0].introduced for each in record.affected] == [
            package.introduced for package in issue.packages
        ]
        fixed = [[event.fixed for event in each.ranges[0].events[1:]] for each in record.affected]
        assert fixed == [[p.fixed] if p.fixed else [] for p in issue.packages]


@pytest.mark.parametrize(
    "wrong",
    [
        {"modified": "yesterday"},
        {"id": "PYSEC-1"},
        {"affected": []},
        {"colour": "red"},
        {"references": [{"type": "REPORT", "url": "grpc"}]},
        {"references": [{"type": "HEARSAY", "url": "https://example.org/"}]},
    ],
)
def test_a_record_in_another_format_is_refused(wrong: dict[str, object]) -> None:
    """The model of the format is one that can refuse."""
    record = json.loads((PAGES / "known-issues.json").read_text(encoding="utf-8"))[0]
    with pytest.raises(ValueError, match=next(iter(wrong))):
        OsvRecord.model_validate_json(json.dumps(record | wrong))


def test_the_feed_has_each_issue() -> None:
    """A feed reader finds a title, an id, a date and a link in each entry, the newest first."""
    root = ET.fromstring((PAGES / "feed.xml").read_text(encoding="utf-8"))  # noqa: S314 - our own
    assert root.tag == f"{ATOM}feed"
    for name in ("title", "id", "updated", "author"):
        assert root.find(f"{ATOM}{name}") is not None
    entries = root.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids) == len(FOUND)
    dates = [dt.datetime.fromisoformat(entry.findtext(f"{ATOM}updated") or "") for entry in entries]
    assert dates == sorted(dates, reverse=True)
    assert root.findtext(f"{ATOM}updated") == entries[0].findtext(f"{ATOM}updated")
    for entry in entries:
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert (PAGES / f"{link.attrib['href'].removesuffix('/')}.md").is_file()


@pytest.mark.parametrize(
    ("introduced", "fixed", "said"),
    [
        ("0", None, "thing of every version"),
        ("0", "1.80.0", "thing before 1.80.0"),
        ("1.80.0", None, "thing 1.80.0 and later"),
        ("1.80.0", "1.81.0", "thing 1.80.0, until 1.81.0"),
    ],
)
def test_affected_releases_are_said_in_words(introduced: str, fixed: str | None, said: str) -> None:
    """As the strip has them."""
    assert catalogue.affected(Affected(name="thing", introduced=introduced, fixed=fixed)) == said
