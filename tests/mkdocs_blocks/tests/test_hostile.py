"""Pages that are hostile, or just odd: each ends in one line at its place, and harms no other."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

Done = subprocess.CompletedProcess[str]
Check = Callable[..., Done]
Write = Callable[..., Path]

pytestmark = pytest.mark.xdist_group("hostile")  # what they share is made once

SECONDS = 20
"""What a block may take. Only those that never end take it, and they do beside each other."""

NAP = f"{30_000_000 + os.getpid()}"
"""Seconds that nobody waits for; no other process has them in its command."""

MKDOCS = """\
site_name: A hostile site
markdown_extensions:
  - pymdownx.snippets: {check_paths: true}
  - pymdownx.superfences
"""

SNIPPETS = {
    "part/two-false.md": "```python\nassert 1 == 2\n```\n\n```python\nassert 3 == 4\n```\n",
    "part/first-false.md": "```python\nassert 1 == 2\n```\n\n```python\nassert 2 == 2\n```\n",
    "part/file-and-command.md": (
        '```python title="said.py"\nprint("said")\n```\n\n```console\n$ python said.py\nsaid\n```\n'
    ),
}


def python(*lines: str) -> str:
    """Return a Python block: its first line is the fourth of a page with a heading."""
    return "\n".join(["```python", *lines, "```\n"])


def console(*lines: str) -> str:
    """Return a console block."""
    return "\n".join(["```console", *lines, "```\n"])


TRUE: Mapping[str, str] = {
    "true": console("$ echo true", "true") + "\n" + python("assert 1 + 1 == 2"),
    "home": console(
        "$ ls -A ~", "$ git config --global user.name You", "$ tail -1 ~/.gitconfig | xargs",
        "name = You", "$ rm -rf ~",
    ),
    "token": console('$ echo "[$GH_TOKEN]"', "[]") + "\n" + python(
        "import os", "", 'assert "GH_TOKEN" not in os.environ'
    ),
    "pipe": console("$ false | true", "$ false & wait"),
    "link-to-a-folder": console("$ ls linked", "true.txt"),
    "colours": console(r"$ printf '\033[31mred\033[0m plain\n'", "red plain"),
    "trap": "```bash\nf() { test -e no-such-file; echo value; }\nf | tee out.txt > /dev/null\n"
    'test "$(cat out.txt)" = value\n```\n',
    "excused": '```pycon title="Not run: it shows the prompt of Python"\n>>> 1 + 1\n2\n```\n',
    "snippet": '--8<-- "part/file-and-command.md"\n',
    "nothing-added": (
        '```ini title="demo/pytest.ini"\n[pytest]\naddopts = -q\n```\n\n'
        '```python title="demo/conftest.py"\nimport pytest\n```\n\n'
        + console("$ ls -A demo # pytest reads these", "conftest.py", "pytest.ini")
    ),
}  # fmt: skip
"""What is true, whatever stands on other pages."""

ENDLESS: dict[str, tuple[str, str]] = {
    "endless-python": (
        python("import time", "", f"time.sleep({NAP})"),
        f":6: the block did not end within {SECONDS} s",
    ),
    "endless-conftest": (
        f'```python title="conftest.py"\nimport time\n\ntime.sleep({NAP})\n```\n\n'
        + python("assert True"),
        f":6: conftest.py: did not end within {SECONDS} s",
    ),
    "endless-collection": (
        f'```python title="demo/conftest.py"\nimport time\n\ntime.sleep({NAP})\n```\n\n'
        '```ini title="demo/pytest.ini"\n[pytest]\naddopts = -q\n```\n\n'
        + console("$ ls demo/pytest.ini demo/conftest.py", "demo/conftest.py", "demo/pytest.ini"),
        f":3: pytest over demo/conftest.py did not end within {SECONDS} s",
    ),
    "endless-command": (
        console("$ true", f"$ sleep {NAP}"),
        f":5: `sleep {NAP}` did not end within {SECONDS} s",
    ),
    "endless-script": (
        f"```bash\ntrue\nsleep {NAP}\n```\n",
        f":5: the script did not end within {SECONDS} s",
    ),
    "stopped": (
        console("$ kill -STOP $$"),
        f":4: `kill -STOP $$` did not end within {SECONDS} s",
    ),
}

FALSE: dict[str, tuple[str, str]] = {
    # What it starts goes on.
    "daemon": (
        python("import subprocess", f'subprocess.Popen(["sleep", "{NAP}"], process_group=0)'),
        f":3: the block left a process behind: sleep {NAP}",
    ),
    "daemon-of-a-conftest": (
        '```python title="conftest.py"\nimport subprocess\n\n'
        f'subprocess.Popen(["sleep", "{NAP}"], start_new_session=True)\n```\n\n'
        + python("assert True"),
        f":3: conftest.py left a process behind: sleep {NAP}",
    ),
    "detached": (
        console("$ true", f"$ env -i setsid sleep {NAP} &"),
        f":5: `env -i setsid sleep {NAP} &` left a process behind: sleep {NAP}",
    ),
    # It excuses itself, or ends what judges it.
    "skip": (python("import pytest", "pytest.skip('no')"), ":5: Skipped: no "),
    "importorskip": (python("import pytest", "pytest.importorskip('none')"), ":5: Skipped: could"),
    "xfail": (python("import pytest", "pytest.xfail('no')"), ":5: XFailed: no "),
    "unittest": (python("import unittest", "raise unittest.SkipTest('no')"), ":5: SkipTest: no "),
    "exits": (python("import os", "os._exit(0)"), ":3: the block ended its process with status 0"),
    "pytest-exits": (
        python("import pytest", "pytest.exit('no', returncode=0)"),
        ":5: Exit: no ",
    ),
    "kills": (
        python("import os", "os.kill(os.getppid(), 9)", "os.kill(os.getpid(), 9)"),
        ":3: the block ended the process that carries it",
    ),
    "kills-from-bash": (
        console("$ kill -9 $PPID"),
        ":4: `kill -9 $PPID` ended or stopped the process that started it",
    ),
    "exit-first": (console("$ exit 0", "$ false"), ":4: `exit 0` ended the shell"),
    "forged": (
        console("$ printf() { builtin echo 0; }; echo() { true; }", "$ false"),
        ":5: `false` exited with status 1",
    ),
    # It is too much.
    "deep": (python("assert " + "+".join(["1"] * 50_000)), ":3: RecursionError"),
    "flood": (console("$ yes"), ":4: `yes` printed more than 64 MiB"),
    "long": (console("$ yes | head -c 20000000", "y"), ":5: `yes | head -c 20000000` printed some"),
    "many": (
        console("$ seq 20000", *(f"{number}" for number in range(1, 60)), "x"),
        ":64: `seq 20000` printed something else",
    ),
    "wildcards": (
        console("$ yes a b | head -150 | tr '\\n' ' '", "[..] [..] [..] [..] [..] passed"),
        ":5: `yes a b",
    ),
    # What it is called.
    "long-title": (f'```text title="{"a" * 300}"\nx\n```\n', ":3: the title 'aaaa"),
    "dot": ('```python title="."\nx = 1\n```\n', ":3: the title '.' is a folder"),
    "folder": ('```python title="part"\nx = 1\n```\n', ":3: the title 'part' is a folder"),
    "below-a-file": ('```json title="kept.txt/x.json"\n{}\n```\n', ":3: 'kept.txt/x.json' cannot"),
    "option": ('```python title="--version.py"\nx = 1\n```\n', ":3: the title '--version.py'"),
    # What it is made of.
    "folder-snippet": ('--8<-- "part"\n', ":3: the snippet 'part' is a folder"),
    "binary-snippet": ('--8<-- "binary.bin"\n', ":3: the snippet 'binary.bin' is not text"),
    "one-of-two": ('--8<-- "part/first-false.md"\n', ":3: AssertionError: assert 1 == 2"),
    # What only looks true.
    "quote-within-a-word": (
        console("$ echo 13 passed, 10 failed", "13 passed, 10 failed")
        + "\n```text\n0 failed\n```\n",
        ":9: no command of this page printed '0 failed'",
    ),
    "quote-from-a-word": (
        console("$ echo 13 passed, 10 failed", "13 passed, 10 failed")
        + "\n```text\n3 passed, 10 failed\n```\n",
        ":9: no command of this page printed '3 passed",
    ),
    "true-the-second-time": (
        python(
            *("from pathlib import Path", "", 'seen = Path("seen.txt")', "if not seen.exists():"),
            *('    seen.write_text("")', '    sum("a", 1)', "assert seen.exists()"),
        ),
        ":9: TypeError",
    ),
    "variable": (
        python("import os", 'os.environ["LEAK"] = "1"', 'assert os.environ["LEAK"]')
        + "\n"
        + python("import os", 'assert os.environ["LEAK"]'),
        ":11: KeyError",
    ),
    "changed-module": (
        console("$ sed -i 's/1/2/' module.py", "$ cat module.py", "VALUE = 2")
        + "\n"
        + python("import module", "assert module.VALUE == 1"),
        ":11: AssertionError",
    ),
    "exit-of-a-script": (
        "```bash\necho one\necho two\ntest -f missing.txt || exit 3\necho three\n```\n",
        ":6: `test -f missing.txt || exit 3` exited with status 3",
    ),
    "sourced": (
        console(r"$ printf '%30s f() {\n  false\n}\n' | tr ' ' '\n' > lib.sh")
        + "\n```bash\n. ./lib.sh\nf\n```\n",
        ":9: `f` exited with status 1",
    ),
    "continued": (
        console("$ printf '%s\\n' one \\", "    two", "one", "two"),
        ":4: ",
    ),
    "here-document": (console("$ cat > x << 'END'", "alpha", "END", "$ cat x", "alpha"), ":4: "),
    "session": ("```pycon\n>>> 1 + 1\n2\n```\n", ":3: a pycon block cannot be run"),
    "dead-link": (
        "A true.md is not what is meant, nor data.md.\n\nAnd `x.md` in code.\n\nSee [it](x.md).\n",
        ":7: ",
    ),
    "build/linux": (console("$ echo right", "wrong"), ":5: `echo right` printed something else"),
    "dist/x": (console("$ echo right", "wrong"), ":5: `echo right` printed something else"),
}  # fmt: skip

BYTES: Mapping[str, tuple[bytes, str]] = {
    "latin-1.md": (
        b"# Caf\xe9\n\n```console\n$ echo a\na\n```\n",
        ":1: the page is not UTF-8: byte 0xe9 at column 6",
    ),
    "mark.md": (b"\xef\xbb\xbf    $ false\n", ":1: "),
    "guide/page.markdown": (b"# T\n\n```console\n$ echo right\nwrong\n```\n", ":5: `echo right`"),
}


class Outcome:
    """A run over all of these pages at once, and what was there before and after it."""

    def __init__(self, folder: Path, checker: Check) -> None:
        """Make the site, and let four workers run it."""
        self.project = folder / "project"
        self.home, self.temporary = folder / "home", folder / "temporary"
        for place in (self.project / "docs", self.project / "part", self.home, self.temporary):
            place.mkdir(parents=True)
        (self.home / ".gitconfig").write_text("[user]\n\tname = Me\n")
        (self.project / "mkdocs.yml").write_text(MKDOCS)
        (self.project / "pytest.ini").write_text("[pytest]\n")
        (self.project / "kept.txt").write_text("kept\n")
        (self.project / "module.py").write_text("VALUE = 1\n")
        (self.project / "binary.bin").write_bytes(bytes(range(256)))
        (self.project / "folder").mkdir()
        (self.project / "folder/true.txt").write_text("true\n")
        (self.project / "linked").symlink_to("folder")
        for name, text in SNIPPETS.items():
            (self.project / name).write_text(text)
        pages = {**{name: (text, "") for name, text in TRUE.items()}, **ENDLESS, **FALSE}
        for name, (text, _) in pages.items():
            self._page(f"{name}.md", f"# T\n\n{text}".encode())
        for name, (data, _) in BYTES.items():
            self._page(name, data)
        self._page("two-false.md", b'# T\n\n--8<-- "part/two-false.md"\n')
        before = self._files()
        self.done = checker(
            self.project,
            *("--docs", "-n", "6", f"--docs-seconds={SECONDS}", "-p", "no:cacheprovider"),
            HOME=str(self.home),
            TMPDIR=str(self.temporary),
            GH_TOKEN="a-secret",  # noqa: S106 - a secret of this test
        )
        self.changed = before ^ self._files()
        self.asleep = asleep()
        self.told: dict[str, list[str]] = {}
        for page, said in re.findall(r"^docs/([^:\n]+)(:\d+: .*)$", self.done.stdout, re.MULTILINE):
            self.told.setdefault(page, []).append(said)

    def _page(self, name: str, data: bytes) -> None:
        path = self.project / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _files(self) -> set[tuple[str, bytes]]:
        return {
            (str(path), path.read_bytes())
            for folder in (self.project, self.home)
            for path in folder.rglob("*")
            if path.is_file()
        }


def asleep() -> list[psutil.Process]:
    """Return the processes that pages of these tests have left."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if NAP in " ".join(process.info["cmdline"] or ())
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, checker: Check) -> Outcome:
    """The run over all of these pages."""
    return Outcome(tmp_path_factory.mktemp("hostile"), checker)


