"""What MkDocs makes of one page: its fences as data, and what is wrong with it.

The page is read, changed by plugins and hooks, and rendered as `mkdocs build` does it; what they
make of it is compared with the page's own file.
"""

# ruff: noqa: PLC0415 - MkDocs is imported when a page is read, not with this module

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from mkdocs_blocks.block import Fault, SandboxName
from mkdocs_blocks.conversion import Conversion, is_literal, is_made
from mkdocs_blocks.fences import FENCE_LIKE, Fence, prefix_of, replaced, shown_in
from mkdocs_blocks.languages import close_to, lexer_of, written_in
from mkdocs_blocks.lines import Lines, Origin
from mkdocs_blocks.mkdocs_yml import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import markdown
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_DEEPEST = 5
"""Markdown blocks within Markdown blocks are read down to here."""

_SANDBOX_KEY = re.compile(r"""[ ]{0,3}["']?sandbox["']?[ \t]*:""")


class PageSource:
    """One page while it is read; afterwards `fences`, `faults` and `snippets` are known."""

    def __init__(
        self, name: str, root: Path, files: Mapping[str, str], who: Callable[[str], str]
    ) -> None:
        """Take the page's path below the project `root`, and the languages of the site's files.

        `who` returns the names of the plugins and hooks that have a say in an event.
        """
        self.name = name
        self.fences: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.snippets: list[str] = []
        self.sandbox: SandboxName = "project"
        self.conversion: Conversion | None = None
        self._root = root
        self._files = files
        self._who = who
        self._source: Sequence[str] = ()
        self._config: MkDocsConfig | None = None

    def read(
        self,
        page: Page,
        config: MkDocsConfig,
        files: Files,
        tell: Callable[[int], None],
        instead: Path | None,
    ) -> None:
        """Do with a page what `mkdocs build` does until its content is rendered.

        `tell` is called with the line of each link before MkDocs judges it. With `instead`, the
        page has the text of that file. Raises whatever a plugin, a hook or an extension raises.
        """
        self._config = config
        path = Path(config.docs_dir, page.file.src_uri)
        if instead is not None:
            path, given = instead, page.file.abs_src_path
            page.file.content_bytes = instead.read_bytes()
            page.file.abs_src_path = given
        config._current_page = page  # noqa: SLF001 - as MkDocs does it
        try:
            page = config.plugins.on_pre_page(page, config=config, files=files)
            page.read_source(config)
            page.markdown = config.plugins.on_page_markdown(
                page.markdown or "", page=page, config=config, files=files
            )
            lines = self._lines(page.markdown, path)
            self.sandbox, faults = _sandbox(page.meta or {}, self._source)
            self.faults += faults
            conversion = self.conversion = Conversion(lines, tell)
            with _watched(page.markdown, conversion):
                page.render(config, files)
            rendered = page.content or ""
            page.content = config.plugins.on_page_content(
                rendered, page=page, config=config, files=files
            )
        finally:
            config._current_page = None  # noqa: SLF001 - as MkDocs does it
        self.fences = self._as_data(conversion)
        self.faults += conversion.faults()
        if path.is_file():
            self.faults += self._changed(lines, conversion)
        else:
            message = (
                "a plugin or a hook makes this page: there is no such file, so its blocks cannot "
                "be mended there"
            )
            self.faults.append(Fault(line=1, message=message, rule="generated-page"))
        if page.content != rendered:
            self.faults += self._changed_html(conversion, page.content or "")
        if conversion.snippets is not None:
            self.snippets = sorted(
                os.path.relpath(file, self._root) for file in conversion.snippets.files
            )

    def _lines(self, markdown: str, path: Path) -> Lines:
        """Return the lines of a page's Markdown, with the lines of its file that they are."""
        from mkdocs.utils import meta

        now = markdown.split("\n")
        if not path.is_file():
            return Lines(now, list(range(1, len(now) + 1)), [Origin.MADE] * len(now))
        source = path.read_text(encoding="utf-8-sig")
        self._source = source.split("\n")
        body, _ = meta.get_data(source)
        own = body.split("\n")
        first = source.count("\n") - body.count("\n") + 1
        return Lines.of_source(own, range(first, first + len(own))).changed_to(now)

    # What others make of it.

    def _changed(self, lines: Lines, conversion: Conversion) -> Iterator[Fault]:
        """Yield a fault for what plugins, hooks and extensions change before fences are read."""
        made = [
            conversion.lines.at[fence.start]
            for fence in conversion.found.fences
            if is_made(conversion.lines, fence.start, fence.end)
        ]
        for line in made:
            message = (
                "a plugin, a hook or a Markdown extension makes or changes this block: the page's "
                "source does not have it as it is shown"
            )
            yield Fault(line=line, message=message, rule="changed-block")
        changed = [
            at for at, origin in zip(lines.at, lines.origin, strict=True) if origin is Origin.MADE
        ]
        if changed and not made:
            message = (
                "a plugin or a hook changes the Markdown of this page "
                f"({self._who('on_page_markdown')}): readers see something else than this"
            )
            yield Fault(line=changed[0], message=message, rule="changed-markdown")

    def _changed_html(self, conversion: Conversion, html: str) -> Iterator[Fault]:
        """Yield a fault for each block that plugins and hooks take from the HTML, or add to it."""
        who = self._who("on_page_content")
        before, now = conversion.shown, shown_in(html)
        added = Counter(now.others) - Counter(before.others)
        for fence in conversion.found.fences:
            if fence.number not in before.fences:
                continue
            text = before.fences[fence.number]
            if fence.number in now.fences and now.fences[fence.number] == text:
                continue
            if text is not None and fence.number not in now.fences and added[text]:
                added[text] -= 1  # it is there, without our mark
                continue
            yield Fault(
                line=conversion.lines.at[fence.start],
                message=f"a plugin or a hook removes or changes this block in the HTML ({who})",
                rule="changed-html",
            )
        for text in added.elements():
            first = text.split("\n", 1)[0].strip()
            yield Fault(
                line=1,
                message=f"a plugin or a hook adds a code block to the HTML ({who}): {first!r}",
                rule="changed-html",
            )

    # Fences as data.

    def _as_data(self, conversion: Conversion, depth: int = 0) -> list[dict[str, Any]]:
        """Return the fences of a conversion that readers see, with those within Markdown blocks."""
        return [
            self._fence(fence, conversion.lines, depth)
            for fence in conversion.found.fences
            if conversion.shows(fence)
        ]

    def _fence(self, fence: Fence, lines: Lines, depth: int) -> dict[str, Any]:
        title = fence.options.get("title", "")
        own = self._files.values()
        lexer = lexer_of(fence.language) or (fence.language if fence.language in own else "")
        literal = is_literal(lines, fence.start, fence.end, self._source)
        at = lines.at[fence.start]
        return {
            "line": at,
            "language": fence.language,
            "lexer": lexer,
            "title": title,
            "options": {key: value for key, value in fence.options.items() if key != "title"},
            "extras": fence.extras,
            "lines": fence.lines,
            "lines_at": lines.at[fence.start + 1 : fence.end - 1],
            "prefix": prefix_of(self._source[at - 1] if literal else lines.text[fence.start]),
            "literal": literal,
            "custom": fence.custom,
            "next_fence": _next_fence(fence),
            "of_project": _is(title, self._root, Path.is_file),
            "is_folder": _is(title, self._root, Path.is_dir),
            "written_in": written_in(title, lexer, self._files) if title else "",
            "close": close_to(fence.language, own) if fence.language and not lexer else [],
            "inner": self._inner(fence, lines, depth) if lexer == "markdown" else None,
        }

    def _inner(self, fence: Fence, lines: Lines, depth: int) -> dict[str, Any]:
        """Read a Markdown block as a page of its own, which has no links to be followed."""
        import markdown

        if depth >= _DEEPEST or not fence.lines or self._config is None:
            return {"fences": [], "faults": [], "sandbox": "project"}
        above, front = _front_matter(fence.lines)
        sandbox, faults = _sandbox(front, fence.lines)
        start = fence.start + 1 + above
        inside = slice(start, fence.end - 1)
        conversion = Conversion(
            Lines(list(fence.lines[above:]), lines.at[inside], lines.origin[inside])
        )
        try:
            md = markdown.Markdown(
                extensions=self._config.markdown_extensions,
                extension_configs=self._config.mdx_configs or {},
            )
            conversion.convert(md, md.convert)
        except Exception as error:  # noqa: BLE001 - parsers raise anything
            fault = Fault(
                line=lines.at[fence.start],
                message=f"this Markdown cannot be read: {described(error, self._root)}",
                rule="unreadable-page",
            )
            return {"fences": [], "faults": [vars(fault)], "sandbox": sandbox}
        faults = [replace(fault, line=lines.at[fence.start + fault.line]) for fault in faults]
        return {
            "fences": self._as_data(conversion, depth + 1),
            "faults": [vars(fault) for fault in [*faults, *conversion.faults()]],
            "sandbox": sandbox,
        }


