"""What a run of the checker reports, on small sites."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Check = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

TRUE_PAGE = """\
---
title: A page that is true
---

```text title="Quoted before it is printed"
Fatal: it broke
...
in line 3
```

```python title="demo/conftest.py"
import pytest


@pytest.fixture
def answer() -> int:
    return 42
```

```python title="demo/test_answer.py"
def test_answer(answer: int) -> None:
    assert answer == 42
```

```ini title="demo/pytest.ini"
[pytest]
asyncio_mode = auto
```

!!! note

    ```console
    $ python -c "print('now Fatal: it broke'); print(2); print('in line 3')"
    now Fatal: it broke
    ...
    $ (exit 7)
    $ echo $?
    7
    ```

```bash
test -f demo/conftest.py
for name in demo/*.py; do
    cat $name > /dev/null
done
```

```toml title="settings.toml"
[tool]
lines = [
    "a",
    # ...
]
```

=== "Python"

    ```python
    from pathlib import Path

    assert (Path("demo") / "conftest.py").exists()
    ```

````markdown
```console
$ never run
```
````

```console title="Not run: it removes your files"
$ rm -rf /
```
"""

SETTINGS = """\
[tool]
lines = [
    "a",
    "b",
]
other = "a"
"""


@pytest.fixture
def true_page(project: Path, page: Write) -> Path:
    """A page on which everything is true, in a project that it shows a file of."""
    (project / "settings.toml").write_text(SETTINGS)
    return page(TRUE_PAGE, "true.md")


@pytest.mark.usefixtures("true_page")
def test_a_true_page_passes_and_is_counted(check: Check) -> None:
    """Each kind of block passes; the last lines count them by page and say the excused share."""
    done = check("-rs")
    assert done.returncode == 0, done.stdout
    assert "docs/true.md: 3 run, 6 checked, 1 excused" in done.stdout
    assert "10 blocks on 1 pages: 3 run, 6 checked, 1 excused (10%)" in done.stdout
    assert "it removes your files" in done.stdout


@pytest.mark.usefixtures("true_page")
def test_pages_stay_whole_in_parallel(page: Write, check: Check) -> None:
    """Blocks of one page run in one worker, also when xdist is told to spread them."""
    for number in range(2):
        page(TRUE_PAGE, f"copy{number}.md")
    done = check("-n", "2", "--dist", "load")
    assert done.returncode == 0, done.stdout
    assert "30 blocks on 3 pages: 9 run, 18 checked, 3 excused (10%)" in done.stdout


FALSE_PAGES = {
    # What is changed: (old, new, the line that the failure names, what it says)
    "a quote": ("line 3\n```", "line 4\n```", "in line 4", "no command of this page printed"),
    "syntax": ("-> int:", "-> int", "def answer() -> int", "is not valid Python"),
    "a key": ("asyncio_mode", "asyncio_mod", "asyncio_mod = auto", "no installed pytest plugin"),
    "a section": ("[pytest]\n", "[pytst]\n", "[pytst]", "has just one section, [pytest]"),
    "a digit": ("    7\n", "    8\n", "    8", "`echo $?` printed something else"),
    "a status": ("    $ echo $?\n    7\n", "", "    $ (exit 7)", "exited with status 7"),
    "an output": (
        "    now F",
        "    later F",
        "    later Fatal: it broke",
        "printed something else",
    ),
    "a command": ("    cat $", "    cta $", "    cta $name > /dev/null", "exited with status 127"),
    "an argument": ("test -f demo/con", "test -f con", "test -f conftest.py", "status 1"),
    "a value": ('"a",\n    #', '"c",\n    #', '    "c",', "has no such line here"),
    "a table": ("[tool]", "[loot]", "[loot]", "has no such line here"),
    "an assertion": (
        "assert (P",
        "assert not (P",
        '    assert not (Path("demo")',
        "AssertionError",
    ),
    "an import": ("from pathlib", "from pathlip", "    from pathlip import Path", "No module"),
    "an inner fence": (
        "```console\n$ never",
        "```consol\n$ never",
        "```consol",
        "unknown language",
    ),
    "an excuse": ("Not run: it", "Not rum: it", '```console title="Not rum', "say why the block"),
}


@pytest.mark.usefixtures("true_page")
def test_a_false_block_fails_at_its_line(page: Write, check: Check) -> None:
    """Whatever is changed, one failure names the page and the line that is not true."""
    wanted = {}
    for number, (changed, (old, new, named, _)) in enumerate(FALSE_PAGES.items()):
        assert TRUE_PAGE.count(old) == 1
        text = TRUE_PAGE.replace(old, new).replace("rm -rf /", "true")
        page(text, f"false{number}.md")
        lines = text.split("\n")
        line = next(n for n, line in enumerate(lines, start=1) if line.startswith(named))
        wanted[changed] = f"docs/false{number}.md:{line}"
    done = check(*wanted.values())
    failures = dict(re.findall(r"^(docs/false\d+\.md:\d+): (.*)$", done.stdout, re.MULTILINE))
    assert failures.keys() == set(wanted.values())
    for changed, (_, _, _, message) in FALSE_PAGES.items():
        assert message in failures[wanted[changed]]
    assert f" {len(FALSE_PAGES)} failed, " in done.stdout


def test_a_failure_shows_the_difference(page: Write, check: Check) -> None:
    """The message has the command, and a diff of the page with the run."""
    page("```console\n$ echo 7\n8\n$ true\n```\n", "true.md")
    done = check()
    assert (
        "docs/true.md:3: `echo 7` printed something else (- the page, + the run)\n- 8\n+ 7\n"
    ) in done.stdout
    assert "docs/true.md: 1 failed, 0 run, 0 checked, 0 excused" in done.stdout


def test_a_difference_is_what_a_command_has_printed(page: Write, check: Check) -> None:
    """A `diff` block is a quote: its lines, signs included, stand in some output of the page."""
    printed = "```console\n$ printf '@@ -1 +1,2 @@\\n one\\n+two\\n'\n...\n+two\n```\n"
    page(f'```diff title="Missing"\n one\n+two\n```\n\n{printed}', "true.md")
    page(f"```diff\n one\n-two\n```\n\n{printed}", "false.md")
    done = check()
    assert "docs/true.md: 1 run, 1 checked, 0 excused" in done.stdout
    assert "docs/false.md:3: no command of this page printed '-two' here" in done.stdout
    assert " 1 failed, 3 passed" in done.stdout


@pytest.mark.parametrize("language", ["bash", "sh", "shell"])
@pytest.mark.parametrize("prompt", ["$ ", "% ", "(venv) $ ", "ann@host:~/tea$ "])
def test_a_session_is_no_script(page: Write, check: Check, language: str, prompt: str) -> None:
    """A script that begins with a prompt fails, and the line says how a session is written."""
    page(f"```{language}\n{prompt}echo one\none\n```\n")
    done = check()
    said = ": a session with a prompt is written as ```console, with `$ ` before each command"
    assert f"docs/index.md:2: `{prompt}echo one` exited with status " in done.stdout
    assert said in done.stdout
    page(f"```{language}\nfalse\n# {prompt}echo one\n```\n")
    assert said not in check().stdout


def test_a_failure_names_the_line_of_the_shown_file(true_page: Path, check: Check) -> None:
    """A command that trips over a file of the page leads to that file's line on the page."""
    true_page.write_text(
        TRUE_PAGE
        + '\n```python title="demo/late.py"\nx = [1]\nprint(x[1])\n```\n'
        + "\n```console\n$ python demo/late.py\n```\n"
    )
    done = check()
    line = TRUE_PAGE.count("\n") + 4
    assert f"docs/true.md:{line}: this is line 2 of demo/late.py" in done.stdout


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        ("sleep 1003 &", "left a process behind: sleep 1003"),
        ("exit 4", "ended the shell with exit status 4"),
        ("sleep 1003", "did not end within 5 s"),
        ("read answer", "exited with status 1"),
    ],
)
def test_a_command_that_does_not_just_end_fails(
    page: Write, check: Check, command: str, trouble: str
) -> None:
    """A hang, a leftover process, an exit and a question each fail at the command's line."""
    page(f"```console\n$ true\n$ {command}\n```\n", "true.md")
    done = check("--docs-seconds", "5")
    assert f"docs/true.md:3: `{command}` {trouble}" in done.stdout


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("[x](nowhere.md)", "link 'nowhere.md'"),
        ("[x](#nowhere)", "link '#nowhere'"),
        ("[x](other.md#nowhere)", "link 'other.md#nowhere'"),
    ],
)
def test_a_dead_link_fails_at_its_line(page: Write, check: Check, link: str, message: str) -> None:
    """A page or an anchor that is not there is named with the line of the link, and once."""
    page("# Other\n\n[back](true.md)\n", "other.md")
    page(f"# True\n\ntext\n\n> {link}\n", "true.md")
    done = check()
    assert done.returncode == 1
    assert re.search(rf"^docs/true\.md:5: .*{re.escape(message)}", done.stdout, re.MULTILINE)
    assert "docs/other.md:" not in done.stdout


