"""Takes a picture of every page, on a laptop and a phone, in light and dark: `just screenshots`."""

import asyncio
import sys
from itertools import product
from pathlib import Path

from tests.browser.chromium import MISSING, SCHEMES, WIDTHS, find_chromium, launched, visiting
from tests.browser.reading import LOST, PROJECT, pages
from tests.browser.serving import serving

FOLDER = PROJECT / "site-screenshots"
README = PROJECT / ".github/home.png"


async def take(site: Path, folder: Path, wanted: list[str]) -> None:
    """Write the pictures of the pages below a built site whose addresses are wanted; empty: all."""
    folder.mkdir(exist_ok=True)
    every = [url for url in (*pages(), LOST) if not wanted or url in wanted]
    with serving(site) as base:
        async with launched() as browser:
            context = await browser.new_context()
            for url, width, scheme in product(every, WIDTHS[:2], SCHEMES):
                async with visiting(context, base, width=width, scheme=scheme) as shown:
                    await shown.go(url)
                    name = url.strip("/").replace("/", "-") or "home"
                    picture = folder / f"{name}-{width}-{scheme}.png"
                    await shown.page.screenshot(path=picture, full_page=True)


if __name__ == "__main__":
    asyncio.run(take(PROJECT / "site", FOLDER, sys.argv[1:]))
