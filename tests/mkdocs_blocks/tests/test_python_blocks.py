"""Python blocks: what they find, which line is told, and that none excuses or outlives itself."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest
from mkdocs_blocks import python_blocks
from mkdocs_blocks.block import Block, BlockError
from mkdocs_blocks.processes import Supervisor
from mkdocs_blocks.python_blocks import BareCarrier, ConftestError, PythonBlocks

PAGE = "docs/guide.md"
FENCE = 10
"""The line of the fence of each block."""


@dataclass
class Box:
    """A page's sandbox, as far as Python blocks need one."""

    root: Path
    python: Path = Path(sys.executable)
    environment: Mapping[str, str] = field(
        default_factory=lambda: {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "LC_ALL": "C.UTF-8",
        }
    )


@dataclass
class Page:
    """A page whose blocks are run one after the other."""

    box: Box
    blocks: PythonBlocks
    shown: list[str] = field(default_factory=list)

    def show(self, title: str, text: str) -> None:
        """Show a file."""
        path = self.box.root / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        if path.name == "conftest.py":
            self.shown.append(title)

    def run(
        self,
        text: str,
        *,
        fixture: str = "",
        seconds: float = 60,
        lines_at: Sequence[int] | None = None,
    ) -> str:
        """Run a block; return what it printed."""
        lines = tuple(dedent(text).strip("\n").split("\n"))
        at = range(FENCE + 1, FENCE + 1 + len(lines)) if lines_at is None else lines_at
        block = Block(
            place=0,
            line=FENCE,
            language="python",
            lexer="python",
            kind="python",
            options={"fixture": fixture} if fixture else {},
            lines=lines,
            lines_at=tuple(at),
        )
        return self.blocks.run(block, page=PAGE, conftests=self.shown, seconds=seconds)

    def fails(
        self,
        text: str,
        *,
        fixture: str = "",
        seconds: float = 60,
        lines_at: Sequence[int] | None = None,
    ) -> BlockError:
        """Run a block that fails; return how."""
        with pytest.raises(BlockError) as raised:
            self.run(text, fixture=fixture, seconds=seconds, lines_at=lines_at)
        return raised.value


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """What starts the carriers."""
    with Supervisor() as supervisor:
        yield supervisor


@pytest.fixture(scope="module")
def bare(supervisor: Supervisor) -> Iterator[BareCarrier]:
    """What the pages of all tests share."""
    bare = BareCarrier(supervisor)
    yield bare
    bare.close()


@pytest.fixture
def page(tmp_path: Path, supervisor: Supervisor, bare: BareCarrier) -> Iterator[Page]:
    """A page with an empty sandbox."""
    root = tmp_path.resolve() / "project"
    (root / PAGE).parent.mkdir(parents=True)
    (root / PAGE).write_text("# Guide\n")
    box = Box(root)
    page = Page(box, PythonBlocks(box, supervisor, bare=bare))
    yield page
    page.blocks.close()


STRICT = "filterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"


# What a block finds.


def test_a_true_block_gives_what_it_printed(page: Page) -> None:
    """Both streams, in the order in which they are printed."""
    text = "import sys\nprint('one')\nprint('two', file=sys.stderr)\nprint('three')"
    assert page.run(text) == "one\ntwo\nthree\n"


def test_a_block_is_carried_by_pytest_markdown_docs(page: Page) -> None:
    """It is an item of that plugin's, of the page's file."""
    page.show(
        "conftest.py",
        """
        def pytest_runtest_setup(item):
            print(type(item).__module__, item.nodeid)

        def pytest_markdown_docs_globals():
            return {"answer": 42}
        """,
    )
    printed = page.run("assert answer == 42")
    assert printed.startswith(f"pytest_markdown_docs.plugin {PAGE}::")
    (page.box.root / PAGE).unlink()
    assert page.run("assert answer == 42").startswith("pytest_markdown_docs.plugin guide.md::")


def test_a_block_imports_what_the_page_has_shown(page: Page) -> None:
    """A module of the sandbox, found as `python -m pytest` finds it."""
    page.show("server.py", "PORT = 1\n")
    page.run("import server\nassert server.PORT == 1")


