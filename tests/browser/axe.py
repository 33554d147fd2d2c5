"""The rules of axe-core for what a screen reader, a keyboard and weak eyes need.

What takes axe its time is the number of elements. It is given fewer, that show it the same: lines
of code without the elements that colour them, and of the texts that look the same, one: also on
other pages, in other widths and schemes.
"""

import contextlib
from collections.abc import AsyncIterator
from importlib.resources import files

from playwright.async_api import Page

_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

# Rules that look at the colours of each text, which takes most of the time.
_COLOURS = ["color-contrast", "link-in-text-block"]

_RUN = """async options => {
    const found = await axe.run(document, {...options, resultTypes: ["violations"]});
    return axes.told(found.violations);
}"""

# Gives what violates a rule, and the places of the looks of which axe could tell that they do not:
# what lies over or under a text can hide from it how that one looks.
_JUDGE = """async ([places, options]) => {
    const elements = places.map(at => axes.shown[at]);
    const resultTypes = ["violations", "passes"];
    const found = await axe.run(elements, {...options, resultTypes, elementRef: true});
    const contrast = found.passes.filter(({id}) => id === "color-contrast");
    const passed = contrast.flatMap(({nodes}) => nodes.map(({element}) => element));
    return [axes.told(found.violations), places.filter(at => passed.includes(axes.shown[at]))];
}"""

# A token of code has a class and no more: axe learns nothing from a second one of the same class,
# in the same block or in another; but it says nothing of the colour of a single character, nor of
# punctuation. As text a line is as wide as before, so what scrolls scrolls.
_AXES = """(() => {
    const colours = ["color", "backgroundColor", "backgroundImage", "opacity", "fontSize",
        "fontWeight", "textShadow", "textDecorationLine"];
    const shownOnly = {visibilityProperty: true, opacityProperty: true};
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
        told: violations => violations.flatMap(
            ({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 200)}`)
        ),
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
                const {length} = texts.currentNode.data.replace(/[\\p{P}\\p{Z}\\s]/gu, "");
                if (length < 2 || !element.checkVisibility(shownOnly)) continue;
                const before = longest.get(look(element));
                if (before && before.length >= length) continue;
                longest.set(look(element), {element, length});
            }
            axes.shown = [...longest.values()].map(({element}) => element);
            return [...longest.keys()];
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
    found: list[str] = await page.evaluate(_RUN, {"rules": rules})
    return found


async def colour_violations(page: Page, passed: set[str]) -> list[str]:
    """Return what violates a rule about colours, of each look that a text has the longest text.

    Looks that are in `passed` are not looked at; those that have passed are put there.
    """
    looks: list[str] = await page.evaluate("axes.looks()")
    new = [place for place, look in enumerate(looks) if look not in passed]
    if not new:
        return []
    found: list[str]
    found, good = await page.evaluate(_JUDGE, [new, {"runOnly": _COLOURS}])
    passed.update(looks[place] for place in good)
    return found
