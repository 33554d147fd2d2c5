"""Files that a page shows: written into its sandbox, and used by one of its later commands."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_blocks.block import BlockError
from mkdocs_blocks.kinds.kind import Fence, Kind, Problem
from mkdocs_blocks.shell_syntax import uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mkdocs_blocks.block import Block
    from mkdocs_blocks.page_run import PageRun

# What pytest reads its settings from: whoever shows one of these means a run of pytest.
_PYTEST_FILES = frozenset({"pytest.ini", "pytest.toml", "pyproject.toml", "setup.cfg", "tox.ini"})
_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py")
_UNKNOWN_OPTION = re.compile(r"Unknown config option: (?P<key>\S+)")
_PYTEST_USAGE_ERROR = 4


def wrong_language(fence: Fence) -> Iterator[Problem]:
    """Yield what is wrong when a block's language is not that of the file in its title."""
    if fence.written_in and fence.written_in != fence.lexer:
        yield Problem(
            rule="wrong-language",
            message=(
                f"{fence.title} is not written in {fence.language}: "
                f"write {fence.written_in} after the backticks"
            ),
        )


class File(Kind):
    """A block with the title of a file that is not there yet."""

    name = "file"
    counts_as = "checked"
    fences = "any, with the title of a new file"
    done = (
        "Written into the sandbox, where a later block of the page must use it. "
        "Before that, Python, TOML, JSON and YAML are parsed, pytest reads its settings, "
        "and mypy reads Python where the site asks for that."
    )

    def claims(self, fence: Fence) -> bool:
        """Claim what has a title, whatever its language."""
        return bool(fence.title)

    def problems(self, fence: Fence) -> Iterator[Problem]:
        """Refuse a file in a language that is not its own."""
        return wrong_language(fence)

    def judge(self, block: Block, page: PageRun) -> None:
        """Write the file; parse it; see that a later block uses it."""
        page.enter(block)
        page.show(block)
        if block.lexer == "python":
            _parse(block, ast.parse)
            if self.settings.types:
                _check_types(block, page)
        elif block.lexer in _PARSERS:
            _parse(block, _PARSERS[block.lexer])
        if Path(block.title).name in _PYTEST_FILES:
            _check_pytest_options(block, page)
        if not _is_used(block, page):
            raise BlockError(
                block.line,
                f"no later block of this page uses {block.title}: show one that does",
            )


def _yaml(text: str) -> None:
    import yaml  # noqa: PLC0415 - only for pages that show YAML

    list(yaml.parse(text))


_PARSERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": _yaml,
}


def _parse(block: Block, parser: Callable[[str], object]) -> None:
    try:
        parser(block.text)
    except (RecursionError, MemoryError):
        raise BlockError(block.line, f"{block.title} is nested too deep to be parsed") from None
    except Exception as error:  # noqa: BLE001 - each parser has its own
        language = "Python" if block.lexer == "python" else block.lexer
        raise BlockError(
            block.at(_line_of(error)), f"{block.title} is not valid {language}: {error}"
        ) from None


def _line_of(error: Exception) -> int:
    """Return the line, from 0, at which a parser stopped."""
    if isinstance(error, SyntaxError | json.JSONDecodeError):
        return (error.lineno or 1) - 1
    mark = getattr(error, "problem_mark", None)  # YAML's
    if mark is not None:
        return int(mark.line)
    found = re.search(r"at line (\d+)", str(error))  # TOML's
    return int(found[1]) - 1 if found else 0


def _check_types(block: Block, page: PageRun) -> None:
    """Let mypy find the name that no test reaches, at its line."""
    ended = page.program(
        *(sys.executable, "-m", "mypy", "--config-file=", "--check-untyped-defs"),
        *("--ignore-missing-imports", "--follow-imports=silent", "--no-error-summary"),
        *("--no-color-output", "--disable-error-code=var-annotated"),
        *(f"--cache-dir={page.folder / 'mypy'}", "--", block.title),
    )
    printed = ended.output.decode(errors="replace")
    if ended.trouble:
        raise BlockError(block.line, f"mypy over {block.title} {page.told(ended)}")
    passed_over = False
    for line in printed.splitlines():
        found = re.match(rf"{re.escape(block.title)}:(\d+): error: (.*)", line)
        if found and _may_be_made(found[2], page):
            passed_over = True
        elif found:
            raise BlockError(block.at(int(found[1]) - 1), f"{block.title}: {found[2]}")
    if ended.status and not passed_over:
        raise BlockError(block.line, f"mypy cannot read {block.title}", page.tail(printed))


