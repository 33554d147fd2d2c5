"""What is wrong with a page as it is written: the rules, and which fences are blocks.

The process that asks MkDocs returns what it saw; here the kinds claim the fences, and what is no
block, or no right one, becomes a fault.
"""

# ruff: noqa: PLC0415 - the kinds need pytest, which the process of MkDocs does not import

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mkdocs_blocks.block import Block, Fault, Page, SandboxName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mkdocs_blocks.kinds import Kind, Problem
    from mkdocs_blocks.settings import Settings

RULES: Mapping[str, str] = {
    "added-extension": "a plugin or a hook adds Markdown extensions to those of mkdocs.yml",
    "cannot-run": "a block of a language that no kind claims, without a title",
    "changed-block": "a plugin, a hook or a Markdown extension makes or changes a block",
    "changed-html": "a plugin or a hook adds or removes code blocks in the HTML",
    "changed-markdown": "a plugin or a hook changes the Markdown of a page",
    "custom-fence": "a fence that the site turns into something else, and that is not declared",
    "dead-anchor": "a link to an anchor that is not there",
    "dead-link": "a link that leads nowhere, or that MkDocs warns of",
    "empty-block": "a block without text",
    "generated-page": "a page that a plugin or a hook makes",
    "hl-lines": "`hl_lines` names lines that the block does not have",
    "idle-wildcard": "an output, a quote or an excerpt of wildcards alone, or `...` after `...`",
    "mkdocs-warning": "anything else that MkDocs, a plugin or a hook warns of",
    "navigation": "what MkDocs warns of in the navigation",
    "no-fence": "a code block that is no fence",
    "no-language": "a fence without a language",
    "no-reason": "an excuse that says too little, or is misspelt",
    "only-defines": "a Python block that only defines things",
    "slow-page": "a page that takes too long to be read",
    "sandbox": "a page's front matter has a `sandbox` that is neither `project` nor `empty`",
    "snippet": "a snippet that cannot be put in",
    "title": "a title that cannot be the name of a file",
    "unclosed-fence": "a fence that is not closed before the next one",
    "unknown-attribute": "an attribute that the kind of a block does not take",
    "unknown-language": "a language that Pygments does not know",
    "unread-fence": "what looks like a fence and is none",
    "unreadable-page": "a page that cannot be read",
    "unresolved": "a reference or a note that is shown as it is written",
    "unseen-fence": "a fence that readers do not see as a code block",
    "wrong-language": "a file in another language than its name says",
}
"""Every rule by which a page can be at fault, each with what it finds."""

LONGEST_TITLE = 200
"""Characters that a title has at most."""
_LONGEST_NAME = 255
"""Bytes that a file's name may have."""

_NOT_A_BLOCK = frozenset(
    {"cannot-run", "custom-fence", "empty-block", "no-language", "title", "unclosed-fence"}
)
"""Rules that leave nothing which could be run or checked."""
_FILE_KINDS = frozenset({"excerpt", "file"})


def judged(raw: Mapping[str, Any], settings: Settings) -> Page:
    """Return a page of what MkDocs's process says of it."""
    from mkdocs_blocks.kinds import kinds_of

    sandbox: SandboxName = raw["sandbox"]
    wrong = [Fault(**fault) for fault in raw["faults"] if fault["rule"] == "sandbox"]
    if wrong and "sandbox" not in settings.soften:
        # Nobody knows where its blocks should be run, or which of them can be.
        return Page(name=raw["name"], faults=_sorted(wrong), sandbox=sandbox)
    blocks, faults = _judged(raw["fences"], raw["faults"], kinds_of(settings), settings, sandbox)
    return Page(name=raw["name"], blocks=tuple(blocks), faults=_sorted(faults), sandbox=sandbox)


