"""The built site, served, and a browser that shows its pages."""

import fcntl
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from mkdocs.config import load_config
from playwright.async_api import Browser, BrowserContext

from tests.browser.chromium import MISSING, find_chromium, launched
from tests.browser.serving import serving
from tests.site.publish import publish

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def chromium() -> None:
    """Skip where there is no browser that starts, but not where there has to be one: `.ci/run`."""
    path = find_chromium()
    if os.environ.get("BROWSER_TESTS") == "required":
        assert path is not None, MISSING
        return
    if path is None:
        pytest.skip(MISSING)
    started = subprocess.run(
        [path, "--headless", "--no-sandbox", "--dump-dom", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    if started.returncode:
        pytest.skip(f"{path} does not start: see what it says of about:blank")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as it is published, made by the first of pytest's processes; gives its folder."""
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    built = run / "published-site"
    with (run / "published-site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            _publish(built)
    return built


def _publish(built: Path) -> None:
    making = built.with_suffix(".unfinished")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(making)],
        cwd=PROJECT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    publish(load_config(str(PROJECT / "mkdocs.yml")), making)
    making.rename(built)


@pytest.fixture(scope="session")
def base(site: Path) -> Iterator[str]:
    """The address of the site's root."""
    with serving(site) as address:
        yield address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests of this process."""
    async with launched(windows=False) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A reader's profile: pages in it share what the browser has loaded."""
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield context
    await context.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def scriptless(browser: Browser) -> AsyncIterator[BrowserContext]:
    """The profile of a reader who runs no scripts."""
    context = await browser.new_context(java_script_enabled=False)
    yield context
    await context.close()