def test_a_missing_snippet_is_told_without_a_traceback(page: Write, check: Check) -> None:
    """MkDocs breaks off with a traceback; the page and the line are told, and nothing of that."""
    page('# True\n\n--8<-- "nowhere.md"\n', "true.md")
    done = check()
    assert done.returncode == 1
    assert re.search(r"^docs/true.md:3: .*nowhere\.md", done.stdout, re.MULTILINE)
    assert "Traceback" not in done.stdout


def test_a_page_out_of_the_navigation_fails(project: Path, page: Write, check: Check) -> None:
    """What is wrong with the navigation is told once, at its line of mkdocs.yml."""
    with (project / "mkdocs.yml").open("a") as config:
        config.write("nav: [other.md]\nvalidation: {omitted_files: warn}\n")
    page("# Other\n", "other.md")
    page("# True\n", "true.md")
    done = check()
    assert done.stdout.count("\nmkdocs.yml:13: the page true.md is not in the navigation") == 1
    assert done.returncode == 1


def test_a_file_that_nothing_uses_fails(page: Write, check: Check) -> None:
    """A file on a page must be what a later command works with."""
    page('```python title="idle.py"\nx = 1\n```\n', "true.md")
    done = check()
    assert "docs/true.md:1: no later block of this page uses idle.py" in done.stdout


