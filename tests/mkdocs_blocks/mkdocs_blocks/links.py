"""Links that lead nowhere, each told at the line of that very link.

MkDocs knows which links lead nowhere, but not where they stand. So the target of each link is
tagged with its line before the page is parsed, in characters that no page has; whatever the parser
makes of it, the tag tells where it was, and is taken off again before anybody else sees it.
"""

# ruff: noqa: ANN401 - the objects of MkDocs and Markdown that are watched have no types

from __future__ import annotations

import html as html_text
import posixpath
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mkdocs_blocks.block import Fault
from mkdocs_blocks.fences import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import ExitStack

    from mkdocs_blocks.lines import Lines

_DIGITS = [chr(0x10FF00 + digit) for digit in range(10)]  # private use, of the last plane
_START, _END = "\U0010ff10", "\U0010ff11"
_TAG = re.compile(f"{_START}(?P<digits>[{_DIGITS[0]}-{_DIGITS[9]}]+){_END}")
_TAG_CHARACTER = re.compile(f"[{_DIGITS[0]}-{_DIGITS[9]}{_START}{_END}]")

# Not what has a scheme or a host, or is empty, or is the placeholder of something put away.
_TARGET = r"(?=[^\s>)\x02\"'])(?![a-zA-Z][a-zA-Z0-9+.-]*:|//)"
_BEFORE_TARGET = re.compile(
    rf"""
    (?: \]\([ ]*<?                                                # [text](target)
      | ^[ >]*(?:[-*+][ ]+|\d+\.[ ]+)?\[(?!\^)[^\[\]]+\]:[ ]*<?   # [name]: target
      | (?<![\w-])(?:href|src|srcset|poster)[ ]*=[ ]*["']?        # <img src="target">
    ) {_TARGET}
    """,
    re.VERBOSE | re.IGNORECASE,
)

_RAW = frozenset({"href", "src", "srcset", "poster"})
_OF_THE_THEME = re.compile(r"top$|__")
"""Anchors that each page has from its theme, or that browsers know."""
_WARNING = 30
"""MkDocs's levels below `validation` are those of `logging`."""


@dataclass(frozen=True)
class Link:
    """A link to an anchor, or one in raw HTML."""

    line: int
    target: str
    file: Any = None
    """MkDocs's file that it leads to; None for raw HTML."""
    anchor: str = ""


def tagged(lines: Lines) -> list[str]:
    """Return the lines with the target of each link tagged with its line."""
    return [
        _BEFORE_TARGET.sub(lambda found, at=at: found[0] + _tag(at), line)  # type: ignore[misc] # bound now
        if "](" in line or "]:" in line or "=" in line
        else line
        for line, at in zip(lines.text, lines.at, strict=True)
    ]


def _tag(line: int) -> str:
    return _START + "".join(_DIGITS[int(digit)] for digit in str(line)) + _END


def untagged(text: str) -> str:
    """Return the text without any tag."""
    return _TAG_CHARACTER.sub("", text)


def _line_of(value: str) -> int:
    """Return the line of a tagged target; 0 when it has no tag."""
    found = _TAG.search(value)
    if found is None:
        return 0
    return int("".join(str(ord(digit) - ord(_DIGITS[0])) for digit in found["digits"]))


class LinksSeen:
    """The links of one page: a tree processor that takes the tags off, and what it learns.

    `line` is the line of the link that MkDocs is looking at just now.
    """

    def __init__(self, tell: Callable[[int], None], search: Callable[[str], int]) -> None:
        """Call `tell` with the line of each link before MkDocs judges it, and 0 afterwards.

        `search` finds the line of a target that has no tag.
        """
        self.to_anchors: list[Link] = []
        self.raw: list[Link] = []
        self.wrong: list[Link] = []
        """Targets that are no address at all."""
        self._tell = tell
        self._search = search
        self._lines: dict[int, int] = {}
        self._kept: list[Any] = []

    def run(self, root: Any) -> None:
        """Take the tags off all attributes."""
        for element in root.iter():
            for name, value in element.items():
                # A processor may set one to None, and a later one take that away.
                if _START in (value or ""):
                    self._lines.setdefault(id(element), _line_of(value))
                    self._kept.append(element)  # its id stays its own
                    element.set(name, untagged(value))

    def watch(self, md: Any, stack: ExitStack) -> None:
        """Watch the tree processors of a parser of pages."""
        md.treeprocessors.register(self, "mkdocs_blocks_links", 19.99)  # right after `inline`
        if "relpath" not in md.treeprocessors:
            return
        judge = md.treeprocessors["relpath"]
        run, to_url = judge.run, judge.path_to_url
        order: list[int] = []

        def running(root: Any) -> Any:
            self.run(root)
            order.extend(
                self._lines.get(id(element), 0)
                for element in root.iter()
                if element.tag in {"a", "img"}
            )
            order.reverse()
            return run(root)

        def judging(url: str) -> str:
            line = (order.pop() if order else 0) or self._search(url)
            all_anchors = judge.links_to_anchors
            judge.links_to_anchors = {}
            self._tell(line)
            try:
                return str(to_url(url))
            except ValueError:
                self.wrong.append(Link(line, url))
                return url
            finally:
                self._tell(0)
                for file, anchors in judge.links_to_anchors.items():
                    for anchor, target in anchors.items():
                        self.to_anchors.append(Link(line, target, file, anchor))
                        all_anchors.setdefault(file, {}).setdefault(anchor, target)
                judge.links_to_anchors = all_anchors

        stack.enter_context(replaced(judge, "run", running))
        stack.enter_context(replaced(judge, "path_to_url", judging))

    def finish(self, html: str) -> str:
        """Take the links of raw HTML out of a page's HTML; return it without tags."""
        if _START not in html:
            return html
        finder = _RawLinks()
        finder.feed(html)
        finder.close()
        self.raw += finder.links
        return untagged(html)


