"""What axe is given of a page is less than the page, and shows it every fault that the page has."""

import pytest
from playwright.async_api import BrowserContext

from tests.browser import axe

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = '<span id="line-{0}"><span class="k">def</span> f{0}()\n</span>'
PAGE = """<!doctype html><html lang="en"><title>A page</title>
<style>body { color: #000; background: #fff } .k { color: #00c } .pale { color: #ddd }</style>
<main><h1>A page</h1><p>One</p><p>Another</p>TEXT
<div class="highlight"><pre><code>LINES</code></pre></div>
</main></html>"""
PALE = '<span><span class="k">def</span> <span class="pale">{}</span>()\n</span>'
COVERED = (
    "<style>p { position: relative } i { position: absolute; inset: 0; background: #000 }</style>"
)
SHORT, LONG = PALE.format("g"), PALE.format("gone")


@pytest.mark.parametrize(
    ("text", "code", "faults"),
    [
        ("", "", []),
        ("<p>Three</p><p>Four, and <b class=pale>pale</b></p>", "", ["color-contrast"]),
        ("", LONG, ["color-contrast"]),
        ("", SHORT + LONG, ["color-contrast"]),
        ("<p class=pale>x</p><p class=pale>long</p>", "", ["color-contrast"]),
        ("<img src='data:,'>", "", ["image-alt"]),
        ("", '<span><b role="nothing">x</b>\n</span>', ["aria-roles"]),
    ],
    ids=[
        "none",
        "a text",
        "a line of code",
        "a second one",
        "a second text",
        "a picture",
        "an element in code",
    ],
)
async def test_a_fault_is_found_among_what_looks_the_same(
    context: BrowserContext, text: str, code: str, faults: list[str]
) -> None:
    """In the last of many lines and texts too; and the page is afterwards what it was."""
    page = await context.new_page()
    try:
        lines = "".join(map(LINE.format, range(9))) + code
        await page.set_content(PAGE.replace("TEXT", text).replace("LINES", lines))
        before = await page.inner_html("main")
        async with axe.loaded(page):
            found = [*await axe.violations(page), *await axe.colour_violations(page, set())]
            left = await page.locator("code > span").count()
        assert [violation.partition(":")[0] for violation in found] == faults
        assert left == 1 + code.count("\n")
        assert await page.inner_html("main") == before
    finally:
        await page.close()


async def test_a_look_is_judged_once_and_where_axe_can_tell(context: BrowserContext) -> None:
    """One that passed is not looked at on the next page; one that lay under another thing is."""
    page = await context.new_page()
    passed: set[str] = set()
    try:
        for cover, faults in (("<i></i>", 0), ("", 1)):
            text = f"{COVERED}<p class=pale>under it{cover}</p>"
            await page.set_content(PAGE.replace("TEXT", text).replace("LINES", ""))
            async with axe.loaded(page):
                assert len(await axe.colour_violations(page, passed)) == faults
        assert passed
        await page.set_content(PAGE.replace("TEXT", "").replace("LINES", ""))
        async with axe.loaded(page):
            await page.evaluate("void (axe.run = () => { throw Error('looked at again') })")
            assert await axe.colour_violations(page, passed) == []
    finally:
        await page.close()