def test_a_module_that_was_changed_within_a_second_is_the_new_one(page: Page) -> None:
    """No bytecode of the sandbox's modules is kept: it tells sources apart by size and second."""
    for port in range(1, 4):
        page.show("server.py", f"PORT = {port}\n")
        page.run(f"import server\nassert server.PORT == {port}")


def test_nothing_of_the_checker_is_on_the_path(page: Page) -> None:
    """The sandbox is first, and the folder of the carrier is not there."""
    printed = page.run("import sys\nprint(*sys.path, sep='\\n')").splitlines()
    assert printed[0] == str(page.box.root)
    assert str(Path(python_blocks.__file__).parent) not in printed


def test_a_file_of_the_page_hides_a_package_that_pytest_has_imported(page: Page) -> None:
    """As for a reader, who would be surprised too."""
    page.run("import pluggy\nassert hasattr(pluggy, 'HookimplMarker')")
    page.show("pluggy.py", "MINE = True\n")
    page.run("import pluggy\nassert pluggy.MINE")


def test_a_block_is_a_script(page: Page) -> None:
    """What a reader runs under `__main__` is run."""
    assert page.run("if __name__ == '__main__':\n    print('main')") == "main\n"
    page.run("import pickle\nclass A: pass\nassert type(pickle.loads(pickle.dumps(A()))) is A")


def test_a_block_works_in_the_sandbox_with_its_variables_alone(page: Page) -> None:
    """Neither the folder nor the environment of the checker."""
    os.environ["MKDOCS_BLOCKS_TEST"] = "1"
    try:
        page.run(
            f"""
            import os
            assert os.getcwd() == {str(page.box.root)!r}
            assert "MKDOCS_BLOCKS_TEST" not in os.environ
            assert os.environ["HOME"] == "/nonexistent"
            """
        )
    finally:
        del os.environ["MKDOCS_BLOCKS_TEST"]


# Fixtures.

PORT = "import pytest\n@pytest.fixture\ndef port():\n    return {}\n"


def test_a_block_asks_for_a_fixture_that_the_page_has_shown(page: Page) -> None:
    """Also of a folder's conftest.py, and several of them."""
    page.show("conftest.py", PORT.format(1))
    page.show(
        "demo/conftest.py", "import pytest\n@pytest.fixture\ndef stub(port):\n    return port"
    )
    page.run("assert (port, stub) == (1, 1)", fixture="port stub")


def test_of_two_fixtures_the_one_shown_last_counts(page: Page) -> None:
    """Whatever its folder is."""
    page.show("a/conftest.py", PORT.format(1))
    page.run("assert port == 1", fixture="port")
    page.show("b/conftest.py", PORT.format(2))
    page.run("assert port == 2", fixture="port")
    page.show("conftest.py", PORT.format(3))
    page.run("assert port == 3", fixture="port")
    page.show("a/conftest.py", PORT.format(4))
    page.run("assert port == 4", fixture="port")


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_a_fixture_may_live_longer_than_a_block(page: Page, scope: str) -> None:
    """Fixtures of every scope can be asked for, asynchronous ones too."""
    page.show("pytest.ini", "[pytest]\nasyncio_mode = auto\n")
    page.show(
        "demo/conftest.py",
        f"""
        import pytest
        import pytest_asyncio

        @pytest.fixture(scope="{scope}")
        def port():
            return 1

        @pytest_asyncio.fixture(scope="{scope}", loop_scope="{scope}")
        async def server():
            return 2
        """,
    )
    page.run("assert port + server == 3", fixture="port server")


def test_a_fixture_uses_the_one_that_it_replaces(page: Page) -> None:
    """As in a test of that folder."""
    page.show("conftest.py", PORT.format(1))
    page.show(
        "a/conftest.py", "import pytest\n@pytest.fixture\ndef port(port):\n    return port + 1"
    )
    page.run("assert port == 2", fixture="port")


