"""The picture of a link is up to date, and of the size that its page says."""

import struct
from pathlib import Path

import pytest

from tests.site import card


def test_the_card_is_drawn_from_what_the_site_says() -> None:
    """Name, message, description and fonts are those of today; else `just card` draws it anew."""
    text = dict(card.chunks(card.CARD.read_bytes()))[b"tEXt"]
    assert text == card.KEYWORD + b"\0" + card.digest(card.drawing()), "run `just card`"


def test_the_card_has_the_size_that_pages_say() -> None:
    """The picture's own width and height are those in the head of each page, and it is small."""
    picture = card.CARD.read_bytes()
    (kind, header), *_ = card.chunks(picture)
    assert (kind, struct.unpack_from(">II", header)) == (b"IHDR", card.SIZE)
    template = (card.PROJECT / "docs/overrides/partials/card.html").read_text(encoding="utf-8")
    for name, pixels in zip(("width", "height"), card.SIZE, strict=True):
        assert f'property="og:image:{name}" content="{pixels}"' in template
    assert len(picture) < 100_000


def test_a_word_more_makes_the_card_out_of_date() -> None:
    """The hash is of all that is drawn."""
    source = card.drawing()
    assert "Garbage-collecting" in source
    assert card.digest(source + "!") != card.digest(source)


def test_a_signed_picture_is_the_same_picture() -> None:
    """The hash is one chunk more; the others, and their checksums, are as they were."""
    picture = card.CARD.read_bytes()
    twice = card.chunks(card.signed(picture, b"0" * 64))
    assert twice.pop(-2) == (b"tEXt", card.KEYWORD + b"\0" + b"0" * 64)
    assert twice == card.chunks(picture)
    with pytest.raises(ValueError, match="not a PNG"):
        card.chunks(b"GIF89a")


def test_without_chromium_the_recipe_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line names the package."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"^no chromium: apt-get install chromium$"):
        card.draw("")