class _RawLinks(HTMLParser):
    """Collects the attributes that still have a tag: those of raw HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[Link] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its signature
        for name, value in attrs:
            if name in _RAW and value and (line := _line_of(value)):
                target = untagged(value)
                targets = _candidates(target) if name == "srcset" else [target.strip()]
                self.links += [Link(line, one) for one in targets]


def _candidates(srcset: str) -> Iterator[str]:
    for candidate in srcset.split(","):
        yield from candidate.split()[:1]


class BuiltSite:
    """The files and anchors that the built site has, for the links that MkDocs does not judge."""

    def __init__(self, pages: Iterable[Any], files: Iterable[Any], config: Any) -> None:
        """Take MkDocs's pages, all of them rendered, its files and its configuration."""
        self._pages = {page.file.dest_uri: page for page in pages}
        self._theme = config.theme.dirs
        links = config.validation.links
        self._not_found = links.not_found
        # MkDocs's own default only informs, of what is as wrong as any dead link.
        said = any("anchors" in given for given in links.user_configs)
        self._anchors_level = links.anchors if said else _WARNING
        self._files = {file.dest_uri for file in files if file.inclusion.is_included()}
        self._files |= {*config.theme.static_templates, *config.extra_templates, "sitemap.xml.gz"}
        self._anchors: dict[str, set[str]] = {}

    def faults(self, page: Any, links: LinksSeen) -> Iterator[Fault]:
        """Yield the links of a page to no anchor, those of raw HTML to nowhere, and non-links."""
        for link in links.wrong:
            said = f"the link {link.target!r} is no address"
            yield Fault(line=link.line, message=said, rule="dead-link")
        if self._anchors_level >= _WARNING and not page.file.inclusion.is_excluded():
            for link in links.to_anchors:
                target = link.file.page
                known = None if target is None else target.present_anchor_ids
                if known is not None and link.anchor not in known:
                    place = "this page" if target is page else link.file.src_uri
                    said = f"the link {link.target!r} leads to an anchor that {place} does not have"
                    yield Fault(line=link.line, message=said, rule="dead-anchor")
        for link in links.raw:
            rule, said = self._raw(link.target, page.file.dest_uri)
            level = self._anchors_level if rule == "dead-anchor" else self._not_found
            if rule and level >= _WARNING:
                yield Fault(line=link.line, message=f"the link {link.target!r} {said}", rule=rule)

    def _raw(self, target: str, page: str) -> tuple[str, str]:
        """Return the rule and the reason if a relative link of raw HTML leads nowhere."""
        try:
            scheme, host, path, _, anchor = urlsplit(html_text.unescape(target))
        except ValueError:
            return "dead-link", "is no address"
        if scheme or host or path.startswith("/"):
            return "", ""
        found = page
        if path:
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(path)))
            if wanted == ".." or wanted.startswith("../"):
                return "dead-link", "leads out of the site: write the whole address"
            index = posixpath.normpath(posixpath.join(wanted, "index.html"))
            found = wanted if self._has(wanted) and not path.endswith("/") else index
            if not self._has(found):
                return "dead-link", (
                    f"leads nowhere: the built site has no {wanted!r} (raw HTML is not translated: "
                    "write the address that readers have)"
                )
        if anchor and not _OF_THE_THEME.match(anchor):
            known = self._anchors_of(found)
            if known is not None and unquote(anchor) not in known:
                return "dead-anchor", "leads to an anchor that is not there"
        return "", ""

    def _has(self, address: str) -> bool:
        if address in self._files:
            return True
        # The files of the theme are many, and hardly ever asked for.
        return not address.endswith((".html", ".md")) and any(
            Path(folder, address).is_file() for folder in self._theme
        )

    def _anchors_of(self, address: str) -> set[str] | None:
        page = self._pages.get(address)
        if page is None or page.content is None:
            return None
        if address not in self._anchors:
            own = page.present_anchor_ids or set()
            self._anchors[address] = own | anchors_of(page.content)
        return self._anchors[address]


_ANCHOR = re.compile(
    r"""(?<![\w-])(?:id|name)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)


def anchors_of(html: str) -> set[str]:
    """Return the anchors that a page's HTML has."""
    return {html_text.unescape(next(filter(None, found), "")) for found in _ANCHOR.findall(html)}


def line_of_target(target: str, lines: Lines, skip: int = 0) -> int:
    """Return the line that has a target as a word; that of the occurrence after `skip` others."""
    word = re.compile(rf"(?<![\w./#-]){re.escape(target.strip('/'))}(?![\w.#-]*\w)")
    places: Sequence[int] = [
        at for line, at in zip(lines.text, lines.at, strict=True) if word.search(line)
    ]
    return places[min(skip, len(places) - 1)] if places else 1