def _sorted(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Return the faults in the order of the page, each one once."""
    return tuple(sorted(dict.fromkeys(faults), key=lambda fault: fault.line))


def _judged(
    fences: Sequence[Mapping[str, Any]],
    told: Sequence[Mapping[str, Any]],
    kinds: Mapping[str, Kind],
    settings: Settings,
    sandbox: SandboxName,
) -> tuple[list[Block], list[Fault]]:
    faults = [Fault(**fault) for fault in told]
    unread = min((f.line for f in faults if f.rule == "unread-fence"), default=None)
    if unread is not None:
        # Opening and closing fences may have changed places from there on, so that code is shown
        # as text and text as code: what that looks like is told when the first one is mended.
        faults = [
            fault
            for fault in faults
            if fault.line <= unread or fault.rule not in {"no-fence", "unresolved"}
        ]
    blocks: list[Block] = []
    for fence in fences:
        if unread is not None and fence["line"] > unread and not fence["language"]:
            continue  # it begins at what was meant as the end of one
        kind, found = _claimed(fence, kinds, sandbox)
        faults += [_fault(fence, problem) for problem in found]
        if not kind or {problem.rule for problem in found} & _NOT_A_BLOCK - settings.soften.keys():
            continue
        blocks.append(
            Block(
                place=len(blocks),
                line=fence["line"],
                language=fence["language"],
                lexer=fence["lexer"],
                kind=kind,
                title=fence["title"],
                options=fence["options"],
                lines=tuple(fence["lines"]),
                lines_at=tuple(fence["lines_at"]),
                prefix=fence["prefix"],
                literal=fence["literal"],
            )
        )
        if fence["inner"] is not None and kind not in {"excused", "declared"}:
            inner = fence["inner"]
            faults += _judged(inner["fences"], inner["faults"], kinds, settings, inner["sandbox"])[
                1
            ]
    return blocks, faults


def _fault(fence: Mapping[str, Any], problem: Problem) -> Fault:
    places = fence["lines_at"]
    line = places[problem.index] if problem.index is not None and places else fence["line"]
    return Fault(line=line, message=problem.message, rule=problem.rule)


def _claimed(
    fence: Mapping[str, Any], kinds: Mapping[str, Kind], sandbox: SandboxName
) -> tuple[str, list[Problem]]:
    """Return the kind that claims a fence, empty for none, and what is wrong with it."""
    from mkdocs_blocks import kinds as all_kinds

    language, title = fence["language"], fence["title"]
    if not language:
        said = "a fence without a language: write it after the backticks, as in ```console"
        return "", [all_kinds.Problem(rule="no-language", message=said)]
    kind, problems = all_kinds.claim(
        all_kinds.Fence(
            language=language,
            lexer=fence["lexer"],
            title=title,
            options=fence["options"],
            lines=tuple(fence["lines"]),
            of_project=fence["of_project"] and sandbox == "project",
            written_in=fence["written_in"],
            sandbox=sandbox,
        ),
        kinds,
    )
    if kind == "declared":
        return kind, []
    if fence["next_fence"]:
        said = f"the fence is not closed before the next one, {fence['next_fence']!r}: close it"
        return kind, [all_kinds.Problem(rule="unclosed-fence", message=said)]
    if not any(line.strip() for line in fence["lines"]):
        said = "an empty block: fill it, or remove it"
        return kind, [all_kinds.Problem(rule="empty-block", message=said)]
    found = [
        all_kinds.Problem(rule=rule, message=message)
        for rule, message in _header_problems(fence, kind, sandbox)
    ]
    return kind, [*problems, *found] if kind or not found else found


def _header_problems(
    fence: Mapping[str, Any], kind: str, sandbox: SandboxName
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the header of a fence, whatever kind claims it."""
    from mkdocs_blocks import kinds as all_kinds

    language = fence["language"]
    if fence["custom"] and kind in {"", "file"}:
        said = (
            f"mkdocs.yml turns {language} fences into something else: {all_kinds.declare(language)}"
        )
        yield "custom-fence", said
    elif not fence["lexer"] and kind != "excused":
        proposed = f": {' or '.join(fence['close'])}?" if fence["close"] else "."
        yield (
            "unknown-language",
            (
                f"unknown language {language!r}{proposed} Write one that Pygments knows, or text; "
                f"if the site turns such fences into something else, {all_kinds.declare(language)}"
            ),
        )
    for extra in fence["extras"]:
        if extra[0] in ".#":
            continue  # how it looks
        said = f'unknown attribute {extra!r}: a fence takes title="…" and hl_lines="…"'
        if "=" in extra:
            said += f"; others are read in braces, as in ```{{ .{language} {extra} }}"
        yield "unknown-attribute", said
    title = fence["title"]
    if kind != "excused":
        shown = title if len(title) <= LONGEST_TITLE else f"{title[:40]}…"
        is_file = bool(title) and kind in _FILE_KINDS
        is_folder = fence["is_folder"] and sandbox == "project"
        for wrong in _title_problems(title, is_file=is_file, is_folder=is_folder):
            yield "title", f"the title {shown!r} {wrong}"
            break
    for wrong in _hl_lines_problems(fence["options"].get("hl_lines", ""), len(fence["lines"])):
        yield "hl-lines", wrong


def _title_problems(title: str, *, is_file: bool, is_folder: bool) -> Iterator[str]:
    """Yield why a title cannot be one, the worst first."""
    path = PurePosixPath(title)
    names = [name.encode(errors="replace") for name in path.parts]
    if len(title) > LONGEST_TITLE:
        yield f"has {len(title)} characters: write {LONGEST_TITLE} at most"
    if any(ord(character) < ord(" ") or character == "\x7f" for character in title):
        yield "has a control character: remove it"
    if not is_file:
        return
    if path.is_absolute() or ".." in path.parts or title.startswith("~"):
        yield "leaves the project: write a path below it"
    if "\\" in title:
        yield "has a backslash: write slashes between folders"
    if is_folder or title.endswith("/") or not path.name:
        yield "is a folder: write the name of a file"
    if any(name.startswith(b"-") for name in names):
        yield "would be an option of commands: begin it with another character"
    if title != title.strip() or max(map(len, names), default=0) > _LONGEST_NAME:
        yield "cannot be the name of a file: shorten it, without blanks around it"


def _hl_lines_problems(hl_lines: str, count: int) -> Iterator[str]:
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", hl_lines):
        for number in dict.fromkeys(filter(None, (first, last))):
            # An absurd number may have more digits than Python reads.
            if len(number) > len(str(count)) or not 1 <= int(number) <= count:
                yield f"hl_lines names line {number[:20]} of {count}"
        if last and len(last) <= len(str(count)) and int(last) < int(first):
            yield f"hl_lines names the lines from {first} to {last}: write the smaller one first"
