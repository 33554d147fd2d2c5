"""The front matter of a known issue's page: what it says, read and checked.

One page is one issue. The index, the navigation, known-issues.json, the feed, the triage and the
watch are made from what is here.
"""

import datetime as dt
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

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
from pydantic_core import ErrorDetails

from docs.assets import triage
from tests.known_issues import suites

PAGES = "docs/known-issues"
"""The folder of the pages, below the project's root."""
FURTHER = ("README.md", "triage.md", "not-reproduced.md")
"""Pages of the folder that are neither an issue, nor a report, nor a further page of an issue."""
REPORTS = "upstream-report*.md"
TODO = "TODO "
"""What a text of a new page begins with, as long as nobody has written it."""
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

    @field_validator("messages", "signs")
    @classmethod
    def _no_text_twice(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        if twice := sorted({text for text in texts if texts.count(text) > 1}):
            raise ValueError(f"{twice[0]!r} stands there twice; keep one")
        return texts

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
            known = {run.name: run for run in suites.runs(folder)}
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
    return _lines_of(_front_matter(page.read_text(encoding="utf-8"))).get((key,), 1)


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
        return {path[0] for path in _lines_of(_front_matter(page.read_text(encoding="utf-8")))}
    except yaml.YAMLError:
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
        except _FaultyError as faulty:
            wrong += [f"{PAGES}/{page.name}:{line}" for line in faulty.lines]
    return found, wrong


class _FaultyError(Exception):
    """A page's front matter is not what it has to be."""

    def __init__(self, lines: list[str]) -> None:
        """Keep a line for each fault: `LINE: key: what is wrong; what to write`."""
        super().__init__(*lines)
        self.lines = lines


def _front_matter(text: str) -> str:
    """Return the YAML between the two lines `---`, empty lines in place of what is before it."""
    match = re.match(r"---\n(.*?)^---$", text, re.DOTALL | re.MULTILINE)
    return f"\n{match[1]}" if match else ""


def _issue(page: Path, project: Path) -> Issue:
    source = _front_matter(page.read_text(encoding="utf-8"))
    if not source:
        raise _FaultyError(["1: front matter: there is none; begin the page with --- and its keys"])
    try:
        lines = _lines_of(source)
        data = yaml.safe_load(source)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _FaultyError(
            [f"{line}: front matter: {error.problem}; put the text in quotes, or mend the YAML"]
        ) from error
    if not isinstance(data, dict):
        raise _FaultyError(["2: front matter: has no keys; write each as `key: text`"])
    try:
        return Issue.model_validate(data, context={"stem": page.stem, "project": project})
    except ValidationError as error:
        raise _FaultyError(_told_once(error.errors(), lines)) from error


def _lines_of(source: str) -> dict[tuple[str, ...], int]:
    """Return the line of each key of a YAML text, from 1, by the path of keys and positions.

    Raises `yaml.MarkedYAMLError` for a key that is there twice, which YAML itself lets pass.
    """
    root = yaml.compose(source)
    return dict(_walk(root, ())) if root is not None else {}


def _walk(node: yaml.Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
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


# What pydantic says in its own words, in those of who writes a page. `{…}` is what it knows.
_WORDS = {
    "missing": "is missing; write it",
    "literal_error": "{input!r} is not known; write {expected}",
    "enum": "{input!r} is not known; write {expected}",
    "string_type": "{input!r} is no text; put it in quotes",
    "string_too_short": "is empty; write it",
    "string_pattern_mismatch": "{input!r} has other characters than small letters, digits and "
    "hyphens; write it with these",
    "tuple_type": "is no list; write [], or a line with - for each",
    "too_short": "is empty; write at least one",
    "too_long": "is {actual_length} characters long; write at most {max_length}",
    "url_parsing": "{input!r} is no address; write https://...",
    "url_scheme": "{input!r} is no address of the web; write https://...",
    "date_from_datetime_parsing": "{input!r} is no day; write it as 2026-11-26",
    "date_type": "{input!r} is no day; write it as 2026-11-26",
    "date_parsing": "{input!r} is no day; write it as 2026-11-26",
}


def _told_once(errors: Sequence[ErrorDetails], lines: Mapping[tuple[str, ...], int]) -> list[str]:
    """Return a line for each fault, and none for what merely follows from another."""
    paths = [_path(details) for details in errors]
    misspelt = {
        (*path[:-1], meant)
        for path, details in zip(paths, errors, strict=True)
        if details["type"] == "extra_forbidden" and (meant := _meant(path))
    }
    told = []
    for path, details in zip(paths, errors, strict=True):
        if details["type"] == "missing" and path in misspelt:
            continue
        # A list whose one item is faulty counts as empty.
        within = any(other[: len(path)] == path and other != path for other in paths)
        if not (details["type"] == "too_short" and within):
            told.append(_told(path, details, lines))
    return list(dict.fromkeys(told))


def _path(details: ErrorDetails) -> tuple[str, ...]:
    """Return keys and positions that lead to a fault; the tags of alternatives are none."""
    return tuple(str(part) for part in details["loc"] if not str(part).startswith("a "))


def _meant(path: tuple[str, ...]) -> str | None:
    """Return the key that somebody meant who wrote an unknown one."""
    return next(iter(difflib.get_close_matches(path[-1], _known(path[:-1]), n=1)), None)


def _told(
    path: tuple[str, ...], details: ErrorDetails, lines: Mapping[tuple[str, ...], int]
) -> str:
    """Return one fault in a line: `LINE: key: what is wrong; what to write`."""
    context = details.get("ctx", {})
    if details["type"] == "extra_forbidden":
        meant = _meant(path)
        said = f"there is no such key; {f'write {meant}' if meant else 'leave it out'}"
    elif details["type"] == "value_error":
        said = str(context["error"])
        if not path:
            key, _, said = said.partition(": ")
            path = (key,)
    elif details["type"] in _WORDS:
        given = details["input"]
        said = _WORDS[details["type"]].format(input=given, **context)
    else:
        wrong = f"{details['msg'][:1].lower()}{details['msg'][1:]}"
        said = f"{wrong}; see docs/guides/add-a-known-issue.md"
    where = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 1)
    if details["type"] == "missing" and len(path) == 1:
        where = 1
    return f"{where}: {'.'.join(path)}: {said}"


def _known(path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand where a path leads: the page's, a package's, a watch's."""
    where: dict[tuple[str, ...], type[BaseModel]] = {
        (): Issue,
        ("packages",): Affected,
        ("watch",): Watch,
    }
    return list(where[path[:1]].model_fields)
