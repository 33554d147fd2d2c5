"""The checker as a pytest plugin: each block of the site's pages is a test item.

It does nothing until it is asked: by `--docs` and its like, or by `mkdocs_blocks = true` in the ini
file. This module is what every pytest process with the plugin pays for, asked or not; the rest is
imported when it is needed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mkdocs_blocks.settings import PREFIX, add_settings, asks_for_the_site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mkdocs_blocks.printed import PrintedBlock

PAGE_SUFFIXES = (".md", ".markdown", ".mkd", ".mkdn")
"""The suffixes of MkDocs's pages."""

_RUN = "mkdocs-blocks-run"
"""The name of the plugin that is there when the site is checked."""

_PAGE_LINE = re.compile(r"^(?P<page>.+\.(?:md|markdown|mkdn?)):(?P<line>\d+)$")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the settings."""
    group = parser.getgroup("mkdocs-blocks", "blocks of a MkDocs site")
    group.addoption(
        "--docs",
        action="store_true",
        help="check the blocks of the site: all pages, or those named, as page.md or page.md:LINE",
    )
    group.addoption(
        "--bless-docs",
        action="store_true",
        help="rewrite the expected outputs of the pages with what the commands print now, and take "
        "what is proven by that out of the baseline",
    )
    group.addoption(
        "--docs-seconds",
        type=float,
        metavar="SECONDS",
        help=f"the time that one block may take; overrides {PREFIX}_seconds",
    )
    group.addoption(
        "--docs-baseline",
        action="store_const",
        const="failing",
        help="list what fails in the baseline file; a list that is there already only shrinks",
    )
    group.addoption(
        "--docs-baseline-all",
        action="store_const",
        const="all",
        dest="docs_baseline",
        help="list all blocks in the baseline file, and run none",
    )
    group.addoption(
        "--fresh",
        action="store_true",
        help="run pages too that passed before and have not changed, as is done where CI is set",
    )
    add_settings(parser)


@pytest.fixture(scope="session")
def mkdocs_blocks_printed(pytestconfig: pytest.Config) -> Callable[[str], Sequence[PrintedBlock]]:
    """Look up what the console blocks of a page have printed, by its path below the rootdir.

    That is nothing until all blocks of the page have passed in this session, in whichever process;
    so also where the page is not asked for, or need not be run again.
    """
    run = pytestconfig.pluginmanager.get_plugin(_RUN)
    return run.printed if run else lambda _: ()


def _is_asked(config: pytest.Config) -> bool:
    return bool(
        config.getoption("docs")
        or config.getoption("bless_docs")
        or config.getoption("docs_baseline")
        or asks_for_the_site(config)
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the run of the site's blocks, if it was asked for.

    `page.md:line` arguments become pages here; pytest-xdist's workers get the same ones and do so
    too.
    """
    if not _is_asked(config):
        return
    wanted: dict[str, list[int]] = {}
    whole: set[Path] = set()
    for index, argument in enumerate(config.args):
        found = _PAGE_LINE.match(argument)
        name = found["page"] if found else argument.split("::", maxsplit=1)[0]
        path = (config.invocation_params.dir / name).resolve()
        if path.suffix in PAGE_SUFFIXES and not path.exists():
            # Where pytest-xdist is used, pytest itself does not say so.
            raise pytest.UsageError(f"there is no page {name}")
        if found:
            config.args[index] = name
            wanted.setdefault(str(path), []).append(int(found["line"]))
        else:
            whole.add(path)
    for page in [page for page in wanted if whole & {Path(page), *Path(page).parents}]:
        del wanted[page]
    from mkdocs_blocks.run import Run  # noqa: PLC0415 - an installed plugin costs nothing
    from mkdocs_blocks.summary import Summary  # noqa: PLC0415 - as above

    run = Run(config, wanted)
    config.pluginmanager.register(run, _RUN)
    config.pluginmanager.register(Summary(run), "mkdocs-blocks-summary")
