"""Every page, in a browser: nothing is cut, nothing goes wrong, everybody can read and use it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from mkdocs_blocks.block import Block, Fault
from mkdocs_blocks.transcript import commands
from playwright.async_api import BrowserContext

from tests.browser import axe
from tests.browser.chromium import WIDTHS, Visit, visiting
from tests.browser.pages import LOST, blocks, pages
from tests.browser.serving import MOST_BYTES, served_bytes

pytestmark = pytest.mark.asyncio(loop_scope="session")

# One process has all tests of a page, which is loaded once for them.
PAGES = [
    pytest.param(url, id=url or "home", marks=pytest.mark.xdist_group(f"browser {url}"))
    for url in (*pages(), LOST)
]

# The navigation is the same on every page but for what tells where one is. It is looked at whole on
# two pages; on the others, of the items that are of one kind, one in each list is enough.
WITH_NAVIGATION = ("", "known-issues/grpc-segfault/")
THIN_NAVIGATION = """() => {
    for (const list of document.querySelectorAll(".md-nav--primary ul")) {
        const seen = new Set();
        for (const item of [...list.children]) {
            const kind = `${item.className} ${item.querySelector("ul") !== null}`;
            if (seen.has(kind) && !item.querySelector(".md-nav__link--active")) item.remove();
            seen.add(kind);
        }
    }
}"""

MOST_STOPS = 1000
"""Presses of the key after which a page is taken for a trap."""
PRESSES = 40
"""As many are sent at once."""

COLOURED = WIDTHS[:2]
"""Widths at which colours are looked at; at 320 px there are those of 390 px."""

BEYOND = "document.documentElement.scrollWidth - innerWidth"

ASKED = """() => [
    location.href, ...performance.getEntriesByType("resource").map(entry => entry.name)
].map(address => new URL(address).pathname.slice(1))"""

# Text that is hard to read on a phone: smaller than that, or in a table a word of code cut in two,
# or a column of single words.
LEAST_PIXELS = 12
HARD_TO_READ = """least => {
    const hard = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode.textContent.trim();
        const element = texts.currentNode.parentElement;
        if (!text || !element.checkVisibility({visibilityProperty: true})) continue;
        const drawn = element.getScreenCTM?.(); // which may be turned
        const scale = drawn ? Math.hypot(drawn.a, drawn.b) : 1;
        const pixels = parseFloat(getComputedStyle(element).fontSize) * scale;
        if (pixels > 0 && pixels < least - 0.01) {
            hard.add(`${pixels.toFixed(1)} px: ${text.slice(0, 60)}`);
        }
    }
    for (const code of document.querySelectorAll(":is(td, th) code")) {
        for (const text of code.childNodes) {
            if (text.nodeType !== Node.TEXT_NODE) continue;
            for (const {index, 0: word} of text.data.matchAll(/[A-Z]?[a-z0-9]+|[A-Z]+/g)) {
                const range = new Range();
                range.setStart(text, index);
                range.setEnd(text, index + word.length);
                if (range.getClientRects().length > 1) hard.add(`cut: ${word}`);
            }
        }
        const cell = code.closest("td, th").getBoundingClientRect();
        const beyond = Math.max(...[...code.getClientRects()].map(line => line.right)) - cell.right;
        if (beyond > 1) hard.add(`beyond its cell: ${code.textContent}`);
    }
    for (const cell of document.querySelectorAll("article td")) {
        const thin = cell.clientHeight > 3 * cell.clientWidth;
        if (thin && !cell.closest(".scrolls")) hard.add(`squeezed: ${cell.textContent}`);
    }
    return [...hard];
}"""

TO_THE_TOP = """() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    scrollTo(0, 0);
}"""

# What a keyboard has to reach: all that is shown and can be used; of radio buttons, and of labels
# and buttons that do the same, one. The way back to the top comes and goes, and is one of many.
LISTEN_TO_FOCUS = """() => {
    const shown = element => !element.hidden && element.checkVisibility({visibilityProperty: true});
    const named = ({outerHTML, textContent, title}) =>
        `${outerHTML.split(">")[0]}> ${(textContent.trim() || title).slice(0, 40)}`;
    const groups = new Set();
    const first = group => group === undefined || !groups.has(group) && !!groups.add(group);
    const usable = [...document.querySelectorAll(
        "a[href], button:not(.md-top), input, select, textarea, summary, label[for], [tabindex='0']"
    )].filter(element => {
        if (!shown(element)) return false;
        if (element.tagName === "LABEL") {
            const control = document.getElementById(element.htmlFor);
            return control && !shown(control)
                && !document.querySelector(`button[for="${element.htmlFor}"]`)
                && control.type !== "radio" && element.childElementCount
                && getComputedStyle(element).pointerEvents !== "none" && first(element.htmlFor);
        }
        return element.tabIndex >= 0 && first(element.type === "radio" ? element.name : undefined);
    });
    const seen = [];
    let round = false;
    // A reader looks before the next key: so what the focus has opened is open.
    const look = () => {
        const element = document.activeElement;
        if (element === document.body || round || element === seen.at(-1)?.element) return;
        round = element === seen[0]?.element;
        if (round) return;
        // Boxes are drawn by their labels.
        const boxes = ["radio", "checkbox"].includes(element.type);
        const marked = (boxes ? [element.nextElementSibling, ...element.labels] : [element])
            .filter(shown)
            .map(candidate => getComputedStyle(candidate))
            .some(style => style.outlineStyle !== "none" && style.outlineWidth !== "0px");
        seen.push({element, marked, visible: shown(element)});
    };
    addEventListener("keydown", look, true);
    window.keyboard = {
        round: () => (look(), round),
        faults: () => [
            ...usable.filter(element => !seen.some(stop => stop.element === element))
                .map(element => `not reached: ${named(element)}`),
            ...seen.filter(({element}, at) => seen.findIndex(s => s.element === element) < at)
                .map(({element}) => `reached twice: ${named(element)}`),
            ...seen.filter(({visible}) => !visible)
                .map(({element}) => `not shown, but reached: ${named(element)}`),
            ...seen.filter(({marked}) => !marked)
                .map(({element}) => `the focus is not seen: ${named(element)}`),
        ],
    };
}"""

# Two fields are for scripts, and not offered without them; the text of each tab counts.
WORDS = """() => {
    for (const tab of document.querySelectorAll("article .tabbed-block")) {
        tab.style.display = "block";
    }
    const scripted = "article :is(.triage, .lost, noscript, .scroll-hint)";
    for (const other of document.querySelectorAll(scripted)) {
        other.remove();
    }
    return document.querySelector("article").innerText.split(/\\s+/).join(" ").trim();
}"""

# What does no good on paper, and is not hidden there. What could be scrolled is drawn with a bar
# where it goes on on the next sheet.
ON_PAPER = """() => {
    const useless = document.querySelectorAll(
        `button:not(th button), input, label:not(.tabbed-labels > label), header, footer, nav,
        details > :not(summary), .scroll-hint`
    );
    const scrolling = [...document.querySelectorAll("article *")].filter(element => {
        const {overflowX, overflowY} = getComputedStyle(element);
        return [overflowX, overflowY].some(value => ["auto", "scroll"].includes(value));
    });
    return [...useless, ...scrolling]
        .filter(element => element.checkVisibility({visibilityProperty: true}))
        .map(element => element.outerHTML.slice(0, 200));
}"""

# Copies a block as a reader does who has opened what is folded, and the tab.
COPY = """async place => {
    const code = document.querySelectorAll("article pre > code")[place];
    await navigator.clipboard.writeText("nothing was copied");
    const folded = code.closest("details:not([open])");
    if (folded) folded.open = true;
    const tab = code.closest(".tabbed-block");
    const before = tab?.closest(".tabbed-set").querySelector(":scope > input:checked");
    if (tab) {
        const among = [...tab.parentElement.children].indexOf(tab);
        tab.closest(".tabbed-set").querySelectorAll(".tabbed-labels > label")[among].click();
    }
    code.closest("pre").querySelector("[data-md-type=copy]").click();
    if (folded) folded.open = false;
    before?.click();
    return navigator.clipboard.readText();
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reader(context: BrowserContext, base: str) -> AsyncIterator[Visit]:
    """A reader on a laptop, in light, who goes from page to page."""
    async with visiting(context, base) as visit:
        yield visit


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scriptless_reader(scriptless: BrowserContext, base: str) -> AsyncIterator[Visit]:
    """The same without scripts."""
    async with visiting(scriptless, base) as visit:
        yield visit


@pytest.fixture(scope="module")
def passed() -> set[str]:
    """The looks of texts that axe has found nothing wrong with, on the pages so far."""
    return set()


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=PAGES)
async def shown(request: pytest.FixtureRequest, reader: Visit) -> Visit:
    """A page as it is shown on a laptop, in light; a test that changes that changes it back."""
    await reader.arrive(request.param)
    if request.param not in WITH_NAVIGATION:
        await reader.page.evaluate(THIN_NAVIGATION)
    return reader