def test_fixtures_of_two_folders_have_to_be_shown_together(page: Page) -> None:
    """A test sees one folder and those above it."""
    page.show("a/conftest.py", PORT.format(1))
    page.show("b/conftest.py", PORT.format(2).replace("port()", "stub()"))
    error = page.fails("pass", fixture="port stub")
    assert error.line == FENCE
    assert "'port' of a/conftest.py and 'stub' of b/conftest.py" in error.message or (
        "'stub' of b/conftest.py and 'port' of a/conftest.py" in error.message
    )
    page.run("assert stub == 2", fixture="stub")


def test_a_fixture_that_is_not_there_is_told_with_those_that_are(page: Page) -> None:
    """In one line, the page's own first."""
    page.show("demo/conftest.py", PORT.format(1))
    error = page.fails("pass", fixture="prot")
    assert error.line == FENCE
    assert error.message.startswith("there is no fixture 'prot': the page's are port; those of")
    assert "tmp_path" in error.message
    assert not error.details


def test_the_conftest_of_the_page_s_folder_is_in_force(page: Page) -> None:
    """As pytest-markdown-docs has it, also when the page does not show it."""
    page.show("docs/conftest.py", PORT.format(5).replace("fixture", "fixture(autouse=True)", 1))
    page.shown.clear()
    page.run("assert port == 5", fixture="port")


def test_capsys_has_what_the_block_prints(page: Page) -> None:
    """Though pytest-markdown-docs switches captures off while a block runs."""
    page.run("print('x')\nassert capsys.readouterr().out == 'x\\n'", fixture="capsys")


def test_a_fixture_that_fails_is_told_as_one(page: Page) -> None:
    """Before the block and after it, with the line of the conftest.py."""
    page.show(
        "conftest.py",
        """\
        import pytest

        @pytest.fixture
        def before():
            raise ValueError("no server")

        @pytest.fixture
        def after():
            yield
            assert 1 == 2

        @pytest.fixture
        def skips():
            pytest.skip("not today")
        """,
    )
    error = page.fails("pass", fixture="before")
    assert (error.line, error.message) == (
        FENCE,
        "ValueError: no server (in a fixture, before the block)",
    )
    assert '  File "conftest.py", line 5, in before' in error.details
    error = page.fails("pass", fixture="after")
    assert error.message == "AssertionError: assert 1 == 2 (in a fixture, after the block)"
    assert page.fails("pass", fixture="skips").message.startswith("Skipped: not today")


# await.


ASYNC_FIXTURE = """
    import asyncio
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def loop():
        yield asyncio.get_running_loop()
"""


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_a_block_awaits_in_the_loop_of_its_fixtures(page: Page, mode: str) -> None:
    """Whatever the mode of pytest-asyncio is."""
    page.show("pytest.ini", f"[pytest]\nasyncio_mode = {mode}\n{STRICT}")
    page.show("conftest.py", ASYNC_FIXTURE)
    text = "import asyncio\nawait asyncio.sleep(0)\nassert asyncio.get_running_loop() is loop"
    page.run(text, fixture="loop")
    page.run("import asyncio\nasync with asyncio.timeout(9):\n    pass")


def test_a_block_awaits_without_pytest_asyncio(page: Page) -> None:
    """By asyncio alone."""
    page.show("pytest.ini", "[pytest]\naddopts = -p no:asyncio\nfilterwarnings = error\n")
    error = page.fails(
        "import asyncio\nawait asyncio.sleep(0)\nassert await asyncio.sleep(0, False)"
    )
    assert error.line == FENCE + 3


def test_a_block_that_does_not_await_runs_its_own_loop(page: Page) -> None:
    """As most examples do."""
    page.show("pytest.ini", f"[pytest]\n{STRICT}")
    page.run("import asyncio\nasync def main():\n    return 1\nassert asyncio.run(main()) == 1")


# Failures.


