"""A page on a phone asks for no script until its reader does something, and no move is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route

from tests.browser import axe
from tests.browser.chromium import WIDTHS, Visit, launched, visiting
from tests.browser.pages import LOST

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCRIPTS = """() => performance.getEntriesByType("resource")
    .filter(entry => entry.name.endsWith(".js") && !entry.name.endsWith("/triage.js"))
    .map(entry => entry.name)"""
PLACES = """() => [...document.querySelectorAll(
    ".md-header__button, article > *, article pre, article tr, .md-footer"
)].map(element => {
    const {left, top, width, height} = element.getBoundingClientRect();
    const place = [left, top + scrollY, width, height].map(Math.round);
    return `${element.localName} ${element.className}: ${place}`;
})"""
ISSUE = "known-issues/event-loop-closed/"
WITH_TABS = "guard/"
WITH_TABLE = "evidence/leaks/"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests of this module, without a pointer where nobody has moved it."""
    async with launched() as started:
        yield started


# Who comes for the first time has nothing of the site: what a browser has already, it may take
# without a request, which nobody sees or can hold back.
@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser) -> AsyncIterator[BrowserContext]:
    """The profile of a reader who taps, and comes for the first time."""
    context = await browser.new_context(is_mobile=True, has_touch=True)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(browser: Browser) -> AsyncIterator[BrowserContext]:
    """The profile of a reader with a keyboard, who comes for the first time."""
    context = await browser.new_context()
    yield context
    await context.close()


@contextlib.asynccontextmanager
async def withheld(page: Page) -> AsyncIterator[None]:
    """Let the theme's script, which the page asks for in this block, arrive after it.

    The page is the one in front: to no other does a browser give what is typed.
    """
    over = asyncio.Event()

    async def hold(route: Route) -> None:
        await over.wait()
        await route.continue_()

    await page.route("**/bundle.*.js", hold)
    await page.bring_to_front()
    yield
    over.set()


async def is_focused(element: Locator) -> bool:
    """Tell whether an element has the focus."""
    focused: bool = await element.evaluate("element => element === document.activeElement")
    return focused


async def scripts(shown: Visit) -> list[str]:
    """Return the addresses of the scripts that a page has asked for, from the site's root."""
    asked: list[str] = await shown.page.evaluate(SCRIPTS)
    return [address.removeprefix(shown.base) for address in asked]


@pytest.mark.parametrize("url", ["", ISSUE, LOST])
async def test_a_phone_asks_for_no_script_until_its_reader_moves(
    phone: BrowserContext, base: str, url: str
) -> None:
    """And then for the theme's and the site's own."""
    async with visiting(phone, base, width=WIDTHS[1]) as shown:
        await shown.look(url)
        assert await scripts(shown) == []
        await shown.page.locator("article h1").tap()
        await shown.started()
        first, second, *_ = await scripts(shown)
        assert first.startswith("assets/javascripts/bundle")
        assert second == "assets/site.js"
        assert shown.faults == []


@pytest.mark.parametrize("url", ["", ISSUE, WITH_TABS, WITH_TABLE, "known-issues/triage/"])
async def test_nothing_moves_when_the_scripts_start(
    phone: BrowserContext, base: str, url: str
) -> None:
    """What the page shows before has its place, and its names for screen readers, already."""
    async with visiting(phone, base, width=WIDTHS[1]) as shown:
        await shown.look(url)
        async with axe.loaded(shown.page):
            assert await axe.violations(shown.page) == []
        before = await shown.page.evaluate(PLACES)
        assert await scripts(shown) == []
        await shown.page.mouse.move(0, 0)
        await shown.started()
        assert await shown.page.evaluate(PLACES) == before


async def test_a_wide_screen_has_its_scripts_at_once(newcomer: BrowserContext, base: str) -> None:
    """The height of the sidebars is theirs; so it is when a screen becomes wide."""
    async with visiting(newcomer, base) as shown:
        await shown.look("")
        await shown.started()
    async with visiting(newcomer, base, width=WIDTHS[1]) as shown:
        await shown.look("")
        assert await scripts(shown) == []
        await shown.be(WIDTHS[0])
        await shown.started()


