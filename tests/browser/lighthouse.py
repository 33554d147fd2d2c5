"""Measures every page with Lighthouse, as on a phone: `just lighthouse`, with npx and chromium.

The site is served compressed, from this machine. The score for performance depends on how busy the
machine is, so its load is kept with the scores. Bytes and the other scores do not: a page that
falls short there makes the recipe fail, with a line for each.
"""

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.browser.chromium import MISSING, find_chromium
from tests.browser.pages import PROJECT, pages
from tests.browser.serving import MOST_BYTES, serving
from tests.evidence.markdown import marked, table

DATA = PROJECT / "docs/evidence/data/lighthouse.json"
TABLE = PROJECT / "docs/evidence/generated/lighthouse.md"
VERSION = "12.2.3"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
SECONDS = 300


def measure(address: str, chromium: str) -> dict[str, Any]:
    """Return Lighthouse's report of a page; raises `subprocess.CalledProcessError`."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        subprocess.run(
            [
                *("npx", "--yes", f"lighthouse@{VERSION}", address, "--quiet"),
                *("--output=json", f"--output-path={report}"),
                f"--only-categories={','.join(CATEGORIES)}",
                "--chrome-flags=--headless=new --no-sandbox",
            ],
            env={**os.environ, "CHROME_PATH": chromium},
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            check=True,
        )
        read: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return read


def row(report: dict[str, Any]) -> dict[str, int]:
    """Return what is kept of a report: each score, from 0 to 100, and the bytes of a first view.

    Raises `ValueError` when Lighthouse could not tell a score.
    """
    untold = [name for name in CATEGORIES if report["categories"][name]["score"] is None]
    if untold:
        said = f"{report['requestedUrl']}: Lighthouse could not tell its {', '.join(untold)}"
        raise ValueError(f"{said}: measure the page again")
    scores = {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}
    return scores | {"bytes": round(report["audits"]["total-byte-weight"]["numericValue"])}


def rendered(measured: dict[str, Any]) -> str:
    """Return the sections that the page of the evidence includes, of what was measured."""
    rows = measured["pages"]
    least = min(row["performance"] for row in rows.values())
    dates = sorted({row["when"] for row in rows.values()})
    loads = sorted(row["load"] for row in rows.values())
    heaviest = max(row["bytes"] for row in rows.values()) / 1024
    full = sum(all(row[name] == 100 for name in CATEGORIES[1:]) for row in rows.values())
    sections = {
        "sentence": (
            f"{full} of {len(rows)} pages have 100 for accessibility, best practices and search; "
            f"the heaviest first view has {heaviest:.0f} KiB, and the least performance is {least}."
        ),
        "pages": table(
            ["Page", "Performance", "Accessibility", "Best practices", "Search", "KiB", "Load"],
            (
                [
                    f"`{url or '/'}`",
                    *(str(row[name]) for name in CATEGORIES),
                    f"{row['bytes'] / 1024:.0f}",
                    str(row["load"]),
                ]
                for url, row in sorted(rows.items())
            ),
        ),
        "measured": (
            f"Measured by `just lighthouse`, {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, "
            f"with Lighthouse {measured['lighthouse']}; "
            f"the machine's load was {loads[0]} to {loads[-1]}."
        ),
    }
    head = "<!-- Generated from data/lighthouse.json by `just lighthouse`. -->"
    return f"{head}\n\n{marked(sections)}"


def misses(url: str, row: dict[str, Any]) -> list[str]:
    """Return what a page falls short of that no machine changes, a line each."""
    short = [
        f"{url or 'home'}: {name} is {row[name]} of 100"
        for name in CATEGORIES[1:]
        if row[name] < 100
    ]
    if row["bytes"] > MOST_BYTES:
        short.append(f"{url or 'home'}: a first view has {row['bytes']} bytes, over {MOST_BYTES}")
    return short


def main(wanted: list[str]) -> list[str]:
    """Measure the pages of the built site, or those whose addresses are wanted; tell the misses."""
    chromium = find_chromium()
    if chromium is None:
        raise FileNotFoundError(MISSING)
    unknown = set(wanted) - pages().keys()
    if unknown:
        raise ValueError(f"no page has the address {min(unknown)!r}")
    measured = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {"pages": {}}
    measured["lighthouse"] = VERSION
    gone = measured["pages"].keys() - pages().keys()
    measured["pages"] = {url: row for url, row in measured["pages"].items() if url not in gone}
    short = []
    with serving(PROJECT / "site") as base:
        for url in wanted or pages():
            found = row(measure(base + url, chromium))
            when = datetime.now(tz=UTC).date().isoformat()
            load = round(os.getloadavg()[0], 1)
            measured["pages"][url] = found | {"when": when, "load": load}
            short += misses(url, found)
            DATA.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
            TABLE.write_text(rendered(measured), encoding="utf-8")
            sys.stdout.write(f"{url or 'home'}: {found}, load {load}\n")
            sys.stdout.flush()
    return short


if __name__ == "__main__":
    try:
        sys.exit("\n".join(main(sys.argv[1:])) or 0)
    except (FileNotFoundError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
