"""What readers do on a page, in a browser: search, sort, fold, choose a scheme, open the menu."""

import re
import subprocess
from pathlib import Path

import pytest
from mkdocs_blocks.block import Block, Fault
from mkdocs_blocks.transcript import commands
from playwright.async_api import BrowserContext, Locator, expect

from tests.browser.chromium import WIDTHS, Scheme, Visit, visiting

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRACEBACK = """\
tests/test_orders.py:14: RuntimeError
    async def test_second(stub):
>       await stub.Get(request)
E       RuntimeError: Task <Task pending name='Task-7' coro=<test_second() running at \
/home/ci/tests/test_orders.py:14>> got Future <Future pending> attached to a different loop
"""


LONG_TABLE = "evidence/strategies/"

HERE_DOCUMENT = """\
$ cat > notes.txt <<'END'
> first
>
> > quoted
>   indented
> END
$ cat notes.txt
first

> quoted
  indented
$ for name in a b
> do
>
>     echo "$name"
> done
a
b
"""


async def first_column(table: Locator) -> list[str]:
    """Return the first cell of each row of a table."""
    return await table.locator("tbody tr > :first-child").all_inner_texts()


async def found(shown: Visit, words: str) -> list[str]:
    """Type words into the search of a page; return the addresses of the pages it finds."""
    page = shown.page
    await page.locator(".md-search__input").fill(words)
    meta = page.locator(".md-search-result__meta")
    await meta.get_by_text(re.compile(r"matching|No ")).wait_for()
    links = page.locator(".md-search-result__item > a.md-search-result__link")
    targets = await links.evaluate_all("links => links.map(link => link.href)")
    return [
        target.removeprefix(shown.base).partition("?")[0].partition("#")[0] for target in targets
    ]


async def test_a_long_table_can_be_sorted(context: BrowserContext, base: str) -> None:
    """By the keyboard, up, down, and back; a number counts as one, and what is none is last."""
    async with visiting(context, base) as shown:
        await shown.go(LONG_TABLE)
        table = shown.page.locator("article table").first
        button = table.locator("th button").first
        before = await first_column(table)
        assert len(before) > 8
        await button.focus()
        orders = []
        for _ in range(3):
            await shown.page.keyboard.press("Enter")
            order = await table.locator("th").first.get_attribute("aria-sort")
            orders.append((order, await first_column(table)))
        up = sorted(before, key=str.casefold)
        assert [order for order, _ in orders] == ["ascending", "descending", None]
        assert sorted(orders[0][1]) == sorted(before)
        assert orders[0][1] == orders[1][1][::-1] != before
        assert [cell[0].casefold() for cell in orders[0][1]] == [cell[0].casefold() for cell in up]
        assert orders[2][1] == before


async def test_a_wide_table_says_so_and_keeps_its_first_column(
    context: BrowserContext, base: str
) -> None:
    """On a phone there is a hint that it goes on, and the first column stays; on a laptop not."""
    async with visiting(context, base, width=WIDTHS[1]) as shown:
        await shown.go(LONG_TABLE)
        hint = shown.page.locator(".scroll-hint").first
        assert await hint.is_visible()
        cell = shown.page.locator("article tbody td").first
        before = await cell.bounding_box()
        wrap = shown.page.locator(".md-typeset__scrollwrap").first
        await wrap.focus()
        await wrap.evaluate("wrap => wrap.scrollTo(200, 0)")
        after = await cell.bounding_box()
        assert before
        assert after
        assert after["x"] >= 0
        assert before["x"] - after["x"] < 200
        await shown.be(WIDTHS[0])
        await hint.wait_for(state="detached")


