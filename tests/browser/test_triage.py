"""The page on which a log is pasted, in a browser: it answers there, and asks nobody."""

from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page

from docs.assets import triage
from tests.browser.chromium import visiting

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = "known-issues/triage/"
CLOSED = "RuntimeError: Event loop is closed"
LOG = f"""\
collected 2 items
test_a.py .F
E   {CLOSED}
FAILED test_a.py::test_b - {CLOSED}
Error: Process completed with exit code 139.
"""
PASTE = """async text => {
  await navigator.clipboard.writeText(text);
  document.querySelector("#triage-log").focus();
}"""


async def said(page: Page, beginning: str) -> str:
    """Wait until the page says something that begins so; return what it says and lists."""
    status = page.locator("#triage [role=status]")
    await status.filter(has_text=beginning).wait_for()
    return await page.locator("#triage").inner_text()


async def paste(page: Page, log: str) -> None:
    """Paste a log into the field, as a reader does."""
    await page.evaluate(PASTE, log)
    await page.keyboard.press("ControlOrMeta+v")


async def found(page: Page) -> list[list[str]]:
    """Return what is listed: each issue's address, and its lines."""
    listed: list[list[str]] = await page.locator("#triage > ol > li").evaluate_all(
        """issues => issues.map(issue => [
            issue.querySelector("a").href,
            ...[...issue.querySelectorAll("li")].map(line => line.textContent),
        ])"""
    )
    return listed


async def test_a_log_is_pasted_and_its_issues_are_named(context: BrowserContext, base: str) -> None:
    """The best first, each with its lines; nothing is asked of any host."""
    async with visiting(context, base) as shown:
        await shown.go(PAGE)
        asked: list[str] = []
        shown.page.on("request", lambda request: asked.append(request.url))
        await paste(shown.page, LOG)
        text = await said(shown.page, "2 issues fit")
        assert await found(shown.page) == [
            [
                f"{base}known-issues/event-loop-closed/",
                f"Line 3: {CLOSED}",
                f"Line 4: FAILED test_a.py::test_b - {CLOSED}",
            ],
            [
                f"{base}known-issues/grpc-segfault/",
                "Line 5: Error: Process completed with exit code 139.",
            ],
        ]
        assert text.count("Perhaps: ") == 1
        assert asked == []
        assert shown.faults == []


async def test_each_issue_is_a_link_that_leads_to_its_page(
    context: BrowserContext, base: str
) -> None:
    """The page has a link for every issue that the script knows."""
    async with visiting(context, base) as shown:
        await shown.go(PAGE)
        for known in triage.ISSUES:
            link = shown.page.locator(f"a[data-issue='{known['id']}']")
            address = await link.evaluate("link => link.href")
            assert address == f"{base}known-issues/{known['id']}/"


async def test_a_new_log_takes_the_place_of_the_one_before(
    context: BrowserContext, base: str
) -> None:
    """What is typed is read as what is pasted, and nothing is left of what was said before."""
    async with visiting(context, base) as shown:
        await shown.go(PAGE)
        page = shown.page
        await paste(page, LOG)
        await said(page, "2 issues fit")
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.type("1 passed\n")
        assert "What to do now" in await said(page, "Nothing that we know fits")
        assert await found(page) == []
        await page.keyboard.type("attached to a different loop")
        text = await said(page, "One issue fits")
        assert "What to do now" not in text
        await page.locator("#triage-log").fill("")
        await page.locator("#triage [role=status]:text-is('')").wait_for(state="attached")
        assert await found(page) == []


async def test_a_file_is_read_as_what_is_pasted(
    context: BrowserContext, base: str, tmp_path: Path
) -> None:
    """It does not leave the browser either."""
    log = tmp_path / "run.log"
    log.write_text(LOG)
    async with visiting(context, base) as shown:
        await shown.go(PAGE)
        asked: list[str] = []
        shown.page.on("request", lambda request: asked.append(request.url))
        await shown.page.get_by_label("Or open a file").set_input_files(log)
        await said(shown.page, "2 issues fit")
        assert await shown.page.locator("#triage-log").input_value() == LOG
        assert asked == []


async def test_a_long_log_does_not_freeze_the_page(context: BrowserContext, base: str) -> None:
    """Five megabytes are read in steps, between which the page is drawn; the end is shown."""
    line = "2026-11-25T23:28:29.8Z tests/test_a.py::test_b[{}] PASSED and so on and on and on\n"
    log = "".join(line.format(number) for number in range(70_000)) + CLOSED
    assert len(log) > 5_000_000
    async with visiting(context, base) as shown:
        await shown.go(PAGE)
        await shown.page.evaluate(
            """() => {
              window.drawn = 0;
              const count = () => { window.drawn += 1; requestAnimationFrame(count); };
              requestAnimationFrame(count);
            }"""
        )
        await paste(shown.page, log)
        before = await shown.page.evaluate("window.drawn")
        assert f"Line 70001: {CLOSED}" in await said(shown.page, "One issue fits")
        assert await shown.page.evaluate("window.drawn") > before + 5
        field = await shown.page.locator("#triage-log").input_value()
        assert field.endswith(CLOSED)
        assert len(field) < 20_000


async def test_the_field_has_a_name_and_tells_what_it_found(
    context: BrowserContext, base: str
) -> None:
    """To those who do not see it: a label, and a region that speaks when it changes."""
    async with visiting(context, base) as shown:
        await shown.go(PAGE)
        field = shown.page.get_by_role("textbox", name="The output of the run")
        await field.fill(LOG)
        await said(shown.page, "2 issues fit")
        assert await shown.page.get_by_role("status").count() == 1
        await field.press("Tab")
        await shown.page.keyboard.press("Tab")
        focused = await shown.page.evaluate("document.activeElement.href")
        assert focused == f"{base}known-issues/event-loop-closed/"


async def test_without_scripts_the_messages_are_a_list(
    scriptless: BrowserContext, base: str
) -> None:
    """The field is not offered, and each text stands below the link to its page."""
    async with visiting(scriptless, base) as shown:
        await shown.go(PAGE)
        page = shown.page
        assert not await page.locator("#triage").is_visible()
        assert "Here is no field without JavaScript" in await page.locator("article").inner_text()
        texts = await page.locator("dt:has(a[data-issue=event-loop-closed]) + dd").inner_text()
        assert "attached to a different loop" in texts.splitlines()
        await page.locator("a[data-issue=event-loop-closed]").click()
        assert page.url == f"{base}known-issues/event-loop-closed/"


async def test_it_works_without_the_theme(context: BrowserContext, site: Path) -> None:
    """The script needs the field, the links, and nothing of Material."""
    script = (site / "assets/triage.js").read_text(encoding="utf-8")
    page = await context.new_page()
    try:
        source = (site / PAGE / "index.html").read_text(encoding="utf-8")
        field = source[source.index('<div id="triage"') : source.index('<script src="../../assets')]
        links = "".join(
            f'<a data-issue="{known["id"]}" href="https://docs.test/{known["id"]}">x</a>'
            for known in triage.ISSUES
        )
        await page.set_content(f"<body>{field}{links}<script>{script}</script>")
        await page.locator("#triage-log").fill(LOG)
        await said(page, "2 issues fit")
    finally:
        await page.close()