def _front_matter(lines: Sequence[str]) -> tuple[int, Mapping[str, Any]]:
    """Return how many lines of a text are its front matter in YAML, and what that says."""
    from mkdocs.utils import meta

    if not lines[0].startswith("---"):
        return 0, {}
    text = "".join(f"{line}\n" for line in lines)
    body, said = meta.get_data(text)
    return text.count("\n") - body.count("\n"), said


def _sandbox(front: Mapping[str, Any], lines: Sequence[str]) -> tuple[SandboxName, list[Fault]]:
    """Return where the blocks of a page run, as its front matter says, and what is wrong there.

    Lines count from 1 in the text that begins with the front matter.
    """
    above = lines[: _end_of_front_matter(lines)]
    line = next((n for n, text in enumerate(above, 1) if _SANDBOX_KEY.match(text)), 0)
    said = front.get("sandbox", "project")
    if not front and line and lines[0].startswith("---"):
        message = "the front matter is not valid YAML: readers see it as text, and its `sandbox` "
        return "project", [Fault(line=line, message=f"{message}does not count", rule="sandbox")]
    for name in get_args(SandboxName):
        if said == name:
            return name, []
    message = (
        f"there is no sandbox {said!r}: write `sandbox: empty` for a folder that has only what "
        "the page shows, or `sandbox: project`, as without this line, for a copy of the project"
    )
    return "project", [Fault(line=line or 1, message=message, rule="sandbox")]