async def test_a_first_view_is_small(shown: Visit, site: Path) -> None:
    """What the browser has asked for to show a page is, compressed, at most 150 kB."""
    asked = await shown.page.evaluate(ASKED)
    if shown.page.url.endswith(LOST):
        return
    assert any(address.endswith(".woff2") for address in asked)
    assert not any("search_index" in address for address in asked)
    sizes = {address: served_bytes(site, address) for address in asked}
    assert sum(sizes.values()) <= MOST_BYTES, sizes


async def test_a_page_fits_the_screen_and_its_readers(shown: Visit, passed: set[str]) -> None:
    """At each width nothing is wider than the screen, and axe finds nothing, in light and dark."""
    faults = []
    async with axe.loaded(shown.page):
        for width in WIDTHS:
            await shown.be(width)
            beyond = await shown.page.evaluate(BEYOND)
            faults += [f"{width} px: the page is {beyond} px wider"] if beyond else []
            faults += [f"{width} px: {found}" for found in await axe.violations(shown.page)]
            if width in COLOURED:
                found = await axe.colour_violations(shown.page, passed)
                faults += [f"{width} px: {violation}" for violation in found]
            if width == WIDTHS[1]:
                hard = await shown.page.evaluate(HARD_TO_READ, LEAST_PIXELS)
                faults += [f"hard to read: {found}" for found in hard]
        scheme = await shown.switch_scheme()
        for width in COLOURED[::-1]:  # to the laptop's, as it was
            await shown.be(width)
            found = await axe.colour_violations(shown.page, passed)
            faults += [f"{width} px, {scheme}: {violation}" for violation in found]
        await shown.switch_scheme()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("width", WIDTHS[:2])
