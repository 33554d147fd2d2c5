"""The site as each builder makes it, with an address and without."""

import functools
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from mkdocs_blocks.checkout import copy_project

from tests.site.marks import uncoloured

PROJECT = Path(__file__).parents[2]
SITE_URL = "https://docs.test/grpc/"
REPOSITORY_URL = "https://github.com/owner/repository"
ADDRESSES = {"SITE_URL": SITE_URL, "REPOSITORY_URL": REPOSITORY_URL}

Make = Callable[..., Path]
Pages = dict[str, BeautifulSoup]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process have all tests of the built site, which each process builds for itself."""
    for item in items:
        if "make" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("built site"))


@functools.cache
def parsed(site: Path) -> Pages:
    """Parse the pages of a built site, uncoloured, by their addresses from its root."""
    gc.disable()  # which would look through all trees again and again
    try:
        return {
            path.relative_to(site).as_posix().removesuffix("index.html"): BeautifulSoup(
                uncoloured(path.read_text(encoding="utf-8")), "html.parser"
            )
            for path in sorted(site.rglob("*.html"))
        }
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project: a builder writes below it, and its recipes run in it."""
    copy = tmp_path_factory.mktemp("checkout") / "project"
    copy_project(PROJECT, copy)
    return copy


@pytest.fixture(scope="session")
def make(checkout: Path) -> Make:
    """Run a recipe that builds the site, once for the same variables; gives the site's folder."""

    @functools.cache
    def run(recipe: str, **variables: str) -> Path:
        known = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
        # The copy has no environment of its own, and must not install itself into this one.
        known |= {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1"}
        done = subprocess.run(
            ["just", "--no-deps", recipe],
            cwd=checkout,
            env=known | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        site = checkout.parent / f"site{len(list(checkout.parent.iterdir()))}"
        return (checkout / "site").rename(site)

    return run
