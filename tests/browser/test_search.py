"""What readers do on a page, in a browser: search, sort, fold, choose a scheme, open the menu."""

import re

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.chromium import WIDTHS, Visit, visiting

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRACEBACK = """\
tests/test_orders.py:14: RuntimeError
    async def test_second(stub):
>       await stub.Get(request)
E       RuntimeError: Task <Task pending name='Task-7' coro=<test_second() running at \
/home/ci/tests/test_orders.py:14>> got Future <Future pending> attached to a different loop
"""


async def found(shown: Visit, words: str) -> list[str]:
    """Type words into the search of a page; return the addresses of the pages it finds."""
    page = shown.page
    await page.locator(".md-search__input").fill(words)
    meta = page.locator(".md-search-result__meta")
    await meta.get_by_text(re.compile(r"matching|No ")).wait_for()
    links = page.locator(".md-search-result__item > a.md-search-result__link")
    targets = await links.evaluate_all("links => links.map(link => link.href)")
    return [target.removeprefix(shown.base).partition("?")[0].partition("#")[0] for target in targets]


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
