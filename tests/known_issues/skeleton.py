"""The beginning of a new issue: a page with all that is to be said, and a suite that runs."""

import re
from collections.abc import Mapping
from pathlib import Path

from tests.evidence.records import today
from tests.known_issues.front_matter import FURTHER, PAGES, REPORTS, TAKEN, TODO, further_pages
from tests.known_issues.suites import SUITES

_SHOWN = """\
<!-- fmt: off -->
```{language} title="{name}"
--8<-- "examples/known_issues/{id}/{name}"
```
<!-- fmt: on -->
"""

_PAGE = """\
---
id: {id}
title: {todo}the literal message, and what it is about
description: >-
  {todo}when it is seen, and what helps, in a sentence or two.
nav: {todo}a name for the navigation
sandbox: empty
group: silent
messages:
  - "the message"
cause: {todo}what it is, in a line
packages:
  - {{name: grpcio, introduced: "0", fixed: null}}
since: always
status: open
severity: tests fail
workaround: {todo}what helps, in a line
upstream: []
remove_when: never
watch: never
changed: {today}
examples: examples/known_issues/{id}
---

# `the message`

--8<-- "docs/known-issues/generated/{id}.md"

## Is it this?

{todo}what tells it from its look-alikes, by something that can be seen.

## Cure

{todo}what to do, in a sentence.

{cured}
??? note "The rest of the suite"

{ini}
{todo}a console block that runs the test that is cured.

## Why

{todo}the cause, as short as it is true.

## Reproducer

{fails}
{todo}a console block that runs the test that fails.

## When to remove it

Never.
"""

_SUITE = {
    "pytest.ini": """\
# A project of its own. -s shows what the tests print.
[pytest]
addopts = -q -s --tb=short
""",
    "test_fails.py": '''\
"""What fails."""


def test_it() -> None:
    """All is well."""
    print("the control: what is tried is in force")
    raise AssertionError("the message")
''',
    "test_cured.py": '''\
"""The same, cured."""


def test_it() -> None:
    """All is well."""
    print("the control: what is tried is in force")
''',
    "runs.toml": """\
# How this suite is run in an empty folder, and what every run shows: its message, and a control
# without which the message would prove nothing.

[[run]]
name = "fails"
command = "uv run --no-project --with pytest=={pytest} pytest test_fails.py"
status = 1
message = ["AssertionError: the message", "1 failed"]
control = ["the control: what is tried is in force"]

[[run]]
name = "cured"
command = "uv run --no-project --with pytest=={pytest} pytest test_cured.py"
status = 0
message = ["1 passed"]
control = ["the control: what is tried is in force"]
""",
}


def begin(project: Path, issue: str, pins: Mapping[str, str]) -> list[Path]:
    """Write the page and the suite of a new issue; return their files.

    Raises `ValueError` when the id is no id, or is taken.
    """
    if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", issue):
        raise ValueError(
            f"{issue}: is no id; write small letters, digits and hyphens: event-loop-closed"
        )
    page, folder = project / PAGES / f"{issue}.md", project / SUITES / issue
    for taken in (page, folder):
        if taken.exists():
            raise ValueError(f"{taken.relative_to(project)}: is there already; write another id")
    if whose := _taken(project, issue):
        raise ValueError(f"{issue}: is taken by {whose}; write another id")
    shown = {
        name: _SHOWN.format(id=issue, name=f"{file}", language=language)
        for name, file, language in (
            ("cured", "test_cured.py", "python"),
            ("fails", "test_fails.py", "python"),
            ("ini", "pytest.ini", "ini"),
        )
    }
    shown["ini"] = re.sub("^(?=.)", "    ", shown["ini"], flags=re.MULTILINE)
    text = _PAGE.format(id=issue, todo=TODO, today=today(), **shown)
    files = {page: text}
    files |= {
        folder / name: content.replace("{pytest}", pins["pytest"])
        for name, content in _SUITE.items()
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return list(files)


def _taken(project: Path, issue: str) -> str | None:
    """Say what has the page, the address or the snippet of an id already, or would belong to it."""
    if issue in TAKEN:
        return "a page or a snippet that is no issue"
    settings = project / "mkdocs.yml"
    address = f"known-issues/{issue}/"
    moved = re.compile(rf'^ *"?{re.escape(address)}"?:', re.MULTILINE)
    if settings.exists() and moved.search(settings.read_text(encoding="utf-8")):
        return f"an address that leads elsewhere: {address} in mkdocs.yml"
    others = {page for pages in further_pages(project).values() for page in pages}
    others |= {*(project / PAGES).glob(REPORTS), *(project / PAGES / name for name in FURTHER)}
    # A page belongs to the issue with whose id it begins.
    return next(
        (
            f"{PAGES}/{page.name}, which would be a page of it"
            for page in sorted(others)
            if page.exists() and page.stem.startswith(f"{issue}-")
        ),
        None,
    )