def test_a_failure_is_told_at_the_line_of_the_block_that_raised(page: Page) -> None:
    """The last frame in the block, with a traceback that names the page."""
    error = page.fails(
        """
        import json

        def read(text):
            return json.loads(text)

        print("reading")
        read("{")
        """
    )
    assert error.line == FENCE + 4
    assert error.message.startswith("JSONDecodeError: ")
    shown = "\n".join(error.details)
    assert f'File "{PAGE}", line {FENCE + 7}, in <module>\n    read("{{")' in shown
    assert f'File "{PAGE}", line {FENCE + 4}, in read' in shown
    assert "json/decoder.py" in shown
    assert "It printed:\nreading" in shown
    assert not re.search(r"_pytest|pluggy|carrier|/site-packages|pytest_markdown_docs", shown)


def test_an_assertion_without_a_message_is_told_by_its_source(page: Page) -> None:
    """A reader sees which one is false."""
    error = page.fails("total = 2\nassert total == 3")
    assert (error.line, error.message) == (FENCE + 2, "AssertionError: assert total == 3")


def test_a_block_that_python_cannot_read_is_told_at_its_line(page: Page) -> None:
    """What has no line is told at the block."""
    error = page.fails("x = 1\ny = (\n")
    assert (error.line, error.message) == (FENCE + 2, "SyntaxError: '(' was never closed")
    error = page.fails("+".join(["1"] * 50_000))
    assert error.line == FENCE
    assert error.message.startswith(("RecursionError: ", "MemoryError", "the block was ended by"))


def test_lines_of_a_snippet_are_those_of_the_page(page: Page) -> None:
    """All lines of a snippet have the line that includes it."""
    error = page.fails("x = 1\nx = 2\nassert x == 3\nx = 4", lines_at=[11, 12, 12, 13])
    assert error.line == 12
    assert f'  File "{PAGE}", line 12, in <module>' in error.details


def test_the_one_exception_of_a_group_is_told(page: Page) -> None:
    """At the line where it was raised."""
    error = page.fails(
        """
        import asyncio

        async def fails():
            raise ValueError("no")

        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
        """
    )
    assert (error.line, error.message) == (FENCE + 4, "ValueError: no")


def test_the_ini_file_decides_on_warnings(page: Page) -> None:
    """`filterwarnings`, of the file that is shown last, and also for what is found at the end."""
    warns = "import warnings\nwarnings.warn('old')"
    leaves_open = "file = open('pyproject.toml')"
    page.show("pyproject.toml", "[tool.pytest.ini_options]\n")
    page.run(warns)
    page.run(leaves_open)
    page.show(
        "pyproject.toml",
        "[tool.pytest.ini_options]\nfilterwarnings = ['error']\n"
        "asyncio_default_fixture_loop_scope = 'function'\n",
    )
    error = page.fails(warns)
    assert (error.line, error.message) == (FENCE + 2, "UserWarning: old")
    assert page.fails(leaves_open).message.startswith("ResourceWarning: unclosed file")


def test_options_that_select_or_spread_tests_are_not_for_blocks(page: Page) -> None:
    """Those that decide what a test finds are: `-p`."""
    page.show(
        "pytest.ini",
        "[pytest]\naddopts = -n 2 --forked -x -k nothing --nonsense -p tools.plugin\n",
    )
    page.show("tools/plugin.py", PORT.format(7))
    page.run("assert port == 7", fixture="port")


# Exactly once.


def test_a_block_is_run_once(page: Page) -> None:
    """pytest-markdown-docs 0.9.2 runs one that raises TypeError a second time."""
    error = page.fails(
        """
        from pathlib import Path

        seen = Path("seen.txt")
        if not seen.exists():
            seen.write_text("")
            sum("a", 1)
        assert seen.exists()
        """
    )
    assert error.line == FENCE + 6
    assert error.message.startswith("TypeError: ")


def test_a_fork_that_goes_on_reports_nothing(page: Page) -> None:
    """What it does after the block is done once, by the process that was started for it."""
    page.show(
        "conftest.py",
        """
        import os
        import pytest

        @pytest.fixture
        def once():
            yield
            with open("after.txt", "a") as file:
                file.write("x")
        """,
    )
    page.run("import os\nif os.fork():\n    os.wait()", fixture="once")
    page.run("assert open('after.txt').read() == 'x'")


