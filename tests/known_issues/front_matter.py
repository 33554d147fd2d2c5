"""The front matter of a known issue's page: what it says, read and checked.

One page is one issue. The index, the navigation, known-issues.json, the feed, the triage and the
watch are made from what is here.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from docs.assets import triage
from tests.known_issues import suites
from tests.known_issues.faults import FaultyError, text_of, told

PAGES = "docs/known-issues"
"""The folder of the pages, below the project's root."""
FURTHER = ("README.md", "triage.md", "not-reproduced.md")
"""Pages of the folder that are neither an issue, nor a report, nor a further page of an issue."""
REPORTS = "upstream-report*.md"
TODO = "TODO "
"""What a text of a new page begins with, as long as nobody has written it."""
TAKEN = ("generated", "index", "readme", "triage", "watch")
"""What no issue can be called: its page, address or snippet would be that of something else."""
_T = TypeVar("_T")

_LEAST = 4
"""How many letters the triage looks for at least, before an ellipsis."""


class Group(StrEnum):
    """The kind of symptom under which the index and the navigation list an issue, in this order."""

    CRASH = "crash"
    HANG = "hang"
    EVENT_LOOP = "event loop"
    IMPORT = "import"
    CONNECTION = "connection"
    FORK = "fork"
    SILENT = "silent"


class Status(StrEnum):
    """What is to be expected of the packages' maintainers."""

    OPEN = "open"
    BY_DESIGN = "by design"
    FIXED = "fixed"


class Severity(StrEnum):
    """The worst that an issue does to a test run."""

    CRASH = "the process dies"
    HANG = "the run hangs"
    FAILURE = "tests fail"
    WRONG = "a wrong result"
    SLOW = "slow tests"
    NOISE = "noise"


def _version(text: str) -> str:
    try:
        Version(text)
    except InvalidVersion as reason:
        raise ValueError(
            f"{text!r} is no version; write one as a package has it: 1.80.0"
        ) from reason
    return text


def _name(text: str) -> str:
    if canonicalize_name(text) != text:
        raise ValueError(f"write it as the package index does: {canonicalize_name(text)}")
    return text


def _line(text: str) -> str:
    if text.startswith(TODO):
        raise ValueError(f"is not written yet; write {text.removeprefix(TODO)}")
    if strange := [each for each in text if unicodedata.category(each) == "Cc"]:
        raise ValueError(f"has the control character U+{ord(strange[0]):04X}; take it out")
    if text != " ".join(text.split()):
        raise ValueError("has a line break or blanks too many; write it in one line")
    return text


Line = Annotated[str, Field(min_length=1), AfterValidator(_line)]
"""A text in one line, which is not empty."""
PackageName = Annotated[str, AfterValidator(_name)]
ReleaseVersion = Annotated[str, AfterValidator(_version)]


class _Model(BaseModel):
    # A date is a date already, a list a list: YAML has told them apart.
    model_config = ConfigDict(extra="forbid", frozen=True)


class Affected(_Model):
    """A package, and its releases that have the issue."""

    name: PackageName
    introduced: ReleaseVersion
    """The first release with it; `0` where none is known without it."""
    fixed: ReleaseVersion | None
    """The first release without it; null: not yet."""
    of: Line | None = None
    """Which part of the issue it is about, where that is not all of it."""

    @model_validator(mode="after")
    def _in_order(self) -> "Affected":
        if self.fixed is not None and Version(self.fixed) <= Version(self.introduced):
            raise ValueError(f"fixed in {self.fixed}, before it was introduced; swap the two")
        return self


class Watch(_Model):
    """A run of the issue's suite that the watch makes with the newest releases."""

    run: Line
    """The name of the run in runs.toml."""
    newest: Annotated[tuple[PackageName, ...], Field(min_length=1)]
    """The packages taken at their newest release; the others as the run says."""


class Claim(_Model):
    """A claim that the watch knows by itself; see tests/evidence/watch.py."""

    claim: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]


Watched = Annotated[
    Annotated[Watch, Tag("a run")] | Annotated[Claim, Tag("a claim")],
    Discriminator(
        lambda given: "a claim" if isinstance(given, dict) and "claim" in given else "a run"
    ),
]
Unwatched = Literal["never", "upstream issue"]


