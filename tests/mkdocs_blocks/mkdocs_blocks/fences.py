"""Which fences a page shows, as the site's own parser sees them.

Two parsers are known: superfences of pymdown-extensions, and Python-Markdown's own `fenced_code`,
which MkDocs uses when a site names no other. Neither tells which fences it has found, so each is
watched while it works: `process_nested_block` of the one, the search and the stash of the other.
None of that is public; a canary test compares what is found with the pages that MkDocs builds.
"""

# ruff: noqa: ANN401, PLC0415 - the parsers that are watched have no types, and only their sites have them

from __future__ import annotations

import html as html_text
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MARK = "data-mkdocs-block"
"""The attribute by which a fence is found again in the HTML, with its number as the value."""

FENCE_LIKE = re.compile(r"^[ \t>]*(?:(?:[-*+:]|\d+[.)])[ \t]+)?(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
"""A line that a reader would take for the start of a fence, in a quote or a list too."""

_PREFIX = re.compile(r"[> \t]*")
_OPTION = re.compile(r"""(?P<key>[a-zA-Z]\w*)(?:=(?P<quote>["'])(?P<value>.*?)(?P=quote))?""")

_WITH_ATTRIBUTES = re.compile(
    r"""(?P<language>[\w#.+-]+)(?P<rest>(?:[ \t]+[\w-]+=(?:"[^"]*"|'[^']*'))+)"""
)
"""The header of a fence that has attributes without braces."""


@dataclass(kw_only=True)
class Fence:
    """A fence as its parser saw it. `start` and `end` index the lines, `end` excluded."""

    number: int
    start: int
    end: int
    mark: str
    """The back-ticks or tildes that it starts with."""
    language: str
    lines: list[str]
    options: dict[str, str] = field(default_factory=dict)
    extras: list[str] = field(default_factory=list)
    """Classes as `.name`, an id as `#name`, and words that the parser passed over."""
    custom: bool = False
    """Whether the site makes something of its own of such fences."""


@dataclass(kw_only=True)
class FencesSeen:
    """What a parser of fences has found."""

    seen: list[str]
    """The lines that it saw."""
    after: list[str]
    """The lines with a placeholder for each fence."""
    fences: list[Fence]
    spans: list[tuple[int, int, int]]
    """Of each fence: first line, line after the last, how many lines stand for it afterwards."""


@contextmanager
def replaced(owner: Any, name: str, value: object) -> Iterator[None]:
    """Give one object another attribute or method for the time of the context."""
    had, before = name in vars(owner), vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if had:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


class Superfences:
    """Watches the parser of `pymdownx.superfences`."""

    def __init__(self, preprocessor: Any) -> None:
        self._parser = preprocessor

    @staticmethod
    def reads(preprocessor: object) -> bool:
        """Tell whether this is the parser of superfences."""
        return hasattr(preprocessor, "process_nested_block")

    def run(self, parse: Callable[[list[str]], list[str]], lines: list[str]) -> FencesSeen:
        """Let the parser put the fences away; return them."""
        parser = self._parser
        fences: list[Fence] = []
        spans: list[tuple[int, int, int]] = []
        seen = [lines]
        search, process = parser.search_nested, parser.process_nested_block

        def searching(given: list[str]) -> list[str]:
            seen[0] = list(given)  # with `preserve_tabs`, not the lines that `run` was given
            return list(search(given))

        def processing(ws: str, content: str, start: int, end: int) -> None:
            fence = self._fence(len(fences), start, end)
            stored = len(parser.stack)
            process(ws, content, start, end)
            if len(parser.stack) > stored:
                fences.append(fence)
                spans.append((start, end, 1))

        parser.get_hl_settings()
        with ExitStack() as stack:
            enter = stack.enter_context
            enter(replaced(parser, "search_nested", searching))
            enter(replaced(parser, "process_nested_block", processing))
            enter(_marking(parser.md.htmlStash, fences))
            highlighter = getattr(parser, "highlighter", None)
            if getattr(highlighter, "__module__", "") == "pymdownx.highlight":
                # Colours cost more than all the rest, and no reader ever sees this HTML.
                enter(replaced(parser, "highlighter", _NoColours))
            after = parse(lines)
        return FencesSeen(seen=seen[0], after=after, fences=fences, spans=spans)

    def _fence(self, number: int, start: int, end: int) -> Fence:
        import pymdownx.superfences

        parser = self._parser
        header = parser.first[len(parser.ws) :]
        found = pymdownx.superfences.RE_NESTED_FENCE_START.match(header)
        fence = Fence(
            number=number,
            start=start,
            end=end,
            mark=parser.fence,
            language=parser.lang or "",
            lines=parser.rebuild_block(parser.code).split("\n") if parser.code else [],
            custom=parser.formatter is not parser.extension.superfences[0]["formatter"],
        )
        if found["attrs"]:
            _take(fence, found["attrs"], named=found["lang"])
        elif found["options"]:
            for option in _OPTION.finditer(found["options"]):
                value = option["value"]
                fence.options[option["key"]] = option["key"] if value is None else value
        elif found["unrecognized"]:  # `relaxed_headers`
            fence.extras += found["unrecognized"].split()
        return fence

    def refusal(self, line: str) -> str:
        """Return what is wrong with a fence-like line that is part of no fence."""
        import pymdownx.superfences

        parser = self._parser
        header = parser.parse_whitespace(line)
        found = pymdownx.superfences.RE_NESTED_FENCE_START.match(line, parser.ws_len)
        readable = False
        if found is not None and not found["unrecognized"]:
            try:
                readable = bool(
                    parser.handle_attrs(found) if found["attrs"] else parser.parse_options(found)
                )
            except Exception:  # noqa: BLE001 - a validator of the site's own
                readable = False
        parser.clear()
        if found is None:
            return "a fence must start on a line of its own, after nothing but indentation"
        return _unread(line[len(header) :], readable=readable)


class FencedCode:
    """Watches `markdown.extensions.fenced_code`, the parser that MkDocs uses by default."""

    def __init__(self, preprocessor: Any) -> None:
        self._parser = preprocessor

    @staticmethod
    def reads(preprocessor: object) -> bool:
        """Tell whether this is the parser of `fenced_code`."""
        return hasattr(preprocessor, "FENCED_BLOCK_RE")

    def run(self, parse: Callable[[list[str]], list[str]], lines: list[str]) -> FencesSeen:
        """Let the parser put the fences away; return them."""
        parser = self._parser
        pattern = parser.FENCED_BLOCK_RE
        whole = "\n".join(lines)
        fences: list[Fence] = []
        spans: list[tuple[int, int, int]] = []
        found: list[tuple[re.Match[str], int]] = []
        counted = [0, 0]  # line breaks, up to which character

        class Watched:
            @staticmethod
            def search(text: str, index: int = 0) -> re.Match[str] | None:
                match: re.Match[str] | None = pattern.search(text, index)
                if match is not None:
                    # What comes after the last fence is still as it was.
                    place = len(whole) - (len(text) - match.start())
                    counted[0] += whole.count("\n", counted[1], place)
                    counted[1] = place
                    found.append((match, counted[0]))
                return match

        def stored() -> None:
            match, start = found[-1]
            fence = _of_match(match, len(fences), start)
            fences.append(fence)
            spans.append((fence.start, fence.end, 3))

        with ExitStack() as stack:
            enter = stack.enter_context
            enter(replaced(parser, "FENCED_BLOCK_RE", Watched))
            enter(_marking(parser.md.htmlStash, fences, stored))
            if not getattr(parser, "checked_for_deps", True):
                # Colours cost more than all the rest, and no reader ever sees this HTML.
                parser.checked_for_deps = True
                parser.use_attr_list = "attr_list" in parser.md.treeprocessors
            after = parse(lines)
        return FencesSeen(seen=list(lines), after=after, fences=fences, spans=spans)

    def refusal(self, line: str) -> str:
        """Return what is wrong with a fence-like line that is part of no fence."""
        found = FENCE_LIKE.match(line)
        if found is None or found.start("fence"):
            return (
                "the site shows this fence as text, for it stands in something: MkDocs's default "
                "fences start at the very beginning of a line, those of pymdownx.superfences need "
                "not"
            )
        readable = self._parser.FENCED_BLOCK_RE.match(f"{line}\nx\n{found['fence']}")
        return _unread(line, readable=readable is not None)


def _of_match(match: re.Match[str], number: int, start: int) -> Fence:
    lines = match["code"][:-1].split("\n") if match["code"] else []
    fence = Fence(
        number=number,
        start=start,
        end=start + len(lines) + 2,
        mark=match["fence"],
        language=match["lang"] or "",
        lines=lines,
    )
    if match["attrs"]:
        _take(fence, match["attrs"], named=None)
    elif match["hl_lines"]:
        fence.options["hl_lines"] = match["hl_lines"]
    return fence


def _take(fence: Fence, attributes: str, *, named: str | None) -> None:
    """Read a list of attributes; the first class is the language, if none is named before it."""
    from markdown.extensions.attr_list import get_attrs

    classes = []
    pairs: list[tuple[str, str | None]] = list(get_attrs(attributes))  # None for a bare word
    for key, value in pairs:
        if key == ".":
            classes.append(value or "")
        elif key == "id":
            fence.extras.append(f"#{value}")
        else:
            fence.options[key] = key if value is None else value
    if not named:
        fence.language = classes.pop(0) if classes else ""
    fence.extras += [f".{name}" for name in classes]


def _unread(header: str, *, readable: bool) -> str:
    found = FENCE_LIKE.match(header)
    info = found["info"].strip() if found else header.strip()
    if readable and info:
        return f"the fence {info!r} is never closed, or a line of it is indented less"
    if readable:
        return "this fence closes nothing and opens nothing that is closed: remove it"
    found = _WITH_ATTRIBUTES.fullmatch(info)
    write = (
        f"write its attributes in braces, ```{{ .{found['language']} {found['rest'].strip()} }}"
        if found
        else 'write ```language, and its attributes in braces, ```{ .language title="…" }'
    )
    return f"the site cannot read the fence {info!r} and shows it as text: {write}"


_PRE_TAG = re.compile(r"<pre\b")
_ANY_TAG = re.compile(r"<\w+")


@contextmanager
def _marking(
    stash: Any,
    fences: Sequence[Fence],
    stored: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Mark the HTML that is put away with the number of its fence."""
    store = stash.store

    def storing(code: object) -> object:
        number = len(fences)
        if stored is not None:
            stored()
        if isinstance(code, str):
            tag = (_PRE_TAG.search(code) if "<pre" in code else None) or _ANY_TAG.search(code)
            if tag:
                code = f'{code[: tag.end()]} {MARK}="{number}"{code[tag.end() :]}'
        return store(code)

    with replaced(stash, "store", storing):
        yield


class _NoColours:
    """Stands in for the highlighter of pymdown-extensions: the same blocks, without colours."""

    def __init__(self, *_: object, **__: object) -> None:
        """Take the settings of colours, and need none of them."""

    def highlight(
        self, src: str, language: str = "", css_class: str = "highlight", **_: object
    ) -> str:
        """Return the HTML of a block."""
        classes = f"language-{language} {css_class}" if language else css_class
        return (
            f'<div class="{html_text.escape(classes)}"><pre><span></span>'
            f"<code>{html_text.escape(src)}\n</code></pre></div>"
        )


def parser_of(md: Any) -> tuple[Any, Superfences | FencedCode] | None:
    """Return the preprocessor of a Markdown parser that reads fences, and who watches it."""
    if "fenced_code_block" not in md.preprocessors:
        return None
    preprocessor = md.preprocessors["fenced_code_block"]
    for watcher in (Superfences, FencedCode):
        if watcher.reads(preprocessor):
            return preprocessor, watcher(preprocessor)
    return None


def prefix_of(line: str) -> str:
    """Return what stands before a fence in its line: indentation, `> `."""
    found = _PREFIX.match(line)
    return found[0] if found else ""


# The HTML.

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_PRE = re.compile(
    r"<pre\b(?P<attributes>[^>]*)>(?P<content>.*?)</pre\s*>", re.DOTALL | re.IGNORECASE
)
_MARKED = re.compile(rf'<\w[^>]*?\b{MARK}="(?P<number>\d+)"')
_MARK = re.compile(rf'\b{MARK}="(?P<number>\d+)"')
_TAG = re.compile(r"<[^>]*>")
_LINE_NUMBERS = re.compile(r'<div class="linenodiv">\s*<pre\b.*?</pre\s*>', re.DOTALL)
_NO_PROSE = re.compile(
    r"<(pre|code|script|style|svg|textarea)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True)
class Shown:
    """The code blocks that HTML shows."""

    fences: Mapping[int, str | None]
    """The text of each fence that is there, by its number; of a diagram or the like, None."""
    others: list[str]
    """The text of each other code block."""


def shown_in(html: str) -> Shown:
    """Return the code blocks that the readers of this HTML see."""
    visible = _LINE_NUMBERS.sub("", _COMMENT.sub("", html))
    fences: dict[int, str | None] = {
        int(found["number"]): None for found in _MARKED.finditer(visible)
    }
    others = []
    for pre in _PRE.finditer(visible):
        text = html_text.unescape(_TAG.sub("", pre["content"])).strip("\n")
        mark = _MARK.search(pre["attributes"])
        if mark:
            fences[int(mark["number"])] = text
        else:
            others.append(text)
    return Shown(fences, others)


def prose_of(html: str) -> str:
    """Return the text of HTML without its code."""
    without = _NO_PROSE.sub(" ", _COMMENT.sub("", html))
    return html_text.unescape(_TAG.sub("", without))
