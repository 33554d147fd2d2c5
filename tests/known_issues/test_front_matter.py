"""Each fault of a page's front matter is told in one line: page, line, key, what to write."""

import shutil
from pathlib import Path

import pytest

from tests.known_issues import front_matter, proofs

PROJECT = Path(__file__).parents[2]
SAMPLE = "preexec-fn-child"
HEAD = (PROJECT / front_matter.PAGES / f"{SAMPLE}.md").read_text(encoding="utf-8").split("\n# ")[0]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one issue, whose suite has its runs."""
    shutil.copytree(
        PROJECT / "examples/known_issues" / SAMPLE, tmp_path / "examples/known_issues" / SAMPLE
    )
    (tmp_path / front_matter.PAGES).mkdir(parents=True)
    write(tmp_path, HEAD)
    return tmp_path


def write(project: Path, head: str, name: str = SAMPLE) -> None:
    """Write a page with this front matter."""
    page = project / front_matter.PAGES / f"{name}.md"
    page.write_text(f"{head}\n# `Bad file descriptor`\n", encoding="utf-8")


def faults(project: Path) -> list[str]:
    """Return what is told of the pages' front matter."""
    with pytest.raises(ValueError, match=r".") as told:
        front_matter.issues(project)
    return str(told.value).splitlines()


def line_with(text: str) -> int:
    """Return the line, from 1, of the sample that begins so."""
    return next(n for n, line in enumerate(HEAD.splitlines(), 1) if line.startswith(text))


def test_every_page_of_the_folder_is_an_issue_or_one_of_the_others() -> None:
    """The pages are whole; what is no issue is a report, a further page or named as neither."""
    found = front_matter.issues(PROJECT)
    pages = {path.stem for path in (PROJECT / front_matter.PAGES).glob("*.md")}
    further = front_matter.further_pages(PROJECT)
    others = {page.stem for pages in further.values() for page in pages}
    reports = {name for name in pages if name.startswith("upstream-report")}
    named = {Path(name).stem for name in front_matter.FURTHER}
    assert pages == {issue.id for issue in found} | others | reports | named
    assert len(found) > 14


def test_every_suite_has_its_page() -> None:
    """No folder of examples/known_issues/ is without a page that names it."""
    named = {issue.examples for issue in front_matter.issues(PROJECT)}
    folders = (PROJECT / "examples/known_issues").iterdir()
    assert named >= {f"examples/known_issues/{path.name}" for path in folders if path.is_dir()}


def test_a_whole_page_is_read(project: Path) -> None:
    """What is written is what is read."""
    (issue,) = front_matter.issues(project)
    assert issue.id == SAMPLE
    assert issue.packages[0].name == "grpcio"
    assert f"{issue.changed:%Y}" >= "2026"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("nav:", "nva:", "nva: there is no such key; write nav"),
        ("nav:", "colour: red\nnav:", "colour: there is no such key; leave it out"),
        (
            "description:",
            "descripton:",
            "descripton: there is no such key; write description",
        ),
        ("id: preexec", "id: prexec", f"id: is not the name of the file; write {SAMPLE}"),
        ("sandbox: empty", "sandbox: full", "sandbox: 'full' is not known; write 'empty'"),
        ("group: crash", "group: crashes", "group: 'crashes' is not known; write 'crash', 'hang',"),
        ("status: open", "status: opened", "status: 'opened' is not known; write 'open', 'by "),
        ("since: grpcio 1.80", "since: 1.80", "since: 1.8 is no text; put it in quotes"),
        ('introduced: "1.80.0"', "introduced: 1.80", "packages.0.introduced: 1.8 is no text;"),
        (
            'introduced: "1.80.0"',
            'introduced: "new"',
            "packages.0.introduced: 'new' is no version;",
        ),
        (
            '{name: grpcio, introduced: "1.80.0"',
            "{name: grpcio",
            "packages.0.introduced: is missing",
        ),
        (
            "{name: grpcio,",
            "{name: GRPC_io,",
            "packages.0.name: write it as the package index does",
        ),
        ("fixed: null", 'fixed: "1.79.0"', "packages.0: fixed in 1.79.0, before it was introduced"),
        (
            "https://github.com/grpc/grpc/issues/37259",
            "grpc#37259",
            "upstream.1: 'grpc#37259' is no",
        ),
        (
            "upstream:\n",
            "upstream:\n  - https://github.com/grpc/grpc/issues/37259\n",
            "upstream: 'https://github.com/grpc/grpc/issues/37259' stands there twice; keep one",
        ),
        ("changed: 2026-11-26", "changed: soon", "changed: 'soon' is no day; write it as 2026-"),
        (
            '{run: "fails"',
            '{run: "falls"',
            "watch: no run 'falls' in runs.toml; write one of 'fails'",
        ),
        (
            "newest: [grpcio]",
            "newest: [uvloop]",
            "watch: the run 'fails' installs no uvloop; write",
        ),
        ("newest: [grpcio]", "newest: []", "watch.0.newest: is empty; write at least one"),
        (
            "examples: examples/known_issues/preexec-fn-child",
            "examples: examples/known_issues/shared-port",
            "examples: write examples/known_issues/preexec-fn-child, the suite of this page",
        ),
        (
            "severity: the process dies",
            "severity: bad",
            "severity: 'bad' is not known; write 'the ",
        ),
        ("severity: the process dies", "severity:", "severity: None is not known; write 'the "),
        ('title: "epoll', 'title: "' + "x" * 66 + "epoll", "title: is "),
        ("nav: ", 'nav: ""\n#', "nav: is empty; write it"),
        ("cause: ", "title: twice\ncause: ", "front matter: the key 'title' is there twice;"),
        ("cause: ", "cause: [", "front matter: "),
        ("cause: ", "[cause]: ", "front matter: a key is no text;"),
        ("cause: ", "cause: \x1b", "front matter: has the control character U+001B; take it out"),
        ('cause: "', 'cause: "\\e', "cause: has the control character U+001B; take it out"),
        ('cause: "', 'cause: "\\ud800', "cause: has half a character,"),
        ("changed: 2026-11-26", "changed: 2026-13-26", "front matter: month must be in 1..12;"),
        (
            "packages:\n  - {name: grpcio,",
            "packages:\n  - grpcio\n  - {name: grpcio,",
            "packages.0: 'grpcio' has no keys; write each of them with what it is",
        ),
    ],
)
def test_a_fault_is_told_in_one_line(project: Path, old: str, new: str, told: str) -> None:
    """The line has the page, the line of the key, the key, what is wrong, and what to write."""
    assert HEAD.count(old) == 1
    write(project, HEAD.replace(old, new))
    (line,) = faults(project)
    number = HEAD[: HEAD.index(old)].count("\n") + 1
    said = line.partition(": ")[2]
    assert said.startswith(told)
    assert line.startswith(f"docs/known-issues/{SAMPLE}.md:")
    assert abs(int(line.split(":")[1]) - number) <= 1 or "cause: [" in new  # its end is missed


