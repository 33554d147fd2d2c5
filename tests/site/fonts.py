"""Makes the fonts of the site small: `just fonts`, whose arguments are the fonts as npm has them.

What is left out are the weights and the signs that no page has; a sign that is missing comes from
the system's fonts. Runs with fonttools and brotli, which nothing else of the project needs.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FOLDER = Path(__file__).parents[2] / "docs/assets/fonts"
WEIGHTS = (400, 700)
"""From the text to the headings: docs/assets/site.css asks for none beyond."""
SIGNS = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "\N{NO-BREAK SPACE}§°±²³µ¶·×÷ßàäçèéêëíïñóöøüāőž–—‘’“”•…€−"  # noqa: RUF001 - the signs themselves
)
FEATURES = ["kern", "mark"]
# Name, version, licence and its address stay in the file.
NAMES = [0, 1, 2, 3, 4, 5, 6, 13, 14]


def smaller(font: TTFont) -> TTFont:
    """Return a variable font with the signs and the weights that are needed, and no hints."""
    options = subset.Options(layout_features=FEATURES, hinting=False, name_IDs=NAMES)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=SIGNS)
    subsetter.subset(font)
    return instantiateVariableFont(font, {"wght": WEIGHTS})


if __name__ == "__main__":
    for source in map(Path, sys.argv[1:]):
        made = smaller(TTFont(source))
        made.flavor = "woff2"
        made.save(FOLDER / source.name)
        size = (FOLDER / source.name).stat().st_size
        sys.stdout.write(f"{source.name}: {source.stat().st_size} -> {size}\n")