@pytest.mark.parametrize("name", [*ENDLESS, *FALSE])
def test_a_false_page_is_one_line_at_its_place(outcome: Outcome, name: str) -> None:
    """Whatever a block does, its page and line are told, with what is wrong, and once."""
    _, said = {**ENDLESS, **FALSE}[name]
    assert len(outcome.told[f"{name}.md"]) == 1
    assert outcome.told[f"{name}.md"][0].startswith(said)


@pytest.mark.parametrize("name", BYTES)
def test_a_page_of_odd_bytes_or_suffix_is_one_line(outcome: Outcome, name: str) -> None:
    """What MkDocs shows is checked; what it cannot read is told at its line."""
    assert len(outcome.told[name]) == 1
    assert outcome.told[name][0].startswith(BYTES[name][1])


def test_two_false_blocks_of_one_snippet_are_two_lines(outcome: Outcome) -> None:
    """Both are run, and both are told at the line that puts them in."""
    assert sorted(outcome.told["two-false.md"]) == [
        ":3: AssertionError: assert 1 == 2",
        ":3: AssertionError: assert 3 == 4",
    ]


@pytest.mark.parametrize("name", TRUE)
def test_a_true_page_is_proven_beside_them(outcome: Outcome, name: str) -> None:
    """No other page fails, skips or ends it."""
    assert f"{name}.md" not in outcome.told
    assert re.search(
        rf"^docs/{name}\.md: \d+ run, \d+ checked, ", outcome.done.stdout, re.MULTILINE
    )


