"""Takes a picture of every page, on a laptop and a phone, in light and dark: `just screenshots`."""

import asyncio
import sys
from itertools import product
from pathlib import Path

from tests.browser.chromium import SCHEMES, WIDTHS, launched, visiting
from tests.browser.pages import LOST, PROJECT, pages
from tests.browser.serving import serving

FOLDER = PROJECT / "site-screenshots"
README = PROJECT / ".github/home.png"


async def take(site: Path, folder: Path, wanted: list[str]) -> None:
    """Write pictures of the pages of a built site: whole ones, and the first view of each.

    `wanted` has addresses of pages from the site's root; empty means all. Raises `ValueError` for
    one that is none, `FileNotFoundError` without a browser.
    """
    known = [*pages(), LOST]
    unknown = set(wanted) - {*known}
    if unknown:
        raise ValueError(f"no page has the address {min(unknown)!r}: write one such as {known[1]}")
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - nothing waits for anything yet
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
    try:
        asyncio.run(take(PROJECT / "site", FOLDER, sys.argv[1:]))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    home = FOLDER / f"home-{WIDTHS[0]}-light-first.png"
    if not sys.argv[1:] or "" in sys.argv[1:]:
        README.write_bytes(home.read_bytes())
