"""Which fenced blocks a page has, as its readers see them.

The parser is the site's own: the Markdown extensions of mkdocs.yml, with superfences telling which
fences it found. CommonMark parsers disagree with it in admonitions, tabs, lists and attributes.
Whatever looks like a block and is not one that superfences rendered is a `Fault`.
"""

import ast
import contextlib
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import markdown
from bs4 import BeautifulSoup
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import ConfigurationError
from mkdocs.utils import meta
from pymdownx.snippets import SnippetMissingError
from pymdownx.superfences import RE_NESTED_FENCE_START, SuperFencesBlockPreprocessor

NOT_RUN = "Not run: "
"""A block with a title that starts so is excused; the rest of the title is the reason."""

SHORTEST_REASON = 12
"""Characters that a reason has at least: one word does not tell a reader why."""

FILE_LANGUAGES = frozenset({"ini", "json", "just", "proto", "toml", "yaml"})
LANGUAGES = FILE_LANGUAGES | {"bash", "console", "markdown", "python", "text"}
OPTIONS = frozenset({"hl_lines", "title"})


class Kind(Enum):
    """What is done with a block."""

    CONSOLE = "console"
    SCRIPT = "script"
    PYTHON = "python"
    FILE = "file"
    EXCERPT = "excerpt"
    QUOTE = "quote"
    MARKDOWN = "markdown"
    EXCUSED = "excused"

    @property
    def counts_as(self) -> str:
        """Return the word of the summary: `run`, `checked` or `excused`."""
        if self is Kind.EXCUSED:
            return "excused"
        return "run" if self in {Kind.CONSOLE, Kind.SCRIPT, Kind.PYTHON} else "checked"


# The languages that say all by themselves; of the others, the title says which file a block shows.
_KINDS = {
    "bash": Kind.SCRIPT,
    "console": Kind.CONSOLE,
    "text": Kind.QUOTE,
}

# Which language a file is in, by the end of its name or its whole name.
_LANGUAGE_OF = {
    ".cfg": "ini",
    ".ini": "ini",
    ".json": "json",
    ".md": "markdown",
    ".proto": "proto",
    ".py": "python",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    "justfile": "just",
}

# A line that a reader would take for the start of a fence, in a quote or a list too.
_FENCE_LIKE = re.compile(
    r"^[ \t>]*(?:(?:[-*+:]|\d+[.)])[ \t]+)?(?P<fence>`{3,}|~{3,})(?P<info>.*)$"
)
_REFERENCE = re.compile(r"\[[^\[\]\n]+\]\[[^\[\]\n]*\]|\[\^[^\[\]\n]+\]|-+8<-+")
_SNIPPET_BLOCK = re.compile(r"^[ \t]*-+8<-+[ \t]*$")


@dataclass(frozen=True)
class Fault:
    """Something on a page that cannot be checked, and what to write instead."""

    line: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block. Lines are counted from 1, in the page's source, front matter included."""

    line: int
    language: str
    kind: Kind
    title: str = ""
    lines: tuple[str, ...] = ()
    lines_at: tuple[int, ...] = ()
    """The page's line of each line of content; those of a snippet all have the snippet's line."""
    prefix: str = ""
    """What stands before each line of content in the page: indentation, `> `."""

    @property
    def text(self) -> str:
        """Return the content with a newline at its end."""
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def literal(self) -> bool:
        """Tell whether the page itself holds each line: the block can be rewritten there."""
        return self.lines_at == tuple(range(self.line + 1, self.line + 1 + len(self.lines)))

    def at(self, index: int) -> int:
        """Return the page's line of the content line `index`, counted from 0."""
        if not self.lines_at:
            return self.line
        return self.lines_at[min(index, len(self.lines_at) - 1)]


@dataclass(frozen=True, kw_only=True)
class Page:
    """The blocks and faults of one page, each in the order of the page."""

    blocks: tuple[Block, ...]
    faults: tuple[Fault, ...]