def test_a_hostile_run_ends_as_any_other(outcome: Outcome) -> None:
    """It fails, without an error of the checker's own, and with everything counted."""
    assert outcome.done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "INTERNALERROR" not in outcome.done.stdout
    assert "mkdocs_blocks/" not in outcome.done.stdout
    wrong = len(ENDLESS) + len(FALSE) + len(BYTES) + 2
    assert sum(map(len, outcome.told.values())) == wrong
    assert f"pages: {wrong} failed, " in outcome.done.stdout


def test_nothing_of_a_hostile_run_is_left_or_changed(outcome: Outcome) -> None:
    """No process, no temporary file; the project and the home folder are what they were."""
    assert outcome.asleep == []
    names = [path.name for path in outcome.temporary.iterdir()]
    assert [name for name in names if not name.startswith("pytest-of-")] == []
    assert outcome.changed == set()


def test_no_secret_is_told(outcome: Outcome) -> None:
    """A variable that no setting names reaches neither a block nor a message."""
    assert "a-secret" not in outcome.done.stdout


# What needs a run of its own.


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A temporary folder of its own for a run of the checker, as a variable."""
    (tmp_path / "temporary").mkdir()
    return {"TMPDIR": str(tmp_path / "temporary")}


def left_in(machine: Mapping[str, str]) -> list[str]:
    """Return what a run has left of the checker's in its temporary folder."""
    return [path.name for path in Path(machine["TMPDIR"]).glob("mkdocs-blocks-*")]


