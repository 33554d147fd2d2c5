"""What the triage knows, made from the front matter: for its two programs, and for its page.

The rules by which a log is read are in docs/assets/triage.py and docs/assets/triage.js.
"""

import json
from collections.abc import Sequence

from docs.assets.triage import Issue as Known
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
    """Return a list of all issues with their messages and signs, as Markdown."""
    return "\n".join(map(_entry, found))


def _entry(issue: Issue) -> str:
    told = {"": issue.messages, "*Perhaps:* ": issue.signs}
    texts = (
        f":   {said}{'<br>'.join(map(_code, texts))}\n" for said, texts in told.items() if texts
    )
    return f'[{issue.nav}]({issue.id}.md){{ data-issue="{issue.id}" }}\n{"".join(texts)}'


def _json(found: Sequence[Issue]) -> str:
    return json.dumps(known(found), indent=1, ensure_ascii=False)


def _code(text: str) -> str:
    return f"``{text}``" if "`" in text else f"`{text}`"