@dataclass(kw_only=True)
class _Fence:
    """A fence as superfences saw it. `start` and `end` index the expanded lines, `end` excluded."""

    start: int
    end: int
    mark: str
    language: str
    lines: list[str]
    prefix: str
    options: dict[str, str]
    extras: list[str]
    key: str = ""


@dataclass
class _Source:
    """A page's text after its snippets were put in; `origin` has the page's line of each line."""

    lines: list[str] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class SiteError(Exception):
    """mkdocs.yml cannot be used; the message says why."""


def _configuration(path: Path) -> MkDocsConfig:
    config = MkDocsConfig(config_file_path=str(path))
    try:
        with path.open("rb") as stream:
            config.load_file(stream)
    except (ConfigurationError, OSError) as error:
        raise SiteError(f"{path.name}: {error}") from None
    errors, _ = config.validate()
    if errors:
        raise SiteError("; ".join(f"{path.name}: {key}: {error}" for key, error in errors))
    return config


class Site:
    """The pages of one mkdocs.yml; raises `SiteError` when MkDocs does not accept the file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        config = _configuration(root / "mkdocs.yml")
        self.docs_dir = Path(config["docs_dir"])
        self._excluded = config["exclude_docs"]
        with contextlib.chdir(root):  # the base path of snippets is relative to the project
            self._markdown = markdown.Markdown(
                extensions=config["markdown_extensions"],
                extension_configs=config["mdx_configs"] or {},
            )
        registry = self._markdown.preprocessors
        self._superfences: SuperFencesBlockPreprocessor = registry["fenced_code_block"]
        self._snippets = registry["snippet"] if "snippet" in registry else None  # noqa: SIM401 - no dict: its `get` is missing

    def pages(self) -> list[Path]:
        """Return the pages that the site shows: those that `exclude_docs` does not name."""
        return [page for page in sorted(self.docs_dir.rglob("*.md")) if self.shows(page)]

    def shows(self, page: Path) -> bool:
        """Tell whether a page is one of the site's, and not excluded, as snippets are."""
        name = page.relative_to(self.docs_dir).as_posix()
        return self._excluded is None or not self._excluded.match_file(name)

    def read(self, page: Path) -> Page:
        """Return the blocks and faults of a page."""
        return self.parse(page.read_text(encoding="utf-8"))

    def parse(self, text: str) -> Page:
        """Return the blocks and faults of a page with this source text."""
        source = self._expand(text)
        fences, html = self._render(source)
        unread = next(_unread_fences(source, fences, self._superfences), None)
        blocks: list[Block] = []
        faults = list(source.faults)
        for fence in fences:
            line = source.origin[fence.start]
            problem = _problem(fence)
            if problem:
                faults.append(Fault(line, problem))
                continue
            title = fence.options.get("title", "")
            blocks.append(
                Block(
                    line=line,
                    language=fence.language,
                    kind=self._kind(fence.language, title),
                    title=title,
                    lines=tuple(fence.lines),
                    lines_at=tuple(source.origin[fence.start + 1 : fence.end - 1]),
                    prefix=fence.prefix,
                )
            )
        faults += _not_as_shown(source, fences, html)
        faults += _unresolved(source, html)
        if unread is not None:
            # Opening and closing fences have changed places from there on: what is wrong after it
            # can only be told when this one is mended.
            faults = [fault for fault in faults if fault.line < unread.line] + [unread]
        return Page(
            blocks=tuple(blocks),
            faults=tuple(sorted(faults, key=lambda fault: fault.line)),
        )

    def _kind(self, language: str, title: str) -> Kind:
        if title.startswith(NOT_RUN):
            return Kind.EXCUSED
        if language in _KINDS:
            return _KINDS[language]
        if not title:
            return Kind.PYTHON if language == "python" else Kind.MARKDOWN
        return Kind.EXCERPT if (self.root / title).is_file() else Kind.FILE

    def _expand(self, text: str) -> _Source:
        body, _ = meta.get_data(text)
        first = text.count("\n") - body.count("\n") + 1
        source = _Source()
        for number, line in enumerate(body.split("\n"), start=first):
            lines = [line]
            if self._snippets is not None:
                if _SNIPPET_BLOCK.match(line):
                    source.faults.append(
                        Fault(number, 'a snippet of several lines: write --8<-- "path" for each')
                    )
                try:
                    lines = self._snippets.run([line])
                except SnippetMissingError as error:
                    source.faults.append(Fault(number, f"{error}"))
            source.lines += lines
            source.origin += [number] * len(lines)
        return source

    def _render(self, source: _Source) -> tuple[list[_Fence], BeautifulSoup]:
        """Convert the page; return the fences that survive as blocks, and the HTML."""
        superfences = self._superfences
        fences: list[_Fence] = []

        def process(ws: str, content: str, start: int, end: int) -> None:
            fence = _Fence(
                start=start,
                end=end,
                mark=superfences.fence,
                language=superfences.lang or "",
                lines=superfences.rebuild_block(superfences.code).split("\n")
                if superfences.code
                else [],
                prefix=source.lines[start][: len(superfences.ws)],
                options=dict(superfences.options),
                extras=[*superfences.attrs, *(f".{name}" for name in superfences.classes)]
                + ([f"#{superfences.id}"] if superfences.id else []),
            )
            stored = len(superfences.stack)
            SuperFencesBlockPreprocessor.process_nested_block(superfences, ws, content, start, end)
            if len(superfences.stack) > stored:
                fence.key = re.sub(r"^[> ]*", "", superfences.stack[-1][0])[1:-1]
                fences.append(fence)

        with contextlib.ExitStack() as stack:
            stack.enter_context(_replaced(superfences, "process_nested_block", process))
            if self._snippets is not None:  # they are in already, line by line
                stack.enter_context(_replaced(self._snippets, "run", lambda lines: lines))
            self._markdown.reset()
            html = self._markdown.convert("\n".join(source.lines))
        # Superfences puts the text of a fence back where indented code had swallowed it.
        survivors = superfences.extension.stash.stash
        return [fence for fence in fences if fence.key in survivors], BeautifulSoup(
            html, "html.parser"
        )


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: object) -> Iterator[None]:  # noqa: ANN401 - any object
    """Give one instance a method of its own for the time of the context."""
    setattr(owner, name, value)
    try:
        yield
    finally:
        delattr(owner, name)


