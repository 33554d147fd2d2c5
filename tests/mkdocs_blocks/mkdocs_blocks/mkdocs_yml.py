"""A site's mkdocs.yml: MkDocs's own reading of it, and the lines of what is wrong there."""

# ruff: noqa: PLC0415 - MkDocs is imported in its own process alone

from __future__ import annotations

import os
import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_blocks.block import Fault
from mkdocs_blocks.site import SiteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml
    from mkdocs.config.defaults import MkDocsConfig

_INSTALL = "install what the site needs beside pytest-mkdocs-blocks"


class MkDocsYml:
    """The file, with the line of each key and each value."""

    def __init__(self, path: Path, name: str) -> None:
        """Take the path and the name that faults have."""
        self.path = path
        self.name = name
        self._root: yaml.Node | None = None
        self._read = False

    def error(self, line: int, message: str) -> SiteError:
        """Return the error that a site cannot be read, at a line of this file."""
        return SiteError(f"{self.name}:{line}: {' '.join(message.split())}")

    def load(self, site_dir: str) -> tuple[MkDocsConfig, list[Fault]]:
        """Let MkDocs read the file; return the configuration, and what MkDocs warns of.

        Raises `SiteError` with one line when MkDocs does not accept it.
        """
        from mkdocs.config.defaults import MkDocsConfig
        from mkdocs.exceptions import MkDocsException

        config = MkDocsConfig(config_file_path=str(self.path))
        try:
            with self.path.open("rb") as stream:
                config.load_file(stream)
            config.load_dict({"site_dir": site_dir})
        except OSError as error:
            raise self.error(1, f"the file cannot be read: {error.strerror}") from None
        except MkDocsException as error:
            raise self._not_yaml(error, error.__context__) from None
        except Exception as error:  # noqa: BLE001 - a tag may run anything
            raise self._not_yaml(error, error) from None
        try:
            errors, warnings = config.validate()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it imports plugins and hooks
            raise self.error(
                self.line("hooks" if self.line("hooks", default=0) else "plugins"),
                f"a plugin or a hook cannot be loaded: {described(error, self.path.parent)}: "
                f"{_INSTALL}",
            ) from None
        if errors:
            key, wrong = errors[0]
            raise self.error(*self._wrong(key, str(wrong)))
        return config, [
            Fault(line=self._wrong(key, said)[0], message=f"{key}: {said}", rule="mkdocs-warning")
            for key, said in warnings
        ]

    def _not_yaml(self, error: BaseException, cause: BaseException | None) -> SiteError:
        mark = getattr(cause, "problem_mark", None)
        if mark is None:
            return self.error(1, f"MkDocs cannot read it: {error}")
        problem = getattr(cause, "problem", None) or str(cause)
        advice = f": {_INSTALL}" if "module" in problem or "python" in problem else ""
        file = Path(mark.name)
        if file.name != self.path.name and file.is_file():  # INHERIT
            return SiteError(f"{file.name}:{mark.line + 1}: {problem}{advice}")
        return self.error(mark.line + 1, f"{problem}{advice}")

    def _wrong(self, key: str, said: str) -> tuple[int, str]:
        """Return the line and the words of what MkDocs does not accept about a key."""
        named = next(
            (name for name in re.findall(r"[\"'`]([^\"'`\n]+)[\"'`]", said) if self._values(name)),
            None,
        )
        line = self.value(named, under=key) if named else self.line(key)
        words = said.strip().split("\n")
        plugin = re.match(r'The "(?P<name>.+)" plugin is not installed', said)
        if plugin:
            name = plugin["name"]
            line = self.value(name, under=key, default=0) or self.value(
                name.rpartition("/")[2], under=key
            )
            return line, f"the plugin {name!r} is not installed: {_INSTALL}"
        extension = re.match(r"Failed to load extension '(?P<name>.+)'", said)
        if extension:
            return line, (
                f"the Markdown extension {extension['name']!r} cannot be loaded "
                f"({words[-1]}): {_INSTALL}"
            )
        if said.startswith("Unrecognised theme name"):
            return line, f"{words[0]} Or {_INSTALL}"
        return line, f"{key}: {said}"

    # Lines.

    def line(self, key: str, default: int = 1) -> int:
        """Return the line of a key at the top."""
        for found, _ in self._top():
            if found.value == key:
                return int(found.start_mark.line) + 1
        return default

    def value(self, wanted: str, *, under: str, place: int = 0, default: int | None = None) -> int:
        """Return the line of a value below a key at the top; the key's own if it is not there.

        `place` tells how many times it was there before.
        """
        lines = self._values(wanted, under)
        if lines:
            return lines[min(place, len(lines) - 1)]
        return self.line(under) if default is None else default

    def _values(self, wanted: str, under: str = "") -> list[int]:
        return [
            int(node.start_mark.line) + 1
            for key, value in self._top()
            if under in {"", key.value}
            for node in _scalars(value)
            if node.value == wanted
        ]

    def _top(self) -> list[tuple[yaml.Node, yaml.Node]]:
        if not self._read:
            import yaml

            self._read = True
            try:
                self._root = yaml.compose(
                    self.path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader
                )
            except (OSError, ValueError, yaml.YAMLError):
                self._root = None
        pairs = getattr(self._root, "value", None)
        return pairs if isinstance(pairs, list) and pairs and isinstance(pairs[0], tuple) else []


def _scalars(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node.value, str):
        yield node
        return
    for child in node.value:
        for part in child if isinstance(child, tuple) else (child,):
            yield from _scalars(part)


def described(error: BaseException, root: Path) -> str:
    """Return an error in one line, with its place in the code of the project or of a plugin."""
    words = " ".join(str(error).split())
    said = f"{type(error).__name__}: {words}" if words else type(error).__name__
    frames = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)]
    libraries = {"site-packages", "dist-packages", *Path(os.__file__).parent.parts[-1:]}
    own = [
        f"{path.relative_to(root).as_posix()}:{line}"
        for path, line in zip(frames, lines, strict=True)
        if path.is_relative_to(root) and not libraries & set(path.relative_to(root).parts)
    ]
    if own:
        return f"{said} ({own[-1]})"
    others = [
        f"{path.name}:{line}"
        for path, line in zip(frames, lines, strict=True)
        if not _MACHINERY & set(path.parts) and path.is_absolute()
    ]
    return f"{said} ({others[-1]})" if others else said


_MACHINERY = frozenset({"mkdocs", "mkdocs_blocks", "markdown", "importlib", "yaml"})
"""Packages in which no fault of a site lies."""
