"""Pages with `sandbox: empty`: they run as their readers would, without the project."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mkdocs_blocks.processes import Supervisor
from mkdocs_blocks.sandbox import Sandbox, visible_variables

Check = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

EMPTY = "---\nsandbox: empty\n---\n\n"

PAGE = """\
---
title: A page that needs no project
sandbox: empty
---

```python title="test_tea.py"
--8<-- "examples/tests_of_tea.py"
```

```python title="kettle.py"
SECONDS = 120
```

```ini title="pytest.ini"
[pytest]
addopts = -q
```

```toml title="pyproject.toml"
[tool.tea]
kinds = ["green"]
```

```text
test_tea.py
```

```console
$ ls
kettle.py
pyproject.toml
pytest.ini
test_tea.py
$ mkdir -p cup && cd cup && python3 -c 'import sys; print(sys.argv)' 'tea>=1'
['-c', 'tea>=1']
$ basename "$PWD"
cup
```

```bash
test -f kettle.py
grep -q green pyproject.toml
```

```console
$ "$PYTHON" -m pytest test_tea.py
...
1 passed in [..]
```
"""


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """A supervisor that is less patient."""
    with Supervisor(grace=0.1) as made:
        yield made


@pytest.fixture
def tea(project: Path, page: Write) -> Path:
    """A project with files that a reader of its page does not have, and that page."""
    (project / "examples").mkdir()
    (project / "examples/tests_of_tea.py").write_text(
        "import kettle\n\n\ndef test_tea():\n    assert kettle.SECONDS == 120\n"
    )
    (project / "pyproject.toml").write_text("[tool.other]\n")
    (project / "pytest.ini").write_text(
        "[pytest]\nmkdocs_blocks_types = false\nmkdocs_blocks_variables = PYTHON\n"
        "mkdocs_blocks_install = false\n"
    )
    return page(PAGE, "tea.md")


@pytest.fixture
def check(check: Check) -> Check:
    """Run the checker; blocks find an interpreter with pytest in a variable."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return check(*arguments, PYTHON=sys.executable, **variables)

    return run


@pytest.mark.usefixtures("tea")
def test_a_page_has_what_it_shows_and_nothing_else(check: Check) -> None:
    """Files are written under their titles, also those of the project; nothing is installed."""
    done = check("docs/tea.md")
    assert done.returncode == 0, done.stdout
    assert "docs/tea.md: 3 run, 5 checked, 0 excused" in done.stdout


@pytest.mark.parametrize("sandbox", ["sandbox: project\n", ""])
def test_a_copy_of_the_project_is_the_default(
    project: Path, page: Write, check: Check, sandbox: str
) -> None:
    """It has the project's files, and what has the title of one is an excerpt of it."""
    (project / "data.txt").write_text("one\ntwo\n")
    page(
        f"---\ntitle: One\n{sandbox}---\n\n"
        '```text title="data.txt"\ntwo\n```\n\n```console\n$ cat data.txt\none\ntwo\n```\n'
    )
    done = check()
    assert done.returncode == 0, done.stdout
    assert "docs/index.md: 1 run, 1 checked, 0 excused" in done.stdout


@pytest.mark.parametrize(
    ("front", "line", "said"),
    [
        ("title: x\nsandbox: emtpy", 3, "there is no sandbox 'emtpy': write `sandbox: empty` for"),
        ("'sandbox': true\ntitle: x", 2, "there is no sandbox True: write `sandbox: empty` for"),
        ("sandbox:\ntitle: x", 2, "there is no sandbox None: write `sandbox: empty` for"),
        ("sandbox: [empty]", 2, "there is no sandbox ['empty']: write `sandbox: empty` for"),
        ("title: x: y\nsandbox: empty", 3, "the front matter is not valid YAML: readers see it"),
    ],
)
def test_an_unknown_sandbox_is_one_line(
    page: Write, check: Check, front: str, line: int, said: str
) -> None:
    """The line of the key is told with what to write, and no block of the page is run."""
    page(f"---\n{front}\n---\n\n```console\n$ echo right\nwrong\n```\n")
    done = check()
    assert done.returncode == 1
    told = re.findall(r"^docs/index\.md:\d+: .*$", done.stdout, re.MULTILINE)
    assert [text for text in told if text.startswith(f"docs/index.md:{line}: {said}")] == told
    assert len(told) == 1