def _problem(fence: _Fence) -> str:
    """Return why this fence cannot be checked, or an empty string."""
    return next(itertools.chain(_header_problems(fence), _content_problems(fence)), "")


def _header_problems(fence: _Fence) -> Iterator[str]:
    language, title = fence.language, fence.options.get("title", "")
    known = ", ".join(sorted(LANGUAGES))
    if not language:
        yield f"a fence without a language: write one of {known} after the backticks"
    elif language not in LANGUAGES:
        yield f"unknown language {language!r}: write one of {known}"
    for name in [*sorted(fence.options.keys() - OPTIONS), *fence.extras]:
        yield f'unknown attribute {name!r}: a fence takes title="…" and hl_lines="…"'
    if title.lower().startswith("not "):
        # Also what only looks like an excuse: a misspelt one must not run the command.
        if not title.startswith(NOT_RUN) or len(title) < len(NOT_RUN) + SHORTEST_REASON:
            yield f'say why the block is not run: title="{NOT_RUN}it installs a daemon"'
    elif title and (Path(title).is_absolute() or ".." in Path(title).parts):
        yield f"the title {title!r} leaves the project: write a path below it"
    elif language in FILE_LANGUAGES and not title:
        yield f'which file is this? Write title="path/of/file.{language}" after the language'
    elif language in FILE_LANGUAGES | {"markdown", "python"}:
        name = Path(title).name
        written_in = _LANGUAGE_OF.get(Path(name).suffix or name, language)
        if written_in != language:
            yield f"{title} is not written in {language}: write {written_in} after the backticks"


