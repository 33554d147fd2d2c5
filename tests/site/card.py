"""Draws the picture that a chat or a social network shows of a link: `just card`, with chromium.

The picture carries the hash of what it was drawn from, so a test can tell that it is up to date
without drawing it again.
"""

import hashlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from html import escape
from pathlib import Path
from string import Template

from mkdocs.config import load_config

PROJECT = Path(__file__).parents[2]
CARD = PROJECT / "docs/assets/card.png"
FONTS = PROJECT / "docs/assets/fonts"
SIZE = (1200, 630)  # pixels: what no reader of Open Graph cuts
SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"Source-SHA256"
DRAWING = Template("""\
<!doctype html>
<meta charset="utf-8">
<style>
  @font-face { font-family: text; font-weight: 100 900; src: url(inter-latin-wght-normal.woff2); }
  @font-face {
    font-family: code; font-weight: 100 900; src: url(jetbrains-mono-latin-wght-normal.woff2);
  }
  body {
    display: flex; flex-direction: column; justify-content: space-between; box-sizing: border-box;
    height: 100vh; margin: 0; padding: 60px 68px;
    background: #11161c; color: #e2e8ef; font: 400 36px/1.4 text;
  }
  p, pre { margin: 0; }
  .name { color: #83cf9c; font-weight: 650; }
  pre { color: #ff8a6e; font: 600 45px/1.4 code; }
</style>
<p class="name">$name</p>
<pre>$message</pre>
<p>$description</p>
""")


def drawing() -> str:
    """Return the card as HTML: the site's name, the message it is about, its description."""
    config = load_config(str(PROJECT / "mkdocs.yml"))
    page = (PROJECT / "docs/known-issues/grpc-segfault.md").read_text(encoding="utf-8")
    message = re.findall(r"^# (.+)", page, re.MULTILINE)[0].replace("`", "")
    return DRAWING.substitute(
        name=escape(config.site_name),
        message=escape(message.replace(" … ", "\n…\n")),
        description=escape(config.site_description or ""),
    )


def digest(source: str) -> bytes:
    """Return the hash of what a card is drawn from, fonts included, as it stands in the picture."""
    made_of = [
        source.encode(),
        *(font.read_bytes() for font in sorted(FONTS.glob("*-normal.woff2"))),
    ]
    return hashlib.sha256(b"".join(made_of)).hexdigest().encode()


def chunks(picture: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG, types and data; raises `ValueError` for anything else."""
    if not picture.startswith(SIGNATURE):
        raise ValueError("not a PNG")
    found, at = [], len(SIGNATURE)
    while at < len(picture):
        (size,) = struct.unpack_from(">I", picture, at)
        found.append((picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]))
        at += size + 12  # the size itself, the type and the checksum have four bytes each
    return found


def signed(picture: bytes, hash_: bytes) -> bytes:
    """Return the PNG with the hash of its source in it, before its last chunk."""
    *first, end = chunks(picture)
    made = [SIGNATURE]
    for kind, data in [*first, (b"tEXt", KEYWORD + b"\0" + hash_), end]:
        made += [
            struct.pack(">I", len(data)),
            kind + data,
            struct.pack(">I", zlib.crc32(kind + data)),
        ]
    return b"".join(made)


def draw(source: str) -> bytes:
    """Return the card as a PNG, drawn by chromium; raises `FileNotFoundError` without one."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise FileNotFoundError("no chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page, picture = folder / "card.html", folder / "card.png"
        for font in FONTS.glob("*-normal.woff2"):
            shutil.copy(font, folder)
        page.write_text(source, "utf-8")
        subprocess.run(
            [
                *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *("--force-device-scale-factor=1", f"--user-data-dir={folder / 'profile'}"),
                *(f"--window-size={SIZE[0]},{SIZE[1]}", f"--screenshot={picture}", page.as_uri()),
            ],
            capture_output=True,
            timeout=60,
            check=True,
        )
        return signed(picture.read_bytes(), digest(source))


if __name__ == "__main__":
    try:
        CARD.write_bytes(draw(drawing()))
    except FileNotFoundError as error:
        sys.exit(str(error))
