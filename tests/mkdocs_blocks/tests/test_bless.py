"""Accepting outputs on pages of every shape: what changes, what is refused, and what is told."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
Check = Callable[..., Done]
Write = Callable[..., Path]

pytestmark = pytest.mark.xdist_group("bless")  # what they share is made once

MKDOCS = """\
site_name: A site
markdown_extensions:
  - def_list
  - pymdownx.snippets
  - pymdownx.superfences
  - pymdownx.tabbed: {alternate_style: true}
"""
TWO = r"$ printf 'one\ntwo\n'"

ACCEPTED: Mapping[str, tuple[bytes, bytes]] = {
    # Each page before and after.
    "crlf": (
        f"# T\r\n\r\n```console\r\n{TWO}\r\none\r\n```\r\n\r\nEnd.\r\n".encode(),
        f"# T\r\n\r\n```console\r\n{TWO}\r\none\r\ntwo\r\n```\r\n\r\nEnd.\r\n".encode(),
    ),
    "mark": (
        b"\xef\xbb\xbf```console\n$ echo new\nold\n```\n",
        b"\xef\xbb\xbf```console\n$ echo new\nnew\n```\n",
    ),
    "tab": (
        f"1. A\n\n\t```console\n\t{TWO}\n\tone\n\tTWO\n\t```\n\n2. B\n".encode(),
        f"1. A\n\n\t```console\n\t{TWO}\n\tone\n\ttwo\n\t```\n\n2. B\n".encode(),
    ),
    "quoted": (
        b"> ```console\n> $ printf 'a\\n\\nb\\n'\n> old\n> ```\n",
        b"> ```console\n> $ printf 'a\\n\\nb\\n'\n> a\n>\n> b\n> ```\n",
    ),
    "list": (
        b"- A\n\n    ```console\n    $ echo new\n    ```\n\n- B\n",
        b"- A\n\n    ```console\n    $ echo new\n    new\n    ```\n\n- B\n",
    ),
    "tabs": (
        f'=== "A"\n\n    ```console\n    {TWO}\n    ...\n    2\n    ```\n\n=== "B"\n'.encode(),
        f'=== "A"\n\n    ```console\n    {TWO}\n    ...\n    two\n    ```\n\n=== "B"\n'.encode(),
    ),
    "colours": (
        b"```console\n$ printf '\\033[31mred\\033[0m plain\\n'\nold\n```\n",
        b"```console\n$ printf '\\033[31mred\\033[0m plain\\n'\nred plain\n```\n",
    ),
    "no-newline": (
        b"```console\n$ echo new\nold\n```",
        b"```console\n$ echo new\nnew\n```",
    ),
    "time": (
        b"# T\n\n```console\n$ echo took 0.42s\ntook [..]\nmore [..]\n```\n",
        b"# T\n\n```console\n$ echo took 0.42s\ntook [..]\n```\n",
    ),
    "date": (
        b"# T\n\n```console\n$ echo on 2020-01-02\n```\n",
        b"# T\n\n```console\n$ echo on 2020-01-02\non 2020-01-02\n```\n",
    ),
}


def page(command: str) -> bytes:
    """Return a page with a command whose output is not what stands there."""
    return f"# T\n\n```console\n$ {command}\nold\n```\n".encode()


REFUSED: Mapping[str, tuple[bytes, str]] = {
    # Each page, which stays as it is, and what is told.
    "back-ticks": (
        page("echo '```'"),
        ":5: the output is not accepted: line 1 of the output begin",
    ),
    "dots": (page("echo ..."), ":5: the output is not accepted: line 1 of the output is `...`"),
    "wildcard": (page("echo 'a [..]'"), ":5: the output is not accepted: line 1 of the output has"),
    "prompt": (page("echo '$ ls'"), ":5: the output is not accepted: line 1 of the output begins"),
    "continued": (
        page("echo '> ls'"),
        ":5: the output is not accepted: line 1 of the output begins",
    ),
    "sandbox": (page("pwd"), ":5: the output is not accepted: line 1 of the output names a folder"),
    "environment": (
        page("python -c 'import sys; print(sys.prefix)'"),
        ":5: the output is not accepted: line 1 of the output names a folder",
    ),
    "backslash": (
        b"# T\n\n```console\n$ printf '%s\\n' one \\\n    two\none\ntwo\n```\n",
        ":4: the command is not complete (it ends in a backslash)",
    ),
    "here-document": (
        b"# T\n\n```console\n$ cat > x << 'END'\nalpha\nEND\n$ cat x\nalpha\n```\n",
        ":4: the command is not complete",
    ),
    "status": (page("echo new; false"), ":4: `echo new; false` exited with status 1"),
    "snippet": (
        b'# T\n\n--8<-- "part.md"\n',
        ":3: `echo new` printed something else; it is not accepted, since the page's own source",
    ),
}


class Blessed:
    """A site of all these pages, accepted in one run, and checked in the next."""

    def __init__(self, root: Path, checker: Check) -> None:
        """Let two workers accept the outputs."""
        self.docs = root / "docs"
        self.docs.mkdir(parents=True)
        (root / "mkdocs.yml").write_text(MKDOCS)
        (root / "part.md").write_text("```console\n$ echo new\nold\n```\n")
        for name, (before, _) in {**ACCEPTED, **REFUSED}.items():
            (self.docs / f"{name}.md").write_bytes(before)
        self.first = checker(root, "--bless-docs", "-n", "2")
        self.second = checker(root, "--docs")


@pytest.fixture(scope="module")
def blessed(tmp_path_factory: pytest.TempPathFactory, checker: Check) -> Blessed:
    """The two runs."""
    return Blessed(tmp_path_factory.mktemp("bless"), checker)


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_output_is_accepted_and_nothing_else_changes(blessed: Blessed, name: str) -> None:
    """Line ends, indentation, marks and wildcards stay; the page is true from then on."""
    assert (blessed.docs / f"{name}.md").read_bytes() == ACCEPTED[name][1]
    for done in (blessed.first, blessed.second):
        assert f"docs/{name}.md: 1 run" in done.stdout or f"docs/{name}.md: 0 run" in done.stdout
        assert f"docs/{name}.md:" not in done.stdout.replace(f"docs/{name}.md: ", "").replace(
            f"look at docs/{name}.md:", ""
        )


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_page_cannot_show_is_refused(blessed: Blessed, name: str) -> None:
    """The page stays as it is, and a line says why, and what to do; it fails from then on, too."""
    before, said = REFUSED[name]
    assert (blessed.docs / f"{name}.md").read_bytes() == before
    assert f"\ndocs/{name}.md{said}" in blessed.first.stdout
    assert f"docs/{name}.md: 1 failed" in blessed.second.stdout
    assert (blessed.docs.parent / "part.md").read_text() == "```console\n$ echo new\nold\n```\n"


def test_what_to_look_at_is_told_at_the_end(blessed: Blessed) -> None:
    """A worker's remarks, too: what was accepted and will differ, once each."""
    remarks = [
        line for line in blessed.first.stdout.splitlines() if line.startswith("accepted, but look")
    ]
    date, gone = sorted(remark.removeprefix("accepted, but look at ") for remark in remarks)
    assert date.startswith("docs/date.md:5: line 1 differs from run to run, it has a date: `2020-0")
    assert gone == "docs/time.md:5: before line 2, `more [..]` is gone"
    assert "accepted, but look" not in blessed.second.stdout


def test_a_page_that_cannot_be_written_is_one_line(
    project: Path, page: Write, check: Check
) -> None:
    """What a checkout that is only read does not let happen is told, and the run fails."""
    path = page("# T\n\n```console\n$ echo new\nold\n```\n")
    (project / "conftest.py").write_text(
        "import pathlib\n\nwrite = pathlib.Path.write_bytes\n\n\n"
        "def refuse(self, data):\n    if self.name == 'index.md':\n"
        "        raise PermissionError(13, 'Denied')\n    return write(self, data)\n\n\n"
        "pathlib.Path.write_bytes = refuse\n"
    )
    done = check("--bless-docs")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "\ndocs/index.md:5: the page cannot be written: Denied\n" in done.stdout
    assert path.read_text().endswith("old\n```\n")