def _content_problems(fence: _Fence) -> Iterator[str]:
    for line in fence.lines:
        inner = _FENCE_LIKE.match(line)
        if inner and inner["fence"].startswith(fence.mark) and inner["info"].strip():
            yield f"the fence is not closed before the next one, {line.strip()!r}: close it"
    if not any(line.strip() for line in fence.lines):
        yield "an empty block: fill it, or remove it"
    highlighted = re.findall(r"\d+", fence.options.get("hl_lines", ""))
    for number in highlighted:
        if not 1 <= int(number) <= len(fence.lines):
            yield f"hl_lines names line {number} of {len(fence.lines)}"
    if fence.language == "python" and "title" not in fence.options and _only_defines(fence.lines):
        yield (
            "a Python block that only defines things proves nothing: call them and assert, or "
            'give the block a title="…" and let a command use that file'
        )


def _only_defines(lines: Sequence[str]) -> bool:
    """Tell whether a Python block has no statement that does anything when it is run."""
    try:
        statements = ast.parse("\n".join(lines)).body
    except SyntaxError:  # told when the block is run
        return False
    return all(
        isinstance(
            statement,
            ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
        )
        for statement in statements
    )


def _unread_fences(
    source: _Source, fences: list[_Fence], superfences: SuperFencesBlockPreprocessor
) -> Iterator[Fault]:
    """Yield a fault for each fence-like line that no block covers."""
    covered = {index for fence in fences for index in range(fence.start, fence.end)}
    for index, line in enumerate(source.lines):
        found = _FENCE_LIKE.match(line)
        if found is None or index in covered:
            continue
        info = found["info"].strip()
        header = superfences.parse_whitespace(line)
        match = RE_NESTED_FENCE_START.match(line, len(header))
        readable = False
        if match is not None and not match.group("unrecognized"):
            superfences.get_hl_settings()
            readable = bool(
                superfences.handle_attrs(match)
                if match.group("attrs")
                else superfences.parse_options(match)
            )
        superfences.clear()
        if match is None:
            message = "a fence must start on a line of its own, after nothing but indentation"
        elif readable and info:
            message = f"the fence {info!r} is never closed, or a line of it is indented less"
        elif readable:
            message = "this fence closes nothing and opens nothing that is closed: remove it"
        else:
            message = (
                f"the site cannot read the fence {info!r} and shows it as text: "
                'write ```language title="…"'
            )
        yield Fault(source.origin[index], message)


def _not_as_shown(source: _Source, fences: list[_Fence], html: BeautifulSoup) -> Iterator[Fault]:
    """Yield a fault for each code block of the HTML that is no fence, and the other way round."""
    shown = Counter(
        pre.get_text().strip("\n")
        for pre in html.find_all("pre")
        if pre.find_parent(class_="linenodiv") is None
    )
    for fence in fences:
        text = "\n".join(fence.lines).strip("\n")
        if shown[text]:
            shown[text] -= 1
        else:
            yield Fault(source.origin[fence.start], "readers do not see this fence as a code block")
    for text in shown.elements():
        first = next(iter(text.split("\n"))).strip()
        line = next(
            (n for n, line in zip(source.origin, source.lines, strict=True) if first in line), 1
        )
        yield Fault(line, f"a code block without a fence, {first!r}: write it as a fence")


def _unresolved(source: _Source, html: BeautifulSoup) -> Iterator[Fault]:
    """Yield a fault for each `[text][name]` and `[^note]` that is shown as it was written."""
    for code in html.find_all(["code", "pre"]):
        code.extract()
    for shown in _REFERENCE.findall(html.get_text()):
        line = next(
            (n for n, line in zip(source.origin, source.lines, strict=True) if shown in line), 1
        )
        if "8<" in shown:
            yield Fault(line, f"{shown} is shown as it is: a snippet needs a line of its own")
        else:
            yield Fault(line, f"{shown} refers to a link or a note that this page does not define")
