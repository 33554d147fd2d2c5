"""Measures every page with Lighthouse, as on a phone: `just lighthouse`, with npx and chromium.

The site is served compressed, from this machine. The score for performance depends on how busy the
machine is: the load is kept with the scores. Bytes, and the other scores, do not.
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
from tests.browser.reading import PROJECT, pages
from tests.browser.serving import serving

DATA = PROJECT / "docs/evidence/data/lighthouse.json"
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


def main(wanted: list[str]) -> None:
    """Measure the pages of the built site, or those whose addresses are wanted, and keep that."""
    chromium = find_chromium()
    if chromium is None:
        raise FileNotFoundError(MISSING)
    unknown = set(wanted) - pages().keys()
    if unknown:
        raise ValueError(f"no page has the address {min(unknown)!r}")
    measured = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {"pages": {}}
    measured["lighthouse"] = VERSION
    with serving(PROJECT / "site") as base:
        for url in wanted or pages():
            found = row(measure(base + url, chromium))
            when = datetime.now(tz=UTC).date().isoformat()
            load = round(os.getloadavg()[0], 1)
            measured["pages"][url] = found | {"when": when, "load": load}
            DATA.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
            sys.stdout.write(f"{url or 'home'}: {found}, load {load}\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (FileNotFoundError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