# Only success counts.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import pytest\npytest.skip('no')", "Skipped: no"),
        ("import pytest\npytest.importorskip('no_such')", "Skipped: could not import"),
        ("import pytest\npytest.xfail('no')", "XFailed: no"),
        ("import unittest\nraise unittest.SkipTest('no')", "SkipTest: no"),
        ("import pytest\npytest.exit('no', returncode=0)", "Exit: no"),
        ("import sys\nsys.exit(0)", "SystemExit: 0"),
        ("pass\nraise KeyboardInterrupt", "KeyboardInterrupt"),
        ("pass\nraise GeneratorExit", "GeneratorExit"),
        ("class Own(BaseException): pass\nraise Own", "Own"),
    ],
)
def test_a_block_does_not_excuse_itself(page: Page, text: str, message: str) -> None:
    """Whatever pytest makes of what it raises; the next block is run."""
    error = page.fails(text)
    assert (error.line, error.message.startswith(message)) == (FENCE + 2, True)
    page.run("pass")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os\nos._exit(0)", "the block ended its process with status 0 before its end"),
        ("import os\nos.kill(os.getpid(), 9)", "the block was ended by SIGKILL"),
        ("import os\nos.kill(0, 9)", "the block was ended by SIGKILL"),
        ("import os\nos.kill(os.getppid(), 9)\nwhile True: pass", "the block ended the process"),
        (
            "import os\nos.closerange(0, 65536)",
            "the block closed the pipe by which its end is told",
        ),
        ("import os\nos.execvp('true', ['true'])", "the block ended its process with status 0"),
    ],
)
def test_a_block_that_ends_its_process_is_false(page: Page, text: str, message: str) -> None:
    """Also with status 0, and with the process that carries it; the next block is run."""
    error = page.fails(text)
    assert (error.line, error.message.startswith(message)) == (FENCE, True), error.message
    page.run("pass")


def test_a_crash_is_told_at_its_line(page: Page) -> None:
    """As far as Python itself can tell."""
    error = page.fails("import ctypes\n\ndef crash():\n    ctypes.string_at(0)\n\ncrash()")
    assert (error.line, error.message) == (FENCE + 4, "the block was ended by SIGSEGV")


@pytest.mark.parametrize(
    "line",
    [
        "while True: pass",
        "import time; time.sleep(10_000)",
        "import threading; threading.Event().wait()",
    ],
)
def test_a_block_that_hangs_is_ended_at_its_line(page: Page, line: str) -> None:
    """Within its time, and told with it."""
    page.run("pass")
    error = page.fails(f"x = 1\n{line}", seconds=3)
    assert (error.line, error.message) == (FENCE + 2, "the block did not end within 3 s")
    page.run("pass")


def test_a_block_that_ignores_the_limit_is_killed(page: Page) -> None:
    """SIGABRT, which tells where it is, can be ignored."""
    page.run("pass")
    error = page.fails(
        "import signal\nsignal.signal(signal.SIGABRT, signal.SIG_IGN)\nwhile True: pass", seconds=3
    )
    assert error.message == "the block did not end within 3 s"


def test_endless_output_is_ended(page: Page) -> None:
    """Long before it fills the memory."""
    assert (
        page.fails("while True: print('x' * 1000)").message == "the block printed more than 8 MiB"
    )


def test_a_block_does_not_forge_its_report(page: Page) -> None:
    """Whatever it writes to whatever it finds open."""
    text = """
        import os
        for n in range(3, 1024):
            try:
                os.write(n, b'{"ok": true, "report": {"ok": true}, "status": 0, "trouble": ""}\\n')
            except OSError:
                pass
        os._exit(0)
        """
    assert page.fails(text).message == "the block ended its process with status 0 before its end"
    page.run("pass")