def test_a_sandbox_of_another_meaning_can_be_softened(
    project: Path, page: Write, check: Check
) -> None:
    """Then the page runs in a copy of the project."""
    (project / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_soften = sandbox: it is a toy\n")
    page("---\nsandbox: with a spade\n---\n\n```console\n$ ls mkdocs.yml\nmkdocs.yml\n```\n")
    done = check()
    assert done.returncode == 0, done.stdout
    assert "docs/index.md: 1 run, 0 checked, 0 excused, 1 softened" in done.stdout


def test_a_python_block_without_a_title_is_refused(page: Write, check: Check) -> None:
    """There is no environment for it; the line says to give it a title."""
    page(f"{EMPTY}```console\n$ true\n```\n\n```python\nassert True\n```\n")
    done = check()
    assert done.returncode == 1
    assert (
        "docs/index.md:9: a Python block without a title cannot be run in an empty sandbox, which "
        'has no environment: give it a title="….py" and run that file in a console block\n'
    ) in done.stdout
    assert " 1 failed, 1 passed" in done.stdout


FALSE_PAGES = {
    # What is changed: (old, new, the line that the failure names, what it says)
    "syntax": ("SECONDS = 120", "SECONDS = ", "SECONDS = ", "kettle.py is not valid Python"),
    "a value": ("SECONDS = 120", "SECONDS = 12", "1 passed", "exited with status 1"),
    "a name": ("SECONDS = 120", "SECOND = 120", '--8<-- "examples', "test_tea.py: Module has no"),
    "toml": (
        'kinds = ["green"]',
        "kinds = green",
        "kinds = green",
        "pyproject.toml is not valid",
    ),
    "a section": ("[pytest]", "[pytst]", "[pytst]", "has just one section, [pytest]"),
    "an option": ("addopts = -q", "addopt = -q", "addopt = -q", "Unknown config option: addopt"),
    "a file": ("kettle.py\npyproject", "pyproject", "pyproject.toml", "printed something else"),
    "a quote": ("```text\ntest_tea", "```text\nno_tea", "no_tea.py", "no command of this page"),
    "a script": ("grep -q green", "grep -q black", "grep -q black", "exited with status 1"),
}


def test_a_false_block_fails_at_its_line(tea: Path, page: Write, check: Check) -> None:
    """Blocks are checked as elsewhere, and the files of the folder find each other."""
    settings = tea.parents[1] / "pytest.ini"
    settings.write_text(settings.read_text().replace("types = false", "types = true"))
    wanted = {}
    for number, (old, new, named, said) in enumerate(FALSE_PAGES.values()):
        assert PAGE.count(old) == 1
        text = PAGE.replace(old, new)
        if "Module" in said:  # mypy reads what is there: the module comes first
            shown = '```python title="kettle.py"\nSECOND = 120\n```\n\n'
            text = text.replace(shown, "").replace("```python", f"{shown}```python", 1)
        page(text, f"false{number}.md")
        lines = text.split("\n")
        at = next(n for n, line in enumerate(lines, start=1) if line.startswith(named))
        if named == "1 passed":
            at -= 2
        wanted[f"docs/false{number}.md:{at}"] = said
    done = check(*(place.partition(":")[0] for place in wanted))
    for place, said in wanted.items():
        assert re.search(rf"^{re.escape(place)}: .*{re.escape(said)}", done.stdout, re.MULTILINE), (
            place,
            said,
        )


def test_what_uv_says_of_an_installation_is_no_output(page: Write, check: Check) -> None:
    """A reader who has the packages already does not see it, and one who has not does."""
    says = (
        r"printf 'warning: `tea==1` is yanked (reason: \"too hot\")\nDownloading tea (2.5MiB)\n"
        r" Downloaded tea\nInstalled 3 packages in 2ms\n'"
    )
    page(
        f"{EMPTY}```console\n$ {says}; echo tea\ntea\n$ {says}\n$ {says}\n...\nInstalled 3 [..]\n"
        f"$ echo tea; {says}\ntea\n```\n"
    )
    done = check()
    assert re.findall(r"^docs/index\.md:\d+: `[^;]*", done.stdout, re.MULTILINE) == [
        "docs/index.md:13: `echo tea"
    ]
    page(f"```console\n$ {says}; echo tea\ntea\n```\n", "other.md")
    assert "docs/other.md:3: `printf" in check("docs/other.md").stdout


def test_a_module_may_be_made_by_a_command(project: Path, page: Write, check: Check) -> None:
    """Mypy does not miss what a later command generates into a folder of the page."""
    (project / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_types = true\n")
    page(
        f'{EMPTY}```python title="chat/__init__.py"\n"""Chat."""\n```\n\n'
        '```python title="say.py"\nfrom chat import made\n\nprint(made.WORD)\n```\n\n'
        "```console\n$ echo 'WORD = 1' > chat/made.py\n$ python3 say.py\n1\n```\n"
    )
    done = check()
    assert done.returncode == 0, done.stdout


def test_the_environment_is_a_readers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, supervisor: Supervisor
) -> None:
    """No environment of Python is on the PATH or named; the caches of installers stay."""
    environments = [tmp_path / name for name in ("own", "other")]
    for environment in environments:
        (environment / "bin").mkdir(parents=True)
        (environment / "pyvenv.cfg").write_text("")
    cache = tmp_path / "cache"
    cache.mkdir()
    path = ":".join([*(f"{environment}/bin" for environment in environments), "/usr/bin", "/bin"])
    monkeypatch.setattr(sys, "prefix", str(environments[0]))
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("UV_CACHE_DIR", str(cache))
    monkeypatch.setenv("UV_OFFLINE", "1")
    for name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "PYTHONPATH"):
        monkeypatch.setenv(name, str(environments[0]))
    assert visible_variables(empty=True)["PATH"] == "/usr/bin:/bin"
    with Sandbox(None, supervisor) as made:
        (run,) = made.console(["env; ls -A; ls -A ~"], seconds=60).runs
        assert Path(made.environment["HOME"]).is_relative_to(made.root.parent)
    seen = dict(line.split("=", 1) for line in run.text.splitlines() if "=" in line)
    assert (seen["UV_CACHE_DIR"], seen["UV_OFFLINE"]) == (str(cache), "1")
    assert [name for name, value in seen.items() if str(environments[0]) in value] == []
    assert str(cache) in made.places


