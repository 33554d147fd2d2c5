"""A page of an issue shows its failure and its cure, and a new one has to, before it passes."""

import re
import shutil
from pathlib import Path

import pytest

from tests.evidence.environments import pins
from tests.known_issues import front_matter, proofs, skeleton, suites

PROJECT = Path(__file__).parents[2]
SAMPLE = "pb2-import"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one issue."""
    for folder in (f"examples/known_issues/{SAMPLE}", front_matter.PAGES):
        (tmp_path / folder).mkdir(parents=True)
    for name in (f"examples/known_issues/{SAMPLE}/runs.toml", f"{front_matter.PAGES}/{SAMPLE}.md"):
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def change(project: Path, old: str, new: str) -> int:
    """Replace a text of the page; return the line on which it stood."""
    page = project / front_matter.PAGES / f"{SAMPLE}.md"
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_each_page_shows_a_failure_and_a_cure() -> None:
    """And each command that installs something is a run of its suite."""
    assert proofs.faults(PROJECT) == []


def test_a_whole_page_has_no_fault(project: Path) -> None:
    """What the tests below change is whole before."""
    assert proofs.faults(project) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("E   ModuleNotFoundError: No module named 'echo_pb2'\n...\n1 error in [..]\n", "...\n"),
        ("says: import echo_pb2 as echo__pb2\n...\nE ", "says: [..]\n...\nE "),
        ("$ echo $?\n2\n", "$ echo $?\n1\n"),
        ("$ echo $?\n2\n", ""),
    ],
)
def test_a_failure_without_its_message_control_or_status_is_none(
    project: Path, old: str, new: str
) -> None:
    """The block is there, and does not show what the run shows."""
    change(project, old, new)
    if "says: [..]" in new:
        change(project, "chat is found: True\n", "...\n")
    (told,) = proofs.faults(project)
    assert re.match(
        rf"docs/known-issues/{SAMPLE}\.md:\d+: no block shows a run that fails; write a console "
        "block with the command of 'fails'",
        told,
    )


def test_a_cure_that_is_not_shown_is_told_at_its_heading(project: Path) -> None:
    """Of several cures one is enough, and here is none."""
    line = change(project, "## Cure", "## Cure")
    change(project, "1 passed in [..]", "[..]")
    (told,) = proofs.faults(project)
    assert told == (
        f"docs/known-issues/{SAMPLE}.md:{line}: no block shows a run that is cured; write a "
        "console block with the command of 'cured by generating from the root' or 'cured by "
        "pythonpath', its message, its control and `$ echo $?`"
    )


def test_a_command_that_is_not_measured_is_told_at_its_line(project: Path) -> None:
    """A page shows no run that `just evidence issues` does not make."""
    line = change(
        project, "pytest test_stub.py -o pythonpath", "pytest -x test_stub.py -o pythonpath"
    )
    (told,) = proofs.faults(project)
    assert told == (
        f"docs/known-issues/{SAMPLE}.md:{line}: this command is no run of the suite; write it into "
        f"examples/known_issues/{SAMPLE}/runs.toml too"
    )


def test_a_new_issue_says_what_it_lacks(tmp_path: Path) -> None:
    """Each text that is to be written, a run that fails, and one that is cured: a line for each."""
    skeleton.begin(tmp_path, "new-one", pins(PROJECT))
    unwritten = [*front_matter.faults(tmp_path), *proofs.faults(tmp_path)]
    page = (tmp_path / front_matter.PAGES / "new-one.md").read_text(encoding="utf-8")
    assert len(unwritten) == page.count(front_matter.TODO) + 2
    assert all(re.match(r"docs/known-issues/new-one\.md:\d+: ", told) for told in unwritten)


def test_the_suite_of_a_new_issue_fails_and_is_cured(tmp_path: Path) -> None:
    """Whoever begins an issue has something that runs."""
    skeleton.begin(tmp_path, "new-one", pins(PROJECT))
    for run in suites.runs(tmp_path / "examples/known_issues/new-one"):
        programs = [suites.PROGRAMS] * len(run.installed)
        ended = suites.attempt(run, programs, seconds=60)
        assert not run.lacks(ended), ended.output


@pytest.mark.parametrize(
    ("issue", "told"),
    [
        ("New One", "New One: is no id; write small letters, digits and hyphens"),
        ("../x", "../x: is no id;"),
        ("taken", "docs/known-issues/taken.md: is there already; write another id"),
    ],
)
def test_an_id_that_cannot_be_is_refused(tmp_path: Path, issue: str, told: str) -> None:
    """In one line, and nothing is written."""
    skeleton.begin(tmp_path, "taken", pins(PROJECT))
    files = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=re.escape(told)):
        skeleton.begin(tmp_path, issue, pins(PROJECT))
    assert sorted(tmp_path.rglob("*")) == files


@pytest.mark.parametrize(
    ("issue", "told"),
    [
        ("index", "index: is taken by a page or a snippet that is no issue;"),
        ("readme", "readme: is taken by"),
        ("generated", "generated: is taken by"),
        ("watch", "watch: is taken by"),
        ("triage", "docs/known-issues/triage.md: is there already;"),
        ("not-reproduced", "docs/known-issues/not-reproduced.md: is there already;"),
        ("not", "not: is taken by docs/known-issues/not-reproduced.md, which would be a page of"),
        ("upstream", "upstream: is taken by docs/known-issues/upstream-report"),
        ("grpc", "grpc: is taken by docs/known-issues/grpc-segfault-cause.md, which would be"),
        ("old", "old: is taken by an address that leads elsewhere: known-issues/old/ in mkdocs"),
    ],
)
def test_an_id_whose_place_is_taken_is_refused(tmp_path: Path, issue: str, told: str) -> None:
    """In one line that says by what, and nothing is written."""
    shutil.copytree(PROJECT / front_matter.PAGES, tmp_path / front_matter.PAGES)
    moved = 'extra:\n  moved:\n    "known-issues/old/": known-issues/shared-port/\n'
    (tmp_path / "mkdocs.yml").write_text(moved, encoding="utf-8")
    files = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=f"^{re.escape(told)}.*write another id$"):
        skeleton.begin(tmp_path, issue, pins(PROJECT))
    assert sorted(tmp_path.rglob("*")) == files


RUN = """\
[[run]]
name = "fails"
command = "uv run --no-project --with pytest==9.1.1 pytest"
status = 1
message = ["1 failed"]
control = ["the control"]
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("control = ", "contrl = ", "6: run.0.contrl: there is no such key; write control"),
        ('control = ["the control"]\n', "", "1: run.0.control: is missing; write it"),
        ("status = 1", 'status = "one"', "4: run.0.status: 'one' is no whole number; write one"),
        ("status = 1", 'status = "1"', "4: run.0.status: '1' is no whole number; write one"),
        ("status = 1", "status = 1\nproject = 0", "5: run.0.project: 0 is neither true nor false;"),
        ("status = 1", 'status = 1\npython = "three"', "5: run.0.python: 'three' is no version of"),
        ('["1 failed"]', '"1 failed"', "5: run.0.message: is no list; write each text in quotes"),
        ('["1 failed"]', "[]", "5: run.0.message: is empty; write at least one"),
        ('["1 failed"]', '[""]', "5: run.0.message.0: is empty; write it"),
        ('["1 failed"]', "[1]", "5: run.0.message.0: 1 is no text; put it in quotes"),
        ("uv run --no-project --with ", "", "3: run.0.command: installs nothing; begin it with uv"),
        ('"fails"', '"fails', "2: TOML: illegal character"),
        ("name = ", "name ", "2: TOML: expected '=' after a key"),
        (RUN, RUN.rstrip("]\n"), "6: TOML: "),
        (RUN, f"{RUN}{RUN}colour = 1\n", "13: run.1.colour: there is no such key; leave it out"),
        ("[[run]]", "[[runs]]", "1: runs: there is no such key; write run"),
        ("[[run]]", "[run]", "1: run: is no list; write"),
        (RUN, "", "1: run: is missing; write it"),
        ("[[run]]\n", "\ufeff[[run]]\n", "1: begins with a byte order mark; save it as UTF-8"),
        ("1 failed", "1 f\udce4iled", "5: is not UTF-8, of byte 0xE4; save it as UTF-8"),
    ],
)
def test_a_fault_of_a_suite_is_told_in_one_line(
    project: Path, old: str, new: str, told: str
) -> None:
    """It has the file below the project, the line, the key, what is wrong, and what to write."""
    assert old in RUN
    name = f"{suites.SUITES}/{SAMPLE}/runs.toml"
    (project / name).write_bytes(RUN.replace(old, new).encode(errors="surrogateescape"))
    lines = [*front_matter.faults(project), *proofs.faults(project)]
    assert [line[: len(f"{name}:{told}")] for line in lines] == [f"{name}:{told}"]


def test_the_faults_of_two_suites_are_told_together(project: Path) -> None:
    """Those of a suite without a page, too; and a page that watches a run is not blamed."""
    for each in ("preexec-fn-child", "shared-port"):
        (project / suites.SUITES / each).mkdir()
        broken = RUN.replace("status = 1", 'status = "one"')
        (project / suites.SUITES / each / "runs.toml").write_text(broken, encoding="utf-8")
    shutil.copy(PROJECT / front_matter.PAGES / "preexec-fn-child.md", project / front_matter.PAGES)
    lines = [*front_matter.faults(project), *proofs.faults(project)]
    assert [line.partition(": ")[0] for line in lines] == [
        "examples/known_issues/preexec-fn-child/runs.toml:4",
        "examples/known_issues/shared-port/runs.toml:4",
    ]


def test_a_suite_without_a_run_that_fails_is_told(project: Path) -> None:
    """There is no command to show; the page is told where its name has to be."""
    path = project / suites.SUITES / SAMPLE / "runs.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('name = "fails', 'name = "is bad'))
    told = [line for line in proofs.faults(project) if "runs.toml" in line]
    assert any("no run of the suite fails; name one 'fails' in" in line for line in told)
