"""The process that asks MkDocs: all that `mkdocs build` does up to the contents of the pages.

The configuration, the plugins and hooks, the list of files, the navigation and the parser are
MkDocs's own; no template is rendered and nothing of the site is written. The result is a JSON file.
"""

# ruff: noqa: PLC0415 - MkDocs is imported when it is known that it has to be

from __future__ import annotations

import gc
import json
import logging
import os
import re
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs_blocks.block import Fault
from mkdocs_blocks.links import BuiltSite
from mkdocs_blocks.mkdocs_yml import MkDocsYml, described
from mkdocs_blocks.page_source import PageSource
from mkdocs_blocks.site import SiteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jinja2 import Environment
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import File, Files
    from mkdocs.structure.pages import Page

_LEAST_SECONDS = 1.0
"""With less than this left of the whole, no further page is read."""


_NAMED = re.compile(r"^Doc file '[^']*' contains ")
"""How MkDocs begins what it says of a link: the page's name stands before each fault anyway."""


class _TooSlow(BaseException):
    """A page takes too long; not an `Exception`, which parsers and plugins catch."""


def main(request: Mapping[str, Any]) -> None:
    """Read the site that the request names; write the result where it says."""
    gc.disable()
    warnings.simplefilter("ignore")
    into = Path(request["into"])
    threading.Thread(target=_end_with, args=(request["alive"],), daemon=True).start()
    try:
        with tempfile.TemporaryDirectory(dir=into.parent) as site_dir:
            result = _Build(request, into).run(site_dir)
    except SiteError as error:
        result = {"error": str(error)}
    partial = into.with_suffix(".partial")
    partial.write_text(json.dumps(result), encoding="utf-8")
    partial.replace(into)


def _end_with(alive: int) -> None:
    """End this process, and what plugins have started, with the checker."""
    os.read(alive, 1)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