async def test_the_keyboard_reaches_everything_once(shown: Visit, width: int) -> None:
    """Tab goes to all that can be used, to nothing that is not shown, and the focus is seen."""
    await shown.be(width)
    await shown.page.evaluate(TO_THE_TOP)
    await shown.page.evaluate(LISTEN_TO_FOCUS)
    pressed = 0
    while not await shown.page.evaluate("keyboard.round()"):
        assert pressed < MOST_STOPS
        # The page gets the keys one by one; the test need not wait for each.
        await asyncio.gather(*(shown.page.keyboard.press("Tab") for _ in range(PRESSES)))
        pressed += PRESSES
    faults = await shown.page.evaluate("keyboard.faults()")
    # Out of the search, if it ended there. Out of its field first: the theme opens the search a
    # moment after that has the focus, and so after it was closed, if it has it still.
    await shown.page.evaluate(TO_THE_TOP)
    await shown.page.keyboard.press("Escape")
    await shown.page.wait_for_function("!document.querySelector('#__search').checked")
    await shown.be(WIDTHS[0])
    assert not faults, "\n".join(faults)


async def test_a_page_is_printed_without_what_paper_cannot_do(shown: Visit) -> None:
    """Neither buttons nor ways to other pages nor what is folded is printed, and no scroll bar."""
    await shown.page.emulate_media(media="print")
    await shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    found = await shown.page.evaluate(ON_PAPER)
    await shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
    await shown.page.emulate_media(media="screen")
    assert not found, "\n".join(found)


async def test_each_block_is_copied_as_it_is_meant(shown: Visit) -> None:
    """The button of a console block copies what the checker runs of it; of another, the block.

    So what the checker proves of the commands, in the block's sandbox, holds for what is pasted. A
    shell takes it as it is: nothing of it is an error of syntax.
    """
    url = shown.page.url.removeprefix(shown.base)
    on_page = blocks().get(url, ())
    await shown.page.locator("article h1").click()
    count = await shown.page.locator("article pre > code").count()
    # One by one: what a script copies has to follow what a reader does, within a few seconds.
    copied = [await shown.page.evaluate(COPY, place) for place in range(count)]
    assert copied == [_meant(block) for block in on_page]
    pasted = [text for text, block in zip(copied, on_page, strict=True) if block.lexer == "console"]
    assert [await _syntax_errors(text) for text in pasted] == [""] * len(pasted)


async def _syntax_errors(commands: str) -> str:
    """Return what bash says of commands that it reads and does not run."""
    bash = await asyncio.create_subprocess_exec(
        "bash",
        "-n",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await bash.communicate(commands.encode() + b"\n")
    return said.decode()


def _meant(block: Block) -> str:
    """Return what a reader wants of a block."""
    if block.lexer == "console":
        asked = commands(block)
        assert not isinstance(asked, Fault)
        return "\n".join(command.text for command in asked).rstrip()
    if block.lexer == "diff":
        return "\n".join(line[1:] for line in block.lines if line[:1] != "-").rstrip()
    if block.kind == "excerpt" and block.lexer in {"toml", "yaml"}:
        lines = [
            line.replace("...", "# ...") if line.strip() == "..." else line for line in block.lines
        ]
        return "\n".join(lines).rstrip()
    return block.text.rstrip()


async def test_a_page_says_the_same_without_scripts(shown: Visit, scriptless_reader: Visit) -> None:
    """No word of the text needs JavaScript, and nothing is offered that needs it."""
    await scriptless_reader.arrive(shown.page.url.removeprefix(shown.base))
    page = scriptless_reader.page
    assert await page.evaluate(WORDS) == await shown.page.evaluate(WORDS)
    offered = page.locator("button:visible, input:visible")
    assert [await each.evaluate("e => e.outerHTML") for each in await offered.all()] == []
    assert scriptless_reader.faults == []


async def test_nothing_goes_wrong(shown: Visit) -> None:
    """The console has no error and no warning; nothing failed, and nothing is of another host."""
    assert shown.faults == []
