"""Commands of the pages work with the tools of macOS too, or their section says otherwise."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mkdocs_blocks.block import Block, Fault, Page
from mkdocs_blocks.settings import Settings
from mkdocs_blocks.site import read_site
from mkdocs_blocks.transcript import commands

PROJECT = Path(__file__).parents[2]
# Where a command begins: in a line, after another, in a substitution, behind a word that runs it.
_BEGIN = (
    r"(?:^|[;&|(`]|\b(?:do|else|env|exec|sudo|then|time|xargs)\s)\s*"
    r"(?:[A-Za-z_]\w*=\S*\s+)*(?:\S*/)?"
)
_OPTIONS = r"(?:\s+-[^\s]+)*"

# What GNU's tools have, and those of BSD and macOS lack, or read as something else.
GNU_ONLY = {
    "sed -i without a suffix: write `sed -i.bak`": rf"sed\b{_OPTIONS}\s+(?:-[En]*i|--in-place)\s",
    "an address `,+N` of sed: write `{N;…}`": r"sed\b[^|;&]*,\+\d",
    "an escape of GNU in sed: write it as POSIX does": r"sed\b[^|]*(?:\\[+?|nt<>wWsSb]).*",
    "timeout: give the program a deadline of its own": r"g?timeout\s",
    "grep -P: write an extended expression, `grep -E`": rf"grep\b{_OPTIONS}\s+-[A-Za-z]*P",
    "xargs -r or -d": rf"xargs\b{_OPTIONS}\s+(?:-[rd]|--no-run)",
    "readlink -f": r"readlink\s+-[a-z]*f",
    "realpath": r"realpath\s",
    "date -d or -I": r"date\s+(?:-[dI]|--)",
    "head -n -N, which counts from the end": r"head\s+(?:-n\s*|-c\s*|--\w+=)-\d",
    "stat -c": r"stat\s+(?:-c|--)",
    "find without a folder, or with -printf": r"find\s+(?:-|.*-printf)",
    "mktemp with a long option": r"mktemp\s+(?:--|-p)",
    "sort with -V or a long option": r"sort\s+(?:-[a-z]*V|--)",
    "a long option of a basic tool": (
        r"(?:cat|chmod|cp|cut|head|ls|mkdir|mv|rm|tail|touch|wc)\s[^;&|]*--\w"
    ),
    "cp -t, mv -t": r"(?:cp|mv)\s+-[a-z]*t\b",
    "a program that macOS lacks": (
        r"(?:apt-get|gdb|ldd|md5sum|nproc|setsid|sha\d+sum|strace|tac|unshare|valgrind)\b"
    ),
}
LINUX_ONLY = r"/proc/\w"
# How a section says so.
SAID = re.compile(r"\b(?:GNU|Linux)\b")


def read_pages(into: Path) -> tuple[Page, ...]:
    """Return the pages of the site, with their blocks."""
    return read_site(PROJECT, Settings(files={"justfile": "just"}), into=into).pages


def typed(block: Block) -> Iterator[tuple[int, str]]:
    """Yield the commands of a block, each with its line of the page."""
    if block.title.startswith("Not run: ") or block.lexer not in ("console", "bash"):
        return
    if block.lexer == "bash":
        yield block.at(0), block.text
        return
    found = commands(block)
    if isinstance(found, Fault):
        raise TypeError(found.message)
    for command in found:
        yield block.at(command.index), command.text


def without_documents(text: str) -> str:
    """Return commands without their here-documents, which are the text of a file."""
    return re.sub(
        r"(<<-?\s*['\"]?(\w+)['\"]?.*\n)(?:.*\n)*?\s*\2$", r"\1", text, flags=re.MULTILINE
    )


def foreign(text: str) -> list[str]:
    """Return what commands have that only the tools of GNU, or only Linux, understand."""
    text = without_documents(text).replace("\\\n", " ")
    found = [
        name for name, form in GNU_ONLY.items() if re.search(_BEGIN + form, text, re.MULTILINE)
    ]
    return found + (["/proc: Linux alone has it"] if re.search(LINUX_ONLY, text) else [])


def section(source: list[str], line: int) -> str:
    """Return what a page says from the heading above a line to that line."""
    said: list[str] = []
    fenced = False
    for text in source[: line - 1]:
        if text.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif text.startswith("#") and not fenced:
            said.clear()
        said.append(text)
    return "\n".join(said)


def unsaid(page: Page, source: list[str]) -> list[str]:
    """Return the places of a page that need GNU's tools, and whose section does not say so."""
    return [
        f"{page.name}:{line}: {form}"
        for block in page.blocks
        for line, text in typed(block)
        for form in foreign(text)
        if not SAID.search(section(source, block.line))
    ]


def test_commands_work_with_the_tools_of_macos(tmp_path: Path) -> None:
    """No block needs GNU's tools, or Linux, without a word about it above."""
    found = [
        place
        for page in read_pages(tmp_path)
        for place in unsaid(page, (PROJECT / page.name).read_text("utf-8").splitlines())
    ]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    "command",
    [
        "sed -i '/stop/d' conftest.py",
        "sed -E -i 's/a/b/' x",
        "sed --in-place 's/a/b/' x",
        "sed '/x/,+1d' x",
        r"sed 's/a/&\nb/' x",
        "timeout 30 uv run pytest",
        "cd x && PYTHONFAULTHANDLER=1 timeout --signal=KILL 30 pytest",
        "echo $(timeout 1 true)",
        "grep -oP 'x' y",
        "ls | xargs -r rm",
        "ls | xargs timeout 3 cat",
        "cat $(readlink -f x)",
        "head -n -1 x",
        "date -d yesterday",
        "stat -c %s x",
        "find -name '*.py'",
        "find . -printf %p",
        "mkdir --parents x",
        "nproc",
        "sha256sum x",
        "cat /proc/self/maps",
        "if true; then timeout 1 true; fi",
        "sed \\\n  -i 's/a/b/' x",
    ],
)
def test_a_form_of_gnu_is_found(command: str) -> None:
    """Each of them, wherever in a line its command begins."""
    assert foreign(command)


@pytest.mark.parametrize(
    "command",
    [
        "sed -i.bak '/stop/d' conftest.py",
        "sed -i.bak 's/^  x;/&\\\n  y;/' x",
        "sed -n 7p x",
        "sed -i.bak -e '/x/{r y' -e 'd' -e '}' x",
        "uv run pytest --timeout 2 --forked",
        "uv run pytest -o timeout=2",
        "git commit --quiet --message timeout",
        "grep -o -E 'x' y",
        "cat > x << 'END'\ntimeout 30 sleep\nEND",
        "echo 'no timeout here'",
        "cp -r a b && cd b",
        "rm -rf x",
        "head -n 3 x",
        "find . -name '*.py'",
    ],
)
def test_what_every_system_has_is_no_form_of_gnu(command: str) -> None:
    """A form that POSIX or both systems know is left alone, and so is the text of a file."""
    assert foreign(command) == []


def test_a_section_may_say_that_it_needs_gnu(tmp_path: Path) -> None:
    """The word stands between the heading and the block; that of another section does not count."""
    page = next(page for page in read_pages(tmp_path) if any(typed(page.blocks[0])))
    block = replace(
        page.blocks[0], language="console", lexer="console", lines=("$ timeout 1 true",), line=5
    )
    page = replace(page, blocks=(block,))
    assert unsaid(page, ["# One", "On Linux:", "", "", "```"]) == []
    assert unsaid(page, ["On Linux:", "```", "# a comment", "```", "```"]) == []
    assert len(unsaid(page, ["On Linux:", "# Two", "", "", "```"])) == 1