def test_a_page_that_reaches_for_the_project_is_named(
    project: Path, page: Write, check: Check
) -> None:
    """Its absolute path is not shut away, but no change goes unseen; the other page is proven."""
    commands = {
        "made.txt": "touch {}/made.txt",
        "removed.txt": "rm {}/removed.txt",
        "grown.txt": "echo more >> {}/grown.txt",
        "mode.txt": "chmod +x {}/mode.txt",
        "linked.txt": "ln -sf mode.txt {}/linked.txt",
    }
    for name in list(commands)[1:]:
        (project / name).write_text("kept\n")
    for name, command in commands.items():
        page(f"# T\n\n{console('$ ' + command.format(project))}", f"{name}.md")
    page(f"# T\n\n{TRUE['true']}", "true.md")
    done = check()
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    said = "while this page ran, the project itself was changed, not its copy"
    for name in commands:
        assert done.stdout.count(f"\ndocs/{name}.md:1: {said}: {name}\n") == 1
    assert "docs/true.md: 2 run" in done.stdout


def test_a_title_that_leads_out_of_the_sandbox_is_refused(
    tmp_path: Path, page: Write, check: Check
) -> None:
    """By a link that a block has made, too: nothing is written there."""
    outside = tmp_path / "outside"
    outside.mkdir()
    page(f'# T\n\n{console(f"$ ln -s {outside} link")}\n```json title="link/x.json"\n{{}}\n```\n')
    done = check()
    said = "docs/index.md:7: 'link/x.json' cannot be written: it leads out of the sandbox"
    assert done.stdout.count(f"\n{said}\n") == 1
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "kind", "workers"),
    [
        (signal.SIGINT, "console", ()),
        (signal.SIGTERM, "console", ()),
        (signal.SIGTERM, "python", ("-n", "2")),
        (signal.SIGKILL, "python", ()),
        (signal.SIGKILL, "console", ("-n", "2")),
    ],
)
def test_a_run_that_is_ended_leaves_nothing(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    project: Path,
    page: Write,
    check: Check,
    variables: Mapping[str, str],
    machine: dict[str, str],
    number: signal.Signals,
    kind: str,
    workers: tuple[str, ...],
) -> None:
    """In the middle of a block: no process, no folder; killed, at the latest after the next run."""
    began = project.parent / "began"
    os.mkfifo(began)
    blocks = {
        "console": console(f"$ env -i sleep {NAP} & echo now > {began}; wait"),
        "python": python(
            "import subprocess",
            f'nap = subprocess.Popen(["sleep", "{NAP}"], start_new_session=True)',
            f'open("{began}", "w").write("now")',
            "nap.wait()",
        ),
    }
    page(f"# T\n\n{blocks[kind]}")
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "--docs", *workers],
        cwd=project,
        env={**variables, **machine},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert began.read_text().strip() == "now"
        assert left_in(machine)
        running.send_signal(number)
        printed, _ = running.communicate()
    assert "INTERNALERROR" not in printed
    if number == signal.SIGKILL:
        page("# T\n")
        assert check(**machine).returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert asleep() == []
    assert left_in(machine) == []