def _may_be_made(error: str, page: PageRun) -> bool:
    """Tell whether mypy misses a module in a folder of the page, where a command may make it."""
    found = re.match(r'Module "(?P<package>[\w.]+)" has no attribute "\w+"', error)
    return found is not None and page.sandbox.root.joinpath(*found["package"].split(".")).is_dir()


def _check_pytest_options(block: Block, page: PageRun) -> None:
    """Let pytest read the file: with its neighbours, whose plugins may add options."""
    for index, line in enumerate(block.lines):
        # What stands in any other section, pytest passes over without a word.
        if Path(block.title).name == "pytest.ini" and re.match(r"\[(?!pytest\])", line):
            raise BlockError(
                block.at(index), f"pytest.ini has just one section, [pytest], and not {line}"
            )
    if page.is_empty:
        return  # the plugins are those of the page's own commands: `check_options_known`
    printed, trouble = _refusal(block, page)
    unknown = _UNKNOWN_OPTION.search(printed)
    if unknown:
        key = unknown["key"]
        raise BlockError(
            _line_of_key(block, key) or block.line,
            f"no installed pytest plugin knows the option {key!r}",
        )
    if not printed and not trouble:
        return
    without, still = _refusal(block, page, "--noconftest")
    if without or still:
        raise BlockError(
            block.line, f"pytest refuses {block.title} {still}".strip(), page.tail(without)
        )
    # An error in a conftest.py is told where that is used; one that never ends only here.
    shown = [other for other in page.shown if Path(other.title).name == "conftest.py"]
    if trouble and shown:
        raise BlockError(shown[-1].line, f"pytest over {shown[-1].title} {trouble}")


def check_options_known(page: PageRun, printed: Sequence[str], expected: Sequence[str]) -> None:
    """Let a run of pytest in an empty sandbox tell which option of a shown file it does not know.

    `printed` is what the run printed, `expected` what the page shows of that.
    """
    for found in filter(None, map(_UNKNOWN_OPTION.search, printed)):
        if any(found[0] in line for line in expected):
            continue
        for block in page.shown:
            line = _line_of_key(block, found["key"])
            if Path(block.title).name in _PYTEST_FILES and line:
                raise BlockError(line, f"a run of pytest on this page says: {found[0]}")


def _line_of_key(block: Block, key: str) -> int:
    """Return the page's line at which a file sets a key; 0 when it does not."""
    sets = re.compile(rf"\s*{re.escape(key)}\b")
    return next((block.at(n) for n, line in enumerate(block.lines) if sets.match(line)), 0)


def _refusal(block: Block, page: PageRun, *arguments: str) -> tuple[str, str]:
    """Return what pytest says when it does not start with this configuration, or how it ended."""
    folder = str((page.sandbox.root / block.title).parent)
    ended = page.program(
        *(str(page.sandbox.python), "-B", "-m", "pytest", "--strict-config", "--collect-only"),
        *(
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            block.title,
            "--rootdir",
            folder,
            *arguments,
            folder,
        ),
    )
    refused = ended.status == _PYTEST_USAGE_ERROR
    return ended.output.decode(errors="replace") if refused else "", page.told(ended)


def _is_used(block: Block, page: PageRun) -> bool:
    """Tell whether a later block uses a file, by itself or by another file that the page shows."""
    later = page.blocks[block.place + 1 :]
    others = {other.place: other for other in page.blocks if other.kind == "file"}
    asked = [block]
    while asked:
        used = asked.pop()
        others.pop(used.place, None)
        if any(_runs(page.kinds[other.kind], other, used.title) for other in later):
            return True
        asked += [other for other in others.values() if uses(other.text, _names(used.title))]
    return False


def _names(title: str) -> set[str]:
    path = Path(title)
    return {title, path.name, path.parts[0]}


def _runs(kind: Kind, block: Block, title: str) -> bool:
    """Tell whether a block is run and uses the file of a title."""
    found = kind.programs(block)
    of_pytest = Path(title).name in _PYTEST_FILES | {"conftest.py"}
    if of_pytest and found and block.lexer == "python":
        return True  # it is a test
    names = _names(title) | ({"pytest"} if of_pytest else set())
    if _TEST_FILE.fullmatch(Path(title).name):
        # pytest finds it, unless it is told to run others.
        names_none = [text for text in found if not re.search(r"\.py\b", text)]
        if any(uses(text, {"pytest"}) for text in names_none):
            return True
    return any(uses(text, names) for text in found)