async def test_what_is_copied_of_a_here_document_is_whole(
    context: BrowserContext, base: str, tmp_path: Path
) -> None:
    """Its empty lines, and those that begin as a prompt does, reach the file when it is pasted."""
    async with visiting(context, base) as shown:
        await shown.go("")
        copied = await shown.page.evaluate("commandsOf", HERE_DOCUMENT)
    block = Block(
        place=0,
        line=1,
        language="console",
        lexer="console",
        kind="console",
        lines=tuple(HERE_DOCUMENT.splitlines()),
    )
    asked = commands(block)
    assert not isinstance(asked, Fault)
    assert copied == "\n".join(command.text for command in asked)
    done = subprocess.run(  # noqa: ASYNC221 - nothing else waits
        ["bash"],
        cwd=tmp_path,
        input=copied + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "first\n\n> quoted\n  indented\na\nb\n"
    assert done.stderr == ""


async def test_the_menu_opens_by_the_keyboard(context: BrowserContext, base: str) -> None:
    """On a phone, its button opens it, a section opens in it, and its pages can be reached."""
    async with visiting(context, base, width=WIDTHS[1]) as shown:
        page = shown.page
        await shown.go("")
        link = page.locator(".md-nav--primary a[href='evidence/leaks/']")
        assert not await link.is_visible()
        await page.get_by_role("button", name="Menu").press("Enter")
        section = page.locator(".md-nav__toggle:has(~ .md-nav a[href='evidence/leaks/'])").last
        await section.focus()
        await page.keyboard.press("Space")
        await link.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/evidence/leaks/")


async def test_the_search_opens_by_the_keyboard_on_a_phone(
    context: BrowserContext, base: str
) -> None:
    """Its button opens it, with the focus in the field; Escape closes it."""
    async with visiting(context, base, width=WIDTHS[1]) as shown:
        await shown.go("")
        await shown.page.get_by_role("button", name="Search").press("Enter")
        field = shown.page.locator(".md-search__input")
        assert await field.evaluate("field => field === document.activeElement")
        await shown.page.keyboard.press("Escape")
        assert not await shown.page.locator("#__search").is_checked()


@pytest.mark.parametrize(("scheme", "name"), [("light", "default"), ("dark", "slate")])
async def test_a_page_has_the_scheme_of_its_readers_system(
    context: BrowserContext, base: str, scheme: Scheme, name: str
) -> None:
    """At the first visit; from then on, it is the one that was chosen."""
    async with visiting(context, base, scheme=scheme) as shown:
        await shown.go("")
        assert await shown.page.get_attribute("body", "data-md-color-scheme") == name
        chosen = await shown.switch_scheme()
        assert chosen != name
        await shown.go("guard/")
        assert await shown.page.get_attribute("body", "data-md-color-scheme") == chosen


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("CRASHED with signal 11", "known-issues/grpc-segfault/"),
        ("exit code 139", "known-issues/grpc-segfault/"),
        ("DEADLINE_EXCEEDED", "known-issues/deadline-in-the-loop/"),
        ("--forked", "known-issues/grpc-segfault-forked/"),
        ("attached to a different loop", "known-issues/event-loop-closed/"),
        (TRACEBACK, "known-issues/event-loop-closed/"),
    ],
)
async def test_the_search_finds_what_is_pasted(
    context: BrowserContext, base: str, words: str, page: str
) -> None:
    """The page of a message, or of a line of a log, or of a whole traceback, comes first."""
    async with visiting(context, base) as shown:
        await shown.go("")
        assert (await found(shown, words))[:1] == [page]
        assert shown.faults == []


async def test_what_is_pasted_from_a_menu_is_searched_for(
    context: BrowserContext, base: str
) -> None:
    """Without a key, as on a phone, and with another search before it."""
    async with visiting(context, base) as shown:
        await shown.go("")
        assert await found(shown, "signal 11")
        # Playwright sets the text and tells of that, as a menu does; no key is pressed.
        await shown.page.locator(".md-search__input").fill("DEADLINE_EXCEEDED")
        first = shown.page.locator(".md-search-result__item > a").first
        await expect(first).to_have_attribute("href", re.compile("known-issues/deadline-in-"))
        assert shown.faults == []