def _end_of_front_matter(lines: Sequence[str]) -> int:
    """Return how many lines stand before the end of the front matter, or before a blank line."""
    ends = ("---", "...") if lines and lines[0].startswith("---") else ("",)
    return next((n for n, line in enumerate(lines) if n and line.rstrip() in ends), len(lines))


@contextmanager
def _watched(text: str, conversion: Conversion) -> Iterator[None]:
    """Watch the conversion of this text, and of no other that it may need on the way."""
    import markdown

    original = markdown.Markdown.convert
    waiting = [True]

    def converting(md: markdown.Markdown, source: str) -> str:
        if waiting and source == text:
            waiting.clear()
            return conversion.convert(md, lambda given: original(md, given))
        return original(md, source)

    with replaced(markdown.Markdown, "convert", converting):
        yield


def _next_fence(fence: Fence) -> str:
    """Return the line in a fence by which the next one was meant to begin, if there is one."""
    for line in fence.lines:
        inner = FENCE_LIKE.match(line)
        if inner and inner["fence"].startswith(fence.mark) and inner["info"].strip():
            return line.strip()
    return ""


def _is(title: str, root: Path, test: Callable[[Path], bool]) -> bool:
    """Tell whether a title names a file or folder below the project."""
    try:
        inside = bool(title) and not Path(title).is_absolute() and ".." not in Path(title).parts
        return inside and test(root / title)
    except (OSError, ValueError):
        return False