class _Log(logging.Handler):
    """Keeps what MkDocs, its plugins and its hooks warn of, and at which link they were."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.line = 0
        """The line of the link that MkDocs is looking at."""
        self.records: list[tuple[logging.LogRecord, int]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append((record, self.line))

    def take(self) -> list[tuple[logging.LogRecord, int]]:
        """Return the records since the last time."""
        taken, self.records = self.records, []
        return taken

    def at(self, line: int) -> None:
        """Note the line of the link that MkDocs looks at from now on; 0 for none."""
        self.line = line


class _Build:
    def __init__(self, request: Mapping[str, Any], into: Path) -> None:
        self.root = Path(request["root"])
        self.yml = MkDocsYml(self.root / request["config"], request["config"])
        self.languages: Mapping[str, str] = request["files"]
        self.page_seconds = float(request["page_seconds"])
        self.ends = time.monotonic() + float(request["seconds"])
        self.only = str(request["only"])
        self.instead = Path(request["instead"]) if request["instead"] else None
        self.note = (into.parent / "mkdocs.page").open("w", encoding="utf-8")
        self.log = _Log()
        self.plugins: Mapping[str, object] = {}
        self.faults: list[Fault] = []
        """Those of no page."""

    def run(self, site_dir: str) -> dict[str, Any]:
        """Return the site as data; raises `SiteError`."""
        sys.path.append(str(self.root))  # a site may have Markdown extensions of its own
        logger = logging.getLogger("mkdocs")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(self.log)
        config, faults = self.yml.load(site_dir)
        self.plugins = config.plugins
        self.faults += faults
        self.log.take()  # MkDocs's own words for the same
        with self._plugin("on_startup"):
            config.plugins.on_startup(command="build", dirty=False)
        try:
            pages = self._pages(config)
        finally:
            config.plugins.on_shutdown()
        self._warnings()
        return {
            "docs_dir": config.docs_dir,
            "pages": [
                {
                    "name": page.name,
                    "fences": page.fences,
                    "faults": [vars(fault) for fault in page.faults],
                    "snippets": page.snippets,
                    "sandbox": page.sandbox,
                }
                for page in pages
            ],
            "faults": [[self.yml.name, vars(fault)] for fault in self.faults],
        }

    @contextmanager
    def _plugin(self, event: str) -> Iterator[None]:
        """Turn what a plugin or hook raises into one line."""
        try:
            yield
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugins raise anything
            raise self.yml.error(
                self._line_of(event),
                f"a plugin or a hook fails in {event} ({self._who(event)}): "
                f"{described(error, self.root)}",
            ) from None

    def _names(self, event: str) -> list[str]:
        """Return the names of the plugins and hooks that have a say in an event."""
        return [name for name, plugin in self.plugins.items() if hasattr(plugin, event)]

    def _who(self, event: str) -> str:
        return ", ".join(self._names(event)) or "MkDocs itself"

    def _line_of(self, event: str) -> int:
        """Return the line of the first plugin or hook that has a say in an event."""
        for name in self._names(event):
            for key in ("plugins", "hooks"):
                line = self.yml.value(name, under=key, default=0)
                if line:
                    return line
        return self.yml.line("plugins")

    def _pages(self, config: MkDocsConfig) -> list[PageSource]:
        from mkdocs.structure.files import InclusionLevel, set_exclusions
        from mkdocs.structure.nav import get_navigation
        from mkdocs.structure.pages import Page

        extensions = list(config.markdown_extensions)
        with self._plugin("on_config"):
            config = config.plugins.on_config(config)
        added = [name for name in config.markdown_extensions if name not in extensions]
        if added:
            self._extensions_added(added)
        with self._plugin("on_pre_build"):
            config.plugins.on_pre_build(config=config)
        files = _files(config)
        with self._plugin("on_files"):
            if config.plugins.events["files"]:
                files.add_files_from_theme(config.theme.get_env(), config)
            files = config.plugins.on_files(files, config=config)
        set_exclusions(files, config)
        self._warnings()
        with self._plugin("on_nav"):
            nav = get_navigation(files, config)
            self._nav_faults()
            config.plugins.on_nav(nav, config=config, files=files)
        self._warnings()
        gc.enable()
        gc.freeze()
        read: list[tuple[Page, PageSource]] = []
        for file in files.documentation_pages(inclusion=InclusionLevel.is_in_serve):
            page = file.page or Page(None, file, config)
            name = Path(os.path.relpath(Path(config.docs_dir, file.src_uri), self.root)).as_posix()
            if not self.only or name == self.only:
                source = PageSource(name, self.root, self.languages, self._who)
                self._page(page, source, config, files)
                read.append((page, source))
        site = BuiltSite([page for page, _ in read], files, config)
        for page, source in read:
            if source.conversion is not None and source.conversion.links is not None:
                source.faults += site.faults(page, source.conversion.links)
        return [source for _, source in read]

    # Of no page.

    def _extensions_added(self, added: Sequence[object]) -> None:
        names = ", ".join(
            name if isinstance(name, str) else f"{type(name).__module__}.{type(name).__name__}"
            for name in added
        )
        message = (
            f"a plugin or a hook adds Markdown extensions ({names}): what pages look like is no "
            "longer what `markdown_extensions` says"
        )
        self.faults.append(
            Fault(line=self._line_of("on_config"), message=message, rule="added-extension")
        )

    def _nav_faults(self) -> None:
        """Tell what MkDocs warns of in the navigation, at the lines of mkdocs.yml."""
        placed: Counter[str] = Counter()
        for record, line in self.log.take():
            if record.name != "mkdocs.structure.nav":
                self.log.records.append((record, line))
                continue
            said, *omitted = record.getMessage().split("\n  - ")
            for name in omitted:
                message = f"the page {name} is not in the navigation: add it to `nav`, or to "
                self._nav_fault(self.yml.line("nav"), f"{message}`not_in_nav`")
            if not omitted:
                quoted = re.search(r"'([^']*)'", said)
                target = quoted[1] if quoted else ""
                self._nav_fault(self.yml.value(target, under="nav", place=placed[target]), said)
                placed[target] += 1

    def _nav_fault(self, line: int, message: str) -> None:
        self.faults.append(Fault(line=line, message=message, rule="navigation"))

    def _warnings(self) -> None:
        """Tell what was warned of while no page was read, once each."""
        for record, _ in self.log.take():
            said = " ".join(record.getMessage().split())
            about = next(
                (name for name in self.plugins if name in re.findall(r"[\w/-]+", said)), ""
            )
            line = self.yml.value(about, under="plugins") if about else 1
            self.faults.append(Fault(line=line, message=said, rule="mkdocs-warning"))

    # Pages.

    def _page(self, page: Page, source: PageSource, config: MkDocsConfig, files: Files) -> None:
        """Read one page; whatever goes wrong is a fault of this page alone."""
        self.note.seek(0)
        self.note.truncate()
        self.note.write(source.name)
        self.note.flush()
        left = self.ends - time.monotonic()
        seconds = min(self.page_seconds, left / 2)
        if seconds < _LEAST_SECONDS:
            message = "the pages before this one have taken all the time: it was not read"
            source.faults = [Fault(line=1, message=message, rule="slow-page")]
            return
        try:
            with _at_most(seconds):
                source.read(page, config, files, self.log.at, self.instead)
        except _TooSlow:
            source.fences.clear()
            message = (
                f"the page could not be read within {seconds:.3g} s: a Markdown extension, a "
                "plugin or a hook does not come to an end"
            )
            source.faults = [Fault(line=1, message=message, rule="slow-page")]
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugins raise anything
            self.log.take()  # MkDocs's own words for the same
            source.fences.clear()
            line, message = self._unreadable(error, page.file, config)
            source.faults = [Fault(line=line, message=message, rule="unreadable-page")]
        source.faults += [
            Fault(
                line=line or 1,
                message=_NAMED.sub("", " ".join(record.getMessage().split())),
                rule="dead-link" if line else "mkdocs-warning",
            )
            for record, line in self.log.take()
        ]

    def _unreadable(
        self, error: BaseException, file: File, config: MkDocsConfig
    ) -> tuple[int, str]:
        """Return why a page cannot be read, and the line."""
        path = self.instead or Path(config.docs_dir, file.src_uri)
        try:
            data = path.read_bytes()
            data.decode("utf-8")  # with its mark, if it has one, so that bytes are counted right
        except UnicodeDecodeError as wrong:
            if isinstance(error, UnicodeDecodeError):
                before = data[: wrong.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
                column = len(before) - before.rfind(b"\n")
                return before.count(b"\n") + 1, (
                    f"the page is not UTF-8: byte {data[wrong.start]:#04x} at column {column}; "
                    "save it as UTF-8"
                )
        except OSError as wrong:
            if isinstance(error, OSError) and error.filename == wrong.filename:
                return 1, f"the page cannot be read: {wrong.strerror}"
        return 1, f"the page cannot be read: {described(error, self.root)}"


def _files(config: MkDocsConfig) -> Files:
    """Return MkDocs's files; those of the theme come in when one of them is asked for."""
    from mkdocs.structure.files import Files, get_files

    class SiteFiles(Files):
        has_theme = False

        def add_files_from_theme(self, env: Environment, config: MkDocsConfig) -> None:
            if not self.has_theme:
                self.has_theme = True
                super().add_files_from_theme(env, config)

        def get_file_from_path(self, path: str) -> File | None:
            found = super().get_file_from_path(path)
            if found is None and not self.has_theme and self._is_of_theme(path):
                self.add_files_from_theme(config.theme.get_env(), config)
                found = super().get_file_from_path(path)
            return found

        @staticmethod
        def _is_of_theme(path: str) -> bool:
            return any(Path(folder, path).is_file() for folder in config.theme.dirs)

    return SiteFiles(get_files(config))


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise `_TooSlow` in here after a time, and again each second if that is caught."""

    def ring(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
