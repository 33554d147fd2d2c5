"""The rules of axe-core for what a screen reader, a keyboard and weak eyes need."""

from importlib.resources import files

from playwright.async_api import Page

_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

# Rules that look at the colours of each text, which takes most of the time.
_COLOURS = ["color-contrast", "link-in-text-block"]

_RUN = """async options => {
    const found = await axe.run(document, {...options, resultTypes: ["violations"]});
    return found.violations.flatMap(
        ({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 200)}`)
    );
}"""

# A line of code whose colours the lines before it have, all of them, takes time and shows nothing.
_HIDE_REPEATED = """() => {
    const seen = new Set();
    const outer = token => token.parentElement.closest("[class]").className;
    const look = token => `${token.className} in ${outer(token)}`;
    for (const line of document.querySelectorAll("pre > code > span")) {
        const looks = [line, ...line.querySelectorAll("span")].map(look);
        line.hidden = looks.every(look => seen.has(look));
        for (const look of looks) seen.add(look);
    }
}"""

_SHOW_REPEATED = """() => {
    for (const line of document.querySelectorAll("pre > code > span")) line.hidden = false;
}"""


async def load(page: Page) -> None:
    """Load axe into a page, for the functions below."""
    await page.evaluate(_SCRIPT)


async def violations(page: Page) -> list[str]:
    """Return what violates a rule that is not about colours: the rule, and the element's HTML."""
    rules = {rule: {"enabled": False} for rule in _COLOURS}
    found: list[str] = await page.evaluate(_RUN, {"rules": rules})
    return found


async def colour_violations(page: Page) -> list[str]:
    """Return what violates a rule about colours."""
    await page.evaluate(_HIDE_REPEATED)
    found: list[str] = await page.evaluate(_RUN, {"runOnly": _COLOURS})
    await page.evaluate(_SHOW_REPEATED)
    return found