def test_a_process_that_is_left_is_named(page: Page) -> None:
    """And is gone before the next block."""
    error = page.fails(
        """
        import subprocess
        child = subprocess.Popen(["sleep", "12345"], start_new_session=True)
        open("pid", "w").write(str(child.pid))
        """
    )
    assert (error.line, error.message) == (FENCE, "the block left a process behind: sleep 12345")
    page.run(
        """
        import os
        try:
            os.kill(int(open("pid").read()), 0)
        except ProcessLookupError:
            pass
        else:
            assert False, "it lives"
        """
    )


def test_nothing_of_a_block_reaches_the_next(page: Page) -> None:
    """Variables, folder, patched modules, threads, names."""
    page.run(
        """
        import json, os, sys, threading
        os.environ["LEAK"] = "1"
        os.chdir("/")
        json.loads = None
        sys.path.clear()
        threading.Thread(target=threading.Event().wait).start()
        """
    )
    page.run(
        f"""
        import json, os, threading
        assert "LEAK" not in os.environ
        assert os.getcwd() == {str(page.box.root)!r}
        assert json.loads("1") == 1
        assert threading.active_count() == 1
        assert "sys" not in globals()
        """
    )


@pytest.mark.parametrize(
    "hook",
    [
        """
        import pytest

        @pytest.hookimpl(tryfirst=True, wrapper=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            report.outcome = "passed"
            return report
        """,
        """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(item, nextitem):
            return True
        """,
        """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_call(item):
            item.runtest = lambda: None
        """,
        """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_setup(item):
            pytest.skip("no")
        """,
        """
        def pytest_markdown_docs_markdown_it():
            import markdown_it
            return markdown_it.MarkdownIt()
        """,
        """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_teardown(item):
            pytest.exit("no", returncode=0)
        """,
    ],
)
def test_no_hook_of_a_page_makes_a_false_block_true(page: Page, hook: str) -> None:
    """Success is what the block itself reports, not what pytest says of it."""
    page.show("conftest.py", hook)
    page.fails("assert False")


# What a template depends on.


def test_a_conftest_that_is_shown_again_is_the_new_one(page: Page) -> None:
    """Also with the same length, and when a command has changed it."""
    for port in range(3):
        page.show("conftest.py", PORT.format(port))
        page.run(f"assert port == {port}", fixture="port")
    (page.box.root / "conftest.py").write_text(PORT.format(9))
    page.run("assert port == 9", fixture="port")


def test_a_file_that_a_conftest_has_read_is_read_anew(page: Page) -> None:
    """A module that it imports, a file that it opens, one that was not there."""
    page.show("settings.py", "PORT = 1\n")
    page.show("port.txt", "1")
    page.show(
        "conftest.py",
        """
        import pathlib
        import pytest
        import settings

        try:
            import extra
        except ImportError:
            extra = None
        text = pathlib.Path("port.txt").read_text()

        @pytest.fixture
        def ports():
            return settings.PORT, text, extra is not None
        """,
    )
    page.run("assert ports == (1, '1', False)", fixture="ports")
    page.show("settings.py", "PORT = 2\n")
    page.run("assert ports == (2, '1', False)", fixture="ports")
    page.show("port.txt", "2")
    page.run("assert ports == (2, '2', False)", fixture="ports")
    page.show("extra.py", "")
    page.run("assert ports == (2, '2', True)", fixture="ports")


def test_a_conftest_that_runs_a_program_is_read_for_each_block(page: Page) -> None:
    """What a program depends on is not known."""
    page.show(
        "conftest.py",
        """
        import subprocess
        import pytest

        said = subprocess.run(["cat", "said.txt"], capture_output=True, text=True).stdout

        @pytest.fixture
        def text():
            return said
        """,
    )
    for text in ("1", "2"):
        page.show("said.txt", text)
        page.run(f"assert text == {text!r}", fixture="text")