@pytest.mark.parametrize("key", ["/", "f", "s"])
async def test_the_first_key_opens_the_search(
    newcomer: BrowserContext, base: str, key: str
) -> None:
    """What is typed after it is searched for, though the scripts have come later."""
    async with visiting(newcomer, base, width=WIDTHS[1]) as shown:
        await shown.look("")
        page = shown.page
        async with withheld(page):
            await page.keyboard.press(key)
            await page.keyboard.type("exit code 139")
        field = page.locator(".md-search__input")
        assert await is_focused(field)
        found = page.locator(".md-search-result__item > a.md-search-result__link").first
        await found.wait_for()
        assert "known-issues/grpc-segfault/" in (await found.get_attribute("href") or "")
        assert shown.faults == []


async def test_the_first_key_turns_the_page(newcomer: BrowserContext, base: str) -> None:
    """A key that the theme alone knows is played to it when it is there."""
    async with visiting(newcomer, base, width=WIDTHS[1]) as shown:
        await shown.look(WITH_TABS)
        following = await shown.page.locator("link[rel=next]").evaluate("link => link.href")
        async with withheld(shown.page):
            await shown.page.keyboard.press("n")
        await shown.page.wait_for_url(following)


async def test_the_first_tap_opens_the_search(phone: BrowserContext, base: str) -> None:
    """With the focus in the field, and it stays open when the scripts are there."""
    async with visiting(phone, base, width=WIDTHS[1]) as shown:
        await shown.look("")
        field = shown.page.locator(".md-search__input")
        async with withheld(shown.page):
            await shown.page.get_by_role("button", name="Search").tap()
            assert await is_focused(field)
        await shown.started()
        assert await is_focused(field)
        assert await shown.page.locator("#__search").is_checked()
        await shown.page.keyboard.type("signal 11")
        await shown.page.locator(".md-search-result__item").first.wait_for()


async def test_the_first_tap_opens_the_menu(phone: BrowserContext, base: str) -> None:
    """And it stays open when the scripts are there."""
    async with visiting(phone, base, width=WIDTHS[1]) as shown:
        await shown.look("")
        menu = shown.page.get_by_role("button", name="Menu")
        async with withheld(shown.page):
            await menu.tap()
            assert await menu.get_attribute("aria-expanded") == "true"
        await shown.started()
        assert await shown.page.locator("#__drawer").is_checked()


async def test_the_first_tap_chooses_the_scheme(phone: BrowserContext, base: str) -> None:
    """A dark system has the dark scheme before; what is chosen holds on the next page."""
    async with visiting(phone, base, width=WIDTHS[1], scheme="dark") as shown:
        await shown.look("")
        assert await scripts(shown) == []
        body = shown.page.locator("body")
        assert await body.get_attribute("data-md-color-scheme") == "slate"
        async with withheld(shown.page):
            await shown.page.locator("label[for^=__palette_]:visible").tap()
        await shown.page.locator("body[data-md-color-scheme=default]").wait_for()
        await shown.look(ISSUE)
        assert await scripts(shown) == []
        assert await body.get_attribute("data-md-color-scheme") == "default"
        await shown.page.locator("label[for^=__palette_]:visible").tap()
        await shown.page.locator("body[data-md-color-scheme=slate]").wait_for()


async def test_the_first_tap_opens_a_tab(phone: BrowserContext, base: str) -> None:
    """And the theme, which remembers it for other pages, gets to know of it."""
    async with visiting(phone, base, width=WIDTHS[1]) as shown:
        await shown.look(WITH_TABS)
        label = shown.page.locator(".tabbed-labels > label").nth(1)
        name = (await label.inner_text()).strip()
        async with withheld(shown.page):
            await label.tap()
        await shown.started()
        await shown.page.wait_for_function("name => __md_get('__tabs')?.[0] === name", arg=name)


async def test_an_address_that_has_moved_leads_on_at_once(phone: BrowserContext, base: str) -> None:
    """Nobody has to touch the page that it was on."""
    async with visiting(phone, base, width=WIDTHS[1]) as shown:
        await shown.page.goto(base + "DEVELOPMENT/#write-a-block")
        await shown.page.wait_for_url(base + "guides/write-a-page/#write-a-block")
        await shown.started()


async def test_an_address_with_a_query_searches_at_once(phone: BrowserContext, base: str) -> None:
    """As the page for who is lost leads to it."""
    async with visiting(phone, base, width=WIDTHS[1]) as shown:
        await shown.page.goto(base + "?q=exit+code+139")
        await shown.page.locator(".md-search-result__item").first.wait_for()
        assert await shown.page.locator(".md-search__input").input_value() == "exit code 139"
