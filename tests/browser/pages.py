"""The pages of the site: their addresses, and the blocks that the docs checker reads in them."""

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from mkdocs.config import load_config
from mkdocs.structure.files import get_files
from mkdocs.structure.nav import get_navigation
from mkdocs_blocks.block import Block
from mkdocs_blocks.settings import Settings
from mkdocs_blocks.site import read_site

PROJECT = Path(__file__).parents[2]
LOST = "404.html"


@cache
def pages() -> Mapping[str, str]:
    """Return the files of the pages below docs/, by their addresses from the site's root."""
    config = load_config(str(PROJECT / "mkdocs.yml"))
    listed = get_navigation(get_files(config), config).pages
    return {page.url: page.file.src_uri for page in listed}


@cache
def blocks() -> Mapping[str, tuple[Block, ...]]:
    """Return the blocks of each page, by the page's address."""
    with tempfile.TemporaryDirectory() as folder:
        read = read_site(PROJECT, Settings(files={"justfile": "just"}), into=Path(folder))
    found = {page.name.removeprefix("docs/"): page.blocks for page in read.pages}
    return {url: found[name] for url, name in pages().items()}