def test_uv_is_there_also_when_only_the_checkers_environment_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, supervisor: Supervisor
) -> None:
    """A reader has it elsewhere; nothing else of that environment comes with it."""
    own = tmp_path / "own" / "bin"
    own.mkdir(parents=True)
    (own.parent / "pyvenv.cfg").write_text("")
    for name in ("uv", "pytest"):
        (own / name).write_text(f"#!/bin/sh\necho this is {name}\n")
        (own / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{own}:/usr/bin:/bin")
    with Sandbox(None, supervisor) as made:
        runs = made.console(["uv", "command -v pytest"], seconds=60).runs
    assert runs[0].text == "this is uv\n"
    assert str(own) not in runs[1].text


def test_pages_stay_whole_in_parallel(tea: Path, page: Write, check: Check) -> None:
    """Each page has a folder of its own in its worker, of the kind that it asks for."""
    page(tea.read_text(), "copy.md")
    page("```console\n$ ls mkdocs.yml\nmkdocs.yml\n```\n", "project.md")
    (tea.parents[1] / "pytest.ini").write_text("[pytest]\nmkdocs_blocks_variables = PYTHON\n")
    done = check("-n", "2", "--dist", "load")
    assert done.returncode == 0, done.stdout
    assert "17 blocks on 3 pages: 7 run, 10 checked" in done.stdout


@pytest.mark.usefixtures("tea")
def test_an_output_is_accepted(page: Write, check: Check) -> None:
    """`--bless-docs` writes it into the page, without what uv says of an installation."""
    text = f"{EMPTY}```console\n$ echo 'Installed 3 packages in 2ms'; ls -A; echo new\nold\n```\n"
    path = page(text)
    done = check("--bless-docs", "docs/index.md")
    assert done.returncode == 0, done.stdout
    assert path.read_text() == text.replace("\nold\n", "\nnew\n")


@pytest.mark.usefixtures("tea")
def test_a_baseline_lists_its_blocks(page: Write, check: Check) -> None:
    """What fails there is listed, and is proven when the page shows the file."""
    text = f"{EMPTY}```console\n$ cat cup.txt\ntea\n```\n"
    page(text)
    assert "1 not proven yet" in check("--docs-baseline").stdout
    assert "docs/index.md: 0 run, 0 checked, 0 excused, 1 in the baseline" in check().stdout
    page(text.replace("```console", '```text title="cup.txt"\ntea\n```\n\n```console'))
    assert "docs/index.md:9: this is proven now" in check().stdout


@pytest.mark.usefixtures("tea")
def test_a_file_of_the_project_is_no_input(tea: Path, check: Check) -> None:
    """What the page does not show, its blocks cannot see: it is not run again for that."""
    assert check().returncode == 0
    (tea.parents[1] / "other.txt").write_text("other\n")
    assert "docs/tea.md: 0 run, 0 checked, 0 excused, 8 proven earlier" in check().stdout


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("docs/tea.md", "sandbox: empty\n", "sandbox: project\n"),
        ("examples/tests_of_tea.py", "== 120", "== 60 * 2"),
        ("docs/tea.md", "SECONDS = 120", "SECONDS = 60 * 2"),
        ("pytest.ini", "types = false", "types = true"),
    ],
)
def test_what_it_is_made_of_is_an_input(
    tea: Path, check: Check, name: str, old: str, new: str
) -> None:
    """The kind of sandbox, the snippets, the blocks and the settings."""
    assert check().returncode == 0
    path = tea.parents[1] / name
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    assert "proven earlier" not in check("docs/tea.md").stdout


