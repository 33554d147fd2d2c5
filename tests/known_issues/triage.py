"""What the triage knows, made from the front matter: for its two programs, and for its page.

The rules by which a log is read are in docs/assets/triage.py and docs/assets/triage.js.
"""

import json
from collections.abc import Sequence

from docs.assets.triage import Issue as Known
from tests.evidence.markdown import table
from tests.known_issues.front_matter import Issue

PYTHON = "docs/assets/triage.py"
JAVASCRIPT = "docs/assets/triage.js"


def known(found: Sequence[Issue]) -> list[Known]:
    """Return what the two programs have to know of the issues."""
    return [
        {
            "id": issue.id,
            "title": issue.title,
            "description": issue.description,
            "messages": [*issue.messages],
            "signs": [*issue.signs],
        }
        for issue in found
    ]


def python(found: Sequence[Issue]) -> str:
    """Return the lines of the script that have the issues."""
    return f'ISSUES: list[Issue] = json.loads(r"""\n{_json(found)}\n""")\n'


def javascript(found: Sequence[Issue]) -> str:
    """Return the lines of the page's script that have the issues."""
    return f"const TRIAGE_ISSUES = {_json(found)};\n"


def messages(found: Sequence[Issue]) -> str:
    """Return the table of all messages and signs, each beside its page."""
    rows = [
        [
            "<br>".join(map(_code, issue.messages)),
            "<br>".join(map(_code, issue.signs)),
            f'[{issue.nav}]({issue.id}.md){{ data-issue="{issue.id}" }}',
        ]
        for issue in found
    ]
    return table(["A log with", "A log with, perhaps", "Is"], rows) + "\n"


def _json(found: Sequence[Issue]) -> str:
    return json.dumps(known(found), indent=1, ensure_ascii=False)


def _code(text: str) -> str:
    return f"``{text}``" if "`" in text else f"`{text}`"