@pytest.mark.usefixtures("true_page")
def test_one_block_can_be_asked_for(check: Check) -> None:
    """`page.md:line` runs the block around that line, with the files that come before it."""
    done = check("docs/true.md:41")
    assert "1 blocks on 1 pages: 1 run, 0 checked, 0 excused" in done.stdout
    assert "1 passed, 9 deselected" in done.stdout
    nothing = check("docs/true.md:2")
    assert nothing.returncode == pytest.ExitCode.USAGE_ERROR
    assert "docs/true.md:2: no block stands there: they stand at 5-9" in nothing.stdout


def test_blessing_rewrites_only_what_differs(true_page: Path, check: Check) -> None:
    """The new output replaces the old one in place; wildcards, indentation and the rest stay."""
    stale = TRUE_PAGE.replace("    7\n", "    8\n    old\n").replace(
        "    now Fatal: it broke\n    ...\n", "    now Fatal: it [..]\n    2\n"
    )
    true_page.write_text(stale)
    done = check("--bless-docs")
    assert done.returncode == 0, done.stdout
    assert true_page.read_text() == TRUE_PAGE.replace(
        "    now Fatal: it broke\n    ...\n",
        "    now Fatal: it [..]\n    2\n    in line 3\n",
    )
    assert check().returncode == 0


def test_blessing_does_not_accept_a_failing_command(page: Write, check: Check) -> None:
    """A status that the page does not announce is no output: the page stays as it is."""
    path = page("```console\n$ echo new; exit_with_an_error\n```\n", "true.md")
    done = check("--bless-docs")
    assert "docs/true.md:2: " in done.stdout
    assert path.read_text() == "```console\n$ echo new; exit_with_an_error\n```\n"


def test_a_broken_mkdocs_yml_is_a_usage_error(project: Path, check: Check) -> None:
    """An error in the configuration is told in one line."""
    (project / "mkdocs.yml").write_text("site_name: x\nmarkdown_extensions: 3\n")
    done = check()
    assert done.returncode != 0
    assert "ERROR: mkdocs.yml:2: markdown_extensions: Invalid" in done.stdout
    assert "Traceback" not in done.stdout
