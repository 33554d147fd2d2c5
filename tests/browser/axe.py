"""The rules of axe-core for what a screen reader, a keyboard and weak eyes need.

What takes axe its time is the number of elements. It is given fewer, that show it the same: lines
of code without the elements that colour them, and of the texts that look the same, one.
"""

import contextlib
from collections.abc import AsyncIterator
from importlib.resources import files

from playwright.async_api import Page

_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

# Rules that look at the colours of each text, which takes most of the time.
_COLOURS = ["color-contrast", "link-in-text-block"]

_RUN = """async ([context, options]) => {
    const where = context === "looks" ? axes.looks() : document;
    const found = await axe.run(where, {...options, resultTypes: ["violations"]});
    return found.violations.flatMap(
        ({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 200)}`)
    );
}"""

# A token of code has a class and no more: axe learns nothing from a second one of the same class,
# in the same block or in another; but it says nothing of the colour of a single character. As text
# a line is as wide as before, so what scrolls scrolls.
_AXES = """(() => {
    const colours = ["color", "backgroundColor", "backgroundImage", "opacity", "fontSize",
        "fontWeight", "textShadow", "textDecorationLine"];
    const lines = new Map();
    const looks = new Map();
    const look = element => {
        if (element === null) return "";
        if (!looks.has(element)) {
            const style = getComputedStyle(element);
            const own = colours.map(name => style[name]).join(" ");
            looks.set(element, `${look(element.parentElement)} > ${own}`);
        }
        return looks.get(element);
    };
    window.axes = {
        thin() {
            const seen = new Set();
            for (const code of document.querySelectorAll("pre > code")) {
                const around = code.closest("[class]")?.className;
                lines.set(code, [...code.childNodes]);
                for (const line of code.querySelectorAll(":scope > span")) {
                    const tokens = [...line.querySelectorAll("*")];
                    const plain = tokens.every(token => token.localName === "span"
                        && [...token.attributes].every(({name}) => name === "class"));
                    const names = tokens.map(({className, textContent}) =>
                        `${className} in ${around}, ${textContent.length > 1 ? "long" : "short"}`);
                    if (plain && names.every(name => seen.has(name))) {
                        line.replaceWith(line.textContent);
                    }
                    for (const name of names) seen.add(name);
                }
            }
        },
        restore() {
            for (const [code, all] of lines) code.replaceChildren(...all);
            lines.clear();
        },
        looks() {
            looks.clear();
            const longest = new Map();
            const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) {
                const element = texts.currentNode.parentElement;
                const {length} = texts.currentNode.data.trim();
                if (!length || !element.checkVisibility({visibilityProperty: true})) continue;
                const before = longest.get(look(element));
                if (before && before.length >= length) continue;
                longest.set(look(element), {element, length});
            }
            return [...longest.values()].map(({element}) => element);
        },
    };
})()"""


@contextlib.asynccontextmanager
async def loaded(page: Page) -> AsyncIterator[None]:
    """Load axe into a page, and thin its code, for the functions below; the code is restored."""
    await page.evaluate(f"{_SCRIPT};{_AXES}")
    await page.evaluate("axes.thin()")
    yield
    await page.evaluate("axes.restore()")


async def violations(page: Page) -> list[str]:
    """Return what violates a rule that is not about colours: the rule, and the element's HTML."""
    rules = {rule: {"enabled": False} for rule in _COLOURS}
    found: list[str] = await page.evaluate(_RUN, ["document", {"rules": rules}])
    return found


async def colour_violations(page: Page) -> list[str]:
    """Return what violates a rule about colours, of each look that a text has the longest text."""
    found: list[str] = await page.evaluate(_RUN, ["looks", {"runOnly": _COLOURS}])
    return found
