"""Snippets of `pymdownx.snippets`, put in a line at a time: what comes from where stays known."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs_blocks.block import Fault
from mkdocs_blocks.fences import replaced
from mkdocs_blocks.lines import Lines, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "snippet"


class Snippets:
    """Watches the preprocessor of `pymdownx.snippets`."""

    def __init__(self, preprocessor: Any) -> None:  # noqa: ANN401 - it has no types
        self._parser = preprocessor
        self.faults: list[Fault] = []
        self.files: set[Path] = set()
        self.escaped: set[int] = set()
        """The page's lines that show a snippet's notation on purpose."""
        self._missing: list[str] = []
        self._circular: list[str] = []

    @staticmethod
    def reads(preprocessor: object) -> bool:
        """Tell whether this is the preprocessor of snippets."""
        return hasattr(preprocessor, "get_snippet_path") and hasattr(
            preprocessor, "RE_ALL_SNIPPETS"
        )

    def put_in(self, lines: Lines) -> Lines:
        """Return the lines with the snippets in place; one that cannot be read is a fault."""
        parser = self._parser
        made = Lines([], [], [])
        find = parser.get_snippet_path

        def finding(path: str) -> str | None:
            found: str | None = find(path)
            if found is None:
                self._missing.append(path)
            elif found in parser.seen:
                self._circular.append(path)
            else:
                self.files.add(Path(found))
            return found

        with ExitStack() as stack:
            stack.enter_context(replaced(parser, "get_snippet_path", finding))
            with replaced(parser, "auto_append", []):
                for given, at, origin in self._pieces(lines):
                    self._add(made, given, at, origin)
            if parser.auto_append:
                last = lines.at[-1] if lines.at else 1
                self._add(made, None, last, Origin.SNIPPET)
        return made

    def _pieces(self, lines: Lines) -> Iterator[tuple[list[str], int, Origin]]:
        """Yield what can be put in by itself: a line, or a path in a block of snippets."""
        marks = {
            index
            for index, line in enumerate(lines.text)
            if "8<" in line
            and (found := self._parser.RE_ALL_SNIPPETS.match(line))
            and not found["escape"]
            and not found["inline_marker"]
        }
        if len(marks) % 2:
            opened = max(marks)
            marks.remove(opened)
            self.faults.append(
                Fault(
                    line=lines.at[opened],
                    message="this block of snippets is never closed: write the same line after it",
                    rule=RULE,
                )
            )
        inside = ""
        for index, (line, at, origin) in enumerate(
            zip(lines.text, lines.at, lines.origin, strict=True)
        ):
            if index in marks:
                inside = "" if inside else line
            elif inside:
                yield [inside, line, inside], at, origin
            else:
                yield [line], at, origin

    def _add(self, made: Lines, given: list[str] | None, at: int, origin: Origin) -> None:
        if given is not None and len(given) == 1 and "8<" not in given[0]:
            made.text.append(given[0])
            made.at.append(at)
            made.origin.append(origin)
            return
        put_in = self._run(given, at)
        made.text.extend(put_in)
        made.at.extend([at] * len(put_in))
        changed = put_in != given
        made.origin.extend([max(origin, Origin.SNIPPET) if changed else origin] * len(put_in))

    def _run(self, given: list[str] | None, at: int) -> list[str]:
        self._missing.clear()
        self._circular.clear()
        line = given[len(given) // 2] if given else ""
        found = self._parser.RE_ALL_SNIPPETS.match(line)
        if found and found["escape"]:
            self.escaped.add(at)
        try:
            put_in = list(self._parser.run(list(given or [])))
        except Exception as error:  # noqa: BLE001 - a file may be anything
            self._fault(at, _reason(error, line))
            return [line] if given else []
        named = bool(given) and not (found and found["escape"]) and _path(line) != ""
        if self._circular:
            self._fault(at, f"the snippet {self._circular[0]!r} includes itself")
        elif self._missing:
            self._fault(at, f"the snippet {self._missing[0]!r} could not be found")
        elif named and (found or (given and len(given) > 1)) and not any(put_in):
            self._fault(at, f"the snippet {_path(line)!r} shows nothing: are its lines there?")
        return put_in

    def _fault(self, at: int, message: str) -> None:
        self.faults.append(Fault(line=at, message=message, rule=RULE))


def _path(line: str) -> str:
    """Return the path in a line with a snippet; empty for a comment."""
    path = re.sub(r"^\s*(?:-+8<-+)?", "", line).strip().strip("\"'").strip()
    return "" if path.startswith(";") else path


def _reason(error: Exception, line: str) -> str:
    path = _path(line)
    match error:
        case IsADirectoryError():
            return f"the snippet {path!r} is a folder: name a file"
        case UnicodeDecodeError():
            return f"the snippet {path!r} is not text in {error.encoding}"
        case OSError():
            return f"the snippet {path!r} cannot be read: {error.strerror or error}"
        case RecursionError():
            return f"the snippet {path!r} includes itself"
    # Its own words: "Snippet at path 'x.py' could not be found".
    return f"the snippet {path!r} cannot be put in: {' '.join(str(error).split())}"