def test_pages_see_nothing_of_each_other(
    page: Page, tmp_path: Path, supervisor: Supervisor, bare: BareCarrier
) -> None:
    """Though they share what has imported pytest."""
    page.show("conftest.py", "import builtins\nbuiltins.LEAK = 1\n" + PORT.format(1))
    page.show("server.py", "")
    page.run("import server\nassert LEAK == 1")
    root = tmp_path.resolve() / "other"
    root.mkdir()
    other = Page(Box(root), PythonBlocks(Box(root), supervisor, bare=bare))
    other.run(
        """
        import builtins, sys
        assert not hasattr(builtins, "LEAK")
        assert "server" not in sys.modules
        """
    )
    assert "there is no fixture 'port'" in other.fails("pass", fixture="port").message
    other.blocks.close()
    page.run("assert LEAK == port == 1", fixture="port")


# A conftest.py or an ini file that is wrong.


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("x = 1\nimport no_such", "ModuleNotFoundError: No module named 'no_such'", 2),
        ("x = 1\nwhile True: pass", "did not end within 3 s", 2),
        ("import os\nos._exit(0)", "ended its process with status 0 before its end", 0),
        ("import ctypes\nctypes.string_at(0)", "was ended by SIGSEGV", 2),
        ("import sys\nsys.exit(0)", "SystemExit: 0", 2),
        ("x = (", "SyntaxError: '(' was never closed", 1),
        ("import pytest\npytest.skip('no', allow_module_level=True)", "Skipped: no", 2),
        ("import os\nos.system('setsid sleep 12345 &')", "left a process behind: sleep 12345", 0),
    ],
)
def test_a_conftest_that_fails_is_named(page: Page, text: str, message: str, at: int) -> None:
    """With its own line, so that the block that shows it can be told; the page goes on."""
    page.show("conftest.py", "")
    page.show("demo/conftest.py", text)
    error = page.fails("pass", fixture="tmp_path", seconds=3 if "3 s" in message else 60)
    assert isinstance(error, ConftestError)
    assert (error.title, error.line) == ("demo/conftest.py", FENCE)
    assert error.message.startswith(f"demo/conftest.py: {message}"), (error.message, error.details)
    assert error.at == at, error.details
    assert not [line for line in error.details if "carrier.py" in line or "_pytest/" in line]
    page.run("pass")
    page.show("demo/conftest.py", "")
    page.run("pass", fixture="tmp_path")


def test_the_conftest_of_the_root_is_in_force_for_each_block(page: Page) -> None:
    """Also for those that ask for no fixture of it."""
    page.show("conftest.py", "raise ValueError('not now')\n")
    error = page.fails("pass")
    assert isinstance(error, ConftestError)
    assert error.message == "conftest.py: ValueError: not now"


def test_an_ini_file_that_pytest_cannot_read_is_named(page: Page) -> None:
    """In one line, as pytest says it."""
    page.show("pytest.ini", "[pytest\n")
    error = page.fails("pass")
    assert isinstance(error, ConftestError)
    assert error.title == "pytest.ini"
    assert error.message.startswith("pytest.ini: pytest.ini:1: ")


# Environments.


def test_an_environment_without_pytest_is_told_in_one_line(
    tmp_path: Path, supervisor: Supervisor, bare: BareCarrier
) -> None:
    """With what to install."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    python.chmod(0o755)
    page = Page(Box(tmp_path, python), PythonBlocks(Box(tmp_path, python), supervisor, bare=bare))
    error = page.fails("pass")
    assert error.line == FENCE
    assert error.message == (
        "Python blocks need pytest 8 or later and pytest-markdown-docs in the sandbox "
        "(No module named 'pytest'): add pytest-markdown-docs to what the site's install command "
        "installs"
    )
    page.blocks.close()


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path, supervisor: Supervisor) -> None:
    """An install command that makes no environment."""
    box = Box(tmp_path, tmp_path / "python")
    page = Page(box, PythonBlocks(box, supervisor))
    assert "No such file" in page.fails("pass").message


def test_an_environment_of_its_own_has_a_carrier_of_its_own(
    tmp_path: Path, supervisor: Supervisor, bare: BareCarrier
) -> None:
    """The interpreter is the sandbox's."""
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    box = Box(
        tmp_path,
        python,
        {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    page = Page(box, PythonBlocks(box, supervisor, bare=bare))
    assert page.run("import sys\nprint(sys.executable)").strip() == str(python)
    page.blocks.close()
