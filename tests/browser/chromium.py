"""The browser that is installed on this machine, and pages in it that tell what goes wrong."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    async_playwright,
)

Scheme = Literal["light", "dark"]

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
WITHOUT_WINDOWS = "chromium-headless-shell"
"""Debian's program of chromium's engine alone. It has less to do, about a quarter; but its pointer
hovers over each page from the start, which a phone has none of."""
MISSING = "no chromium on the PATH: apt-get install chromium"
WIDTHS = (1280, 390, 320)
"""CSS pixels: a laptop, a phone, and the narrowest that WCAG 2.2 asks for (1.4.10, Reflow)."""
HEIGHT = 800
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def find_chromium() -> str | None:
    """Return the path of a chromium, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.asynccontextmanager
async def launched(*, windows: bool = True) -> AsyncIterator[Browser]:
    """Start chromium, which reaches 127.0.0.1 alone; raises `FileNotFoundError` without one.

    Without windows, it is the program without them where there is one.
    """
    path = find_chromium()
    if not windows:
        path = shutil.which(WITHOUT_WINDOWS) or path
    if path is None:
        raise FileNotFoundError(MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path,
            chromium_sandbox=False,  # root, as in a container, has no use of it
            args=["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visit:
    """A page of the browser, and what has gone wrong in it so far."""

    page: Page
    base: str
    """The address of the site's root."""
    faults: list[str] = field(default_factory=list)
    """Errors of its console, requests that failed, and those to other hosts."""

    def __post_init__(self) -> None:
        """Listen."""
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", self._hear)
        self.page.on("request", self._see)
        self.page.on("requestfailed", lambda asked: self.faults.append(f"failed: {asked.url}"))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self.faults.append(f"console: {said.text}")

    def _see(self, asked: Request) -> None:
        if not asked.url.startswith((self.base, "data:", "blob:")):
            self.faults.append(f"another host: {asked.url}")

    async def look(self, url: str) -> None:
        """Show a page of the site, by its address from the root, with its fonts."""
        await self.page.goto(self.base + url)
        await self.page.evaluate("document.fonts.ready.then(() => null)")

    async def go(self, url: str) -> None:
        """Show a page of the site, and move the pointer, for which its scripts wait on a phone."""
        await self.look(url)
        await self.page.mouse.move(0, 0)
        await self.started()

    async def started(self) -> None:
        """Wait until the scripts have started, where they are run."""
        await self.page.wait_for_function(_STARTED)

    async def arrive(self, url: str) -> None:
        """Show a page of the site as to a reader who comes for the first time."""
        if self.page.url.startswith(self.base):
            await self.page.evaluate("sessionStorage.clear()")
        self.faults.clear()
        await self.go(url)

    async def be(self, width: int) -> None:
        """Let the screen be that wide, in CSS pixels, and the page's scripts know it."""
        await self.page.set_viewport_size({"width": width, "height": HEIGHT})
        await self.page.evaluate(_KNOWS_WIDTH, width)

    async def switch_scheme(self) -> str:
        """Press the button for the other scheme, as a reader does; gives its name in the theme."""
        await self.page.locator("label[for^=__palette_]:visible").click()
        return await self.page.get_attribute("body", "data-md-color-scheme") or ""


# The frame that is laid out for another width finds out which conditions of width have changed, and
# the scripts that listen to one are told before the next is drawn.
_KNOWS_WIDTH = """width => new Promise(known => {
    const look = () => requestAnimationFrame(
        innerWidth === width ? () => requestAnimationFrame(known) : look
    );
    look();
})"""

_STARTED = """() => document.documentElement.classList.contains("no-js")
    || !document.querySelector("#scripts")"""

# What an earlier page of the context has stored, this one's reader has not chosen.
_FORGET = """
    if (!sessionStorage.visited) localStorage.clear();
    sessionStorage.visited = "yes";
"""


@contextlib.asynccontextmanager
async def visiting(
    context: BrowserContext, base: str, *, width: int = WIDTHS[0], scheme: Scheme = "light"
) -> AsyncIterator[Visit]:
    """Open a page in a context, as a reader who comes for the first time, and close it."""
    page = await context.new_page()
    try:
        await page.add_init_script(_FORGET)
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        visit = Visit(page, base)
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        yield visit
    finally:
        await page.close()