@pytest.mark.parametrize(
    "key",
    ["id", "title", "group", "messages", "packages", "status", "upstream", "remove_when", "watch"],
)
def test_a_missing_key_is_told_at_the_first_line(project: Path, key: str) -> None:
    """There is no line of it to name."""
    kept, skipping = [], False
    for line in HEAD.splitlines():
        skipping = line.startswith(f"{key}:") or (skipping and line.startswith(" "))
        kept += [] if skipping else [line]
    write(project, "\n".join(kept))
    assert faults(project) == [f"docs/known-issues/{SAMPLE}.md:1: {key}: is missing; write it"]


def test_a_page_without_front_matter_is_told(project: Path) -> None:
    """One line says where it has to begin."""
    write(project, "", "other")
    (line,) = faults(project)
    assert line == (
        "docs/known-issues/other.md:1: front matter: there is none; begin the page with --- and "
        "its keys"
    )


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (
            HEAD.removesuffix("---").rstrip("-\n"),
            "1: front matter: has no end; write --- on a line",
        ),
        (f"\ufeff{HEAD}", "1: begins with a byte order mark; save it as UTF-8 without one"),
        (HEAD.replace("fork handlers", "fork h\udce4ndlers"), "CAUSE: is not UTF-8, of byte 0xE4;"),
    ],
    ids=["no end", "byte order mark", "not UTF-8"],
)
def test_a_page_that_cannot_be_read_is_told_as_what_it_is(
    project: Path, page: str, told: str
) -> None:
    """Once, by whichever command reads it; it is taken for no other kind of page."""
    path = project / front_matter.PAGES / f"{SAMPLE}.md"
    path.write_bytes(f"{page}\n".encode(errors="surrogateescape"))
    (line,) = front_matter.faults(project)
    assert line not in proofs.faults(project)
    number = f"{line_with('cause:')}"
    assert line.startswith(f"docs/known-issues/{SAMPLE}.md:{told.replace('CAUSE', number)}")


def test_lines_of_windows_are_read_as_any_other(project: Path) -> None:
    """What ends them is no fault."""
    path = project / front_matter.PAGES / f"{SAMPLE}.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert front_matter.faults(project) == []


@pytest.mark.parametrize("name", front_matter.TAKEN)
def test_a_name_that_is_taken_is_no_id(project: Path, name: str) -> None:
    """The page would stand where another one, or a snippet, does."""
    write(project, HEAD.replace(f"id: {SAMPLE}", f"id: {name}"), name)
    said = "call the page and its id something else"
    assert f"docs/known-issues/{name}.md:2: id: {name!r} is taken; {said}" in faults(project)


def test_a_missing_suite_is_told(project: Path) -> None:
    """The folder that the page names has to have runs."""
    (project / "examples/known_issues" / SAMPLE / "runs.toml").unlink()
    (line,) = faults(project)
    assert line.endswith(
        f"examples: examples/known_issues/{SAMPLE}/runs.toml is missing; write it, or leave the "
        "key out"
    )


def test_a_page_that_nothing_leads_to_is_told(project: Path) -> None:
    """Without a message and without a sign nobody finds it."""
    before, _, rest = HEAD.partition("messages:\n")
    write(project, f"{before}messages: []\n{rest[rest.index('cause:') :]}")
    (line,) = faults(project)
    assert line == (
        f"docs/known-issues/{SAMPLE}.md:{line_with('messages:')}: messages: nothing leads to this "
        "page; write a message or a sign"
    )


def test_two_pages_are_told_together(project: Path) -> None:
    """Nobody mends one fault to be told the next."""
    write(project, HEAD.replace("status: open", "status: shut"))
    write(project, HEAD.replace("id: preexec-fn-child", "id: second"), "second")
    told = faults(project)
    assert [line.split(":")[0] for line in told] == [
        "docs/known-issues/preexec-fn-child.md",
        "docs/known-issues/second.md",
    ]


def test_the_line_of_a_key_is_found() -> None:
    """The watch names the line to change."""
    page = PROJECT / front_matter.PAGES / f"{SAMPLE}.md"
    assert front_matter.line_of(page, "status") == line_with("status:")
    assert front_matter.line_of(page, "no_such_key") == 1