@pytest.mark.usefixtures("tea")
def test_the_interpreter_on_the_path_is_an_input(tmp_path: Path, check: Check) -> None:
    """Nobody names it, but uv takes it."""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    path = f"{python.parent}:/usr/bin:/bin"
    assert check(PATH=path).returncode == 0
    assert "8 proven earlier" in check(PATH=path).stdout
    python.write_text(python.read_text() + "\n")
    assert "proven earlier" not in check(PATH=path).stdout


def test_a_page_within_a_page_has_a_sandbox_of_its_own(page: Write, check: Check) -> None:
    """The front matter of a page that is shown counts for its fences, at the lines of the page."""
    inner = "```python\nassert True\n```\n"
    page(f"{EMPTY}````markdown\n{inner}````\n", "one.md")
    page(f"````markdown\n{EMPTY}{inner}````\n", "two.md")
    page(f"````markdown\n---\nsandbox: none\n---\n\n{inner}````\n", "three.md")
    done = check()
    assert "docs/one.md:" not in done.stdout.replace("docs/one.md: 0 run, 1 checked", "")
    assert "docs/two.md:6: a Python block without a title cannot be run" in done.stdout
    assert "docs/three.md:3: there is no sandbox 'none'" in done.stdout


def test_what_is_shown_must_be_used(page: Write, check: Check) -> None:
    """By a command, by a run of pytest that is told no other file, or by a file that is used."""
    files = (
        '```python title="client.py"\nHOST = "127.0.0.1"\n```\n\n'
        '```python title="conftest.py"\nimport client\n```\n\n'
        '```python title="test_one.py"\ndef test_one() -> None:\n    assert True\n```\n\n'
    )
    command = '```console\n$ "$PYTHON" -m pytest -q {}\n...\n1 passed in [..]\n```\n'
    page(f"{EMPTY}{files}{command.format('')}", "true.md")
    two = files.replace("_one", "_two")
    page(f"{EMPTY}{files}{two}{command.format('test_two.py')}", "false.md")
    page(f"{EMPTY}{files.replace('import client', 'client = 1')}{command.format('')}", "idle.md")
    done = check("-o", "mkdocs_blocks_variables=PYTHON")
    said = re.findall(
        r"^docs/(\S+): no later block of this page uses (\S+): ", done.stdout, re.MULTILINE
    )
    assert said == [("false.md:13", "test_one.py"), ("idle.md:5", "client.py")]