class Issue(_Model):
    """A known issue, as the front matter of its page has it."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
    title: Annotated[Line, Field(max_length=65)]
    """With the literal message: a search engine shows so much of it."""
    description: Annotated[Line, Field(max_length=200)]
    nav: Annotated[Line, Field(max_length=40)]
    """Its name in the navigation."""
    sandbox: Literal["empty"]
    """The blocks of the page are run as a reader runs them, in an empty folder."""
    group: Group
    messages: tuple[Line, ...]
    """Literal texts as they stand in a log, best first; ` … ` stands for what varies."""
    signs: tuple[Line, ...] = ()
    """Weaker texts, which point here only if no message of another page fits better."""
    cause: Line
    """What it is, in a line."""
    packages: Annotated[tuple[Affected, ...], Field(min_length=1)]
    since: Line
    status: Status
    severity: Severity
    workaround: Line
    """In a line, as Markdown."""
    upstream: tuple[AnyHttpUrl, ...]
    remove_when: Line
    watch: Annotated[
        Annotated[Unwatched, Tag("a word")] | Annotated[tuple[Watched, ...], Tag("a list")],
        Discriminator(lambda given: "a word" if isinstance(given, str) else "a list"),
    ]
    """How a release that ends it is noticed: by runs, by the upstream issue alone, or never."""
    changed: dt.date
    """The day on which what the page says last changed."""
    examples: Line | None = None
    """The folder of its suite, below the project's root."""

    @field_validator("id")
    @classmethod
    def _is_the_file_s_name(cls, text: str, info: ValidationInfo) -> str:
        if info.context and text != info.context["stem"]:
            raise ValueError(f"is not the name of the file; write {info.context['stem']}")
        return text

    @field_validator("id")
    @classmethod
    def _is_free(cls, text: str) -> str:
        if text in TAKEN:
            raise ValueError(f"{text!r} is taken; call the page and its id something else")
        return text

    @field_validator("messages", "signs", "upstream")
    @classmethod
    def _nothing_twice(cls, given: tuple[_T, ...]) -> tuple[_T, ...]:
        if twice := sorted({str(one) for one in given if given.count(one) > 1}):
            raise ValueError(f"{twice[0]!r} stands there twice; keep one")
        return given

    @field_validator("messages", "signs")
    @classmethod
    def _can_be_looked_for(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            parts = [triage.letters(part) for part in text.split("…")]
            if not all(parts) or len(parts[0]) < _LEAST:
                raise ValueError(
                    f"{text!r} is too short, or an end of it is an ellipsis; write more"
                )
        return texts

    @field_validator("examples")
    @classmethod
    def _is_a_suite(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None or not info.context:
            return text
        wanted = f"examples/known_issues/{info.context['stem']}"
        if text != wanted:
            raise ValueError(f"write {wanted}, the suite of this page")
        if not (info.context["project"] / text / "runs.toml").is_file():
            raise ValueError(f"{text}/runs.toml is missing; write it, or leave the key out")
        return text

    @model_validator(mode="after")
    def _can_be_found(self) -> "Issue":
        if not self.messages and not self.signs:
            raise ValueError("messages: nothing leads to this page; write a message or a sign")
        return self

    @model_validator(mode="after")
    def _can_be_watched(self, info: ValidationInfo) -> "Issue":
        watched = [watch for watch in self.watch if isinstance(watch, Watch)]
        if watched and info.context:
            if self.examples is None:
                raise ValueError("watch: names a run, but the page has no examples; write both")
            folder = info.context["project"] / self.examples
            try:
                known = {run.name: run for run in suites.runs(folder)}
            except ValueError:
                return self  # a fault of runs.toml is told by whoever looks for those: `proofs`
            for watch in watched:
                if watch.run not in known:
                    names = ", ".join(map(repr, known))
                    raise ValueError(
                        f"watch: no run {watch.run!r} in runs.toml; write one of {names}"
                    )
                (*earlier, installed) = known[watch.run].installed
                if earlier:
                    raise ValueError(
                        f"watch: the run {watch.run!r} installs more than once; write a run that "
                        "has one `uv run`"
                    )
                if strange := sorted(set(watch.newest) - installed.keys()):
                    raise ValueError(
                        f"watch: the run {watch.run!r} installs no {strange[0]}; "
                        f"write some of {', '.join(sorted(installed))}"
                    )
        return self


def page_of(project: Path, issue: Issue) -> Path:
    """Name the page of an issue."""
    return project / PAGES / f"{issue.id}.md"


def issues(project: Path) -> list[Issue]:
    """Return the issues of all pages, in the order of their groups, then of their ids.

    Raises `ValueError` with a line for each fault, as `docs/known-issues/x.md:LINE: key: what is
    wrong; what to write`.
    """
    found, wrong = _read(project)
    if wrong:
        raise ValueError("\n".join(wrong))
    order = list(Group)
    return sorted(found, key=lambda issue: (order.index(issue.group), issue.id))


def faults(project: Path) -> list[str]:
    """Return what is wrong with the front matter of the pages, a line for each; see `issues`."""
    return _read(project)[1]


def line_of(page: Path, key: str) -> int:
    """Return the line, from 1, on which a page's front matter has a key; 1 where it has not."""
    return _lines_of(_front_matter(text_of(page))).get((key,), 1)


def further_pages(project: Path) -> dict[str, list[Path]]:
    """Return the pages that belong to an issue beside its own, by the id of the issue.

    They are called as the issue is, with a word more: grpc-segfault-cause.md.
    """
    pages = sorted((project / PAGES).glob("*.md"))
    ids = {page.stem for page in pages if "id" in _keys(page)}
    return {
        stem: [page for page in pages if page.stem not in ids and page.stem.startswith(f"{stem}-")]
        for stem in ids
    }


def _keys(page: Path) -> set[str]:
    """Return the keys of a page's front matter, as far as it can be read."""
    try:
        return {path[0] for path in _lines_of(_front_matter(text_of(page)))}
    except (FaultyError, yaml.YAMLError):
        return {"id"}  # its fault is told by whoever reads it


def _read(project: Path) -> tuple[list[Issue], list[str]]:
    """Read every page of the folder; return its issues, and what is wrong."""
    found: list[Issue] = []
    wrong: list[str] = []
    folder = project / PAGES
    others = {page for pages in further_pages(project).values() for page in pages}
    others |= {*folder.glob(REPORTS), *(folder / name for name in FURTHER)}
    for page in sorted(folder.glob("*.md")):
        if page in others and "id" not in _keys(page):
            continue
        try:
            found.append(_issue(page, project))
        except FaultyError as faulty:
            wrong += [f"{PAGES}/{page.name}:{line}" for line in faulty.lines]
    return found, wrong


def _front_matter(text: str) -> str:
    """Return the YAML between the two lines `---`, an empty line in place of the first.

    Raises `FaultyError` when the first `---` has no second; without any, returns an empty text.
    """
    if not re.match(r"---\n", text):
        return ""
    if match := re.match(r"---\n(.*?)^---[ \t]*$", text, re.DOTALL | re.MULTILINE):
        return f"\n{match[1]}"
    raise FaultyError(["1: front matter: has no end; write --- on a line after its last key"])


def _issue(page: Path, project: Path) -> Issue:
    source = _front_matter(text_of(page))
    if not source:
        raise FaultyError(["1: front matter: there is none; begin the page with --- and its keys"])
    try:
        lines = _lines_of(source)
        data = yaml.load(source, _Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FaultyError(
            [f"{line}: front matter: {error.problem}; put the text in quotes, or mend the YAML"]
        ) from error
    except yaml.reader.ReaderError as error:
        line = source[: error.position].count("\n") + 1
        strange = f"U+{error.character:04X}"
        raise FaultyError(
            [f"{line}: front matter: has the control character {strange}; take it out"]
        ) from error
    if not isinstance(data, dict):
        raise FaultyError(["2: front matter: has no keys; write each as `key: text`"])
    try:
        return Issue.model_validate(data, context={"stem": page.stem, "project": project})
    except ValidationError as error:
        raise FaultyError(told(error.errors(), lines, _KEYS)) from error


class _Loader(yaml.SafeLoader):
    """Reads YAML; what is written like a day and is in no calendar is a fault of its line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:  # noqa: FBT001, FBT002 - PyYAML's own
        """Return what a node stands for."""
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            raise yaml.MarkedYAMLError(problem=f"{error}", problem_mark=node.start_mark) from error


_KEYS = {
    (): list(Issue.model_fields),
    ("packages",): list(Affected.model_fields),
    ("watch",): list(Watch.model_fields),
}
"""The keys that may stand where a path leads: the page's, a package's, a watch's."""


@cache
def _lines_of(source: str) -> Mapping[tuple[str, ...], int]:
    """Return the line of each key of a YAML text, from 1, by the path of keys and positions.

    Raises `yaml.MarkedYAMLError` for a key that is there twice, which YAML itself lets pass.
    """
    root = yaml.compose(source)
    return dict(_walk(root, ())) if root is not None else {}


def _walk(node: yaml.Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is no text", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
            yield (*path, key.value), key.start_mark.line + 1
            yield from _walk(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield (*path, str(position)), value.start_mark.line + 1
            yield from _walk(value, (*path, str(position)))
