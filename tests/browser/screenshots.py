"""Takes a picture of every page, on a laptop and a phone, in light and dark: `just screenshots`."""

import asyncio
import sys
from itertools import product
from pathlib import Path

from tests.browser.chromium import SCHEMES, WIDTHS, launched, visiting
from tests.browser.reading import LOST, PROJECT, pages
from tests.browser.serving import serving

FOLDER = PROJECT / "site-screenshots"
README = PROJECT / ".github/home.png"


async def take(site: Path, folder: Path, wanted: list[str]) -> None:
    """Write pictures of a built site into a folder: of each page, whole, and what is seen first.

    `wanted` has addresses of pages from the site's root; empty means all. Raises `ValueError` for
    one that is none, `FileNotFoundError` without a browser.
    """
    known = [*pages(), LOST]
    unknown = set(wanted) - {*known}
    if unknown:
        raise ValueError(f"no page has the address {min(unknown)!r}: write one such as {known[1]}")
    with serving(site) as base:
        async with launched() as browser:
            context = await browser.new_context()
            for url, width, scheme in product(wanted or known, WIDTHS[:2], SCHEMES):
                async with visiting(context, base, width=width, scheme=scheme) as shown:
                    await shown.go(url)
                    name = f"{url.strip('/').replace('/', '-') or 'home'}-{width}-{scheme}"
                    await shown.page.screenshot(path=folder / f"{name}-first.png")
                    await shown.page.screenshot(path=folder / f"{name}.png", full_page=True)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    try:
        asyncio.run(take(PROJECT / "site", FOLDER, sys.argv[1:]))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    home = FOLDER / f"home-{WIDTHS[0]}-light-first.png"
    if not sys.argv[1:] or "" in sys.argv[1:]:
        README.write_bytes(home.read_bytes())
