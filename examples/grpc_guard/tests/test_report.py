"""What the guard says: one message for each line that leaks, and nothing that is not a leak."""

import re
import textwrap
import xml.etree.ElementTree as ET

import pytest

from examples.grpc_guard.tests.suites import HEAD, LEAK, PYTEST_ASYNCIO, Suite

pytest_plugins = ["pytester"]

# For a suite that has none of the fixtures of the others.
SERVE = """
async def serve():
    server = grpc.aio.server()
    await server.start()
    return server

def test_leaks():
    global server
"""
ERROR = ("-o", "grpc_leaked_servers=error")
STOP_IT = "Stop it in its event loop: await server.stop(None)"


# One leak, one message


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--forked",)], ids=str)
def test_one_line_is_one_message(suite: Suite, options: tuple[str, ...]) -> None:
    """The leaking suite, whose fixture lacks one line, gets one warning with a count."""
    suite.leak()
    result = suite.run(*options)
    result.assert_outcomes(passed=25, warnings=1)
    result.stdout.fnmatch_lines(
        [
            (
                "*conftest.py:*: GrpcLeakWarning: The fixture 'worker' left 24 grpc.aio servers "
                "running (created at conftest.py:*). Stop each in its event loop: *"
            ),
            "*24 tests: test_worker.py::test_worker_answers?0?, * and 21 more",
        ]
    )


def test_names_fixture_address_and_line(suite: Suite) -> None:
    """The message says which fixture, on which line, for which test, at which address."""
    suite.write(
        textwrap.dedent(
            """\
            import grpc.aio, pytest, pytest_asyncio

            @pytest_asyncio.fixture
            async def worker():
                server = grpc.aio.server()
                print("PORT", server.add_insecure_port("127.0.0.1:0"))
                print("PORT", server.add_insecure_port("localhost:0"))
                await server.start()
                yield server

            @pytest.mark.asyncio
            async def test_uses_it(worker):
                pass
            """
        )
    )
    result = suite.run("-s")
    first, second = (line.split()[-1] for line in result.outlines if "PORT" in line)
    result.stdout.fnmatch_lines(
        [
            (
                "*test_it.py:5: GrpcLeakWarning: The fixture 'worker' left a grpc.aio server "
                f"running (created at test_it.py:5). {STOP_IT}"
            ),
            "*1 test: test_it.py::test_uses_it",
            f"*address: 127.0.0.1:{first}, localhost:{second}",
        ],
        consecutive=True,
    )


def test_names_the_test(suite: Suite) -> None:
    """A server that a test has created is the test's own leak."""
    suite.write(HEAD + LEAK)
    suite.run().stdout.fnmatch_lines(
        ["*GrpcLeakWarning: test_it.py::test_leaks left a grpc.aio server running (created at *"]
    )


def test_names_what_only_its_own_task_keeps(suite: Suite) -> None:
    """A host that serves in a task of its own, and that nothing else keeps, is a leak."""
    suite.write(
        """
import asyncio, grpc.aio

class Host:
    def __init__(self):
        self.server = grpc.aio.server()
        self.server.add_insecure_port("127.0.0.1:0")
        self.task = asyncio.create_task(self.serve())

    async def serve(self):
        await self.server.start()
        await self.server.wait_for_termination()

async def forget():
    Host()
    await asyncio.sleep(0.1)

def test_forgets():
    asyncio.run(forget())

def test_next():
    import gc; gc.collect()
"""
    )
    result = suite.run()
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["*test_forgets left a grpc.aio server running*"])


CANCELLED = """
async def serve_until_cancelled(new_server):
    server = await serve(new_server)
    try:
        await server.wait_for_termination()
    finally:
        await server.stop({grace})

async def cancel_it(new_server):
    asyncio.all_tasks()  # as a debugger would
    stopped = await serve(new_server)
    await stopped.stop(None)
    task = asyncio.create_task(serve_until_cancelled(new_server))
    await asyncio.sleep(0.1)
    {cancel}

def test_cancels(new_server):
    asyncio.run(cancel_it(new_server))
"""


@pytest.mark.parametrize("grace", ["None", "5"])
def test_a_server_that_a_cancelled_task_stops_is_no_leak(suite: Suite, grace: str) -> None:
    """Who cancels what waits for a server's termination makes its stop() end as cancelled, too."""
    cancel = "task.cancel(); await asyncio.wait([task]); assert task.cancelled()"
    suite.write(HEAD + CANCELLED.format(grace=grace, cancel=cancel))
    suite.run(*ERROR).assert_outcomes(passed=1)


def test_a_server_that_is_being_stopped_is_no_leak(suite: Suite) -> None:
    """A stop that has begun before the loop ends is ended for it."""
    suite.write(
        HEAD
        + """
async def begin(new_server):
    server = await serve(new_server)
    kept.append(asyncio.ensure_future(server.stop(5)))
    await asyncio.sleep(0)

def test_begins(new_server):
    asyncio.run(begin(new_server))
"""
    )
    suite.run(*ERROR).assert_outcomes(passed=1)


def test_a_server_that_stops_with_all_other_tasks_is_a_leak(suite: Suite) -> None:
    """Where all tasks are cancelled at once, what waits for its calls is: a stop comes too late."""
    suite.write(
        HEAD
        + CANCELLED.format(grace="None", cancel="")
        + """
def test_cancels_by_hand(new_server):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(cancel_it(new_server))
    cancel_all(loop)
    loop.close()
"""
    )
    suite.run(*ERROR).assert_outcomes(passed=2, errors=2)


def test_names_code_outside_of_tests(suite: Suite) -> None:
    """A loop that is closed while pytest collects has no test."""
    suite.write(
        "import asyncio, grpc.aio\n"
        "async def start():\n"
        "    server = grpc.aio.server()\n"
        "    await server.start()\n"
        "    return server\n"
        "kept = asyncio.run(start())\n"
    )
    result = suite.run(*ERROR)
    result.stdout.fnmatch_lines(["Code outside of any test left a grpc.aio server running *"])
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR)


def test_names_the_suites_line_before_the_librarys(suite: Suite) -> None:
    """Where installed code creates the server, the line named is the suite's that called it."""
    library = suite.root / "venv" / "site-packages" / "wrapper"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text(
        "import grpc.aio\n\ndef new_server():\n    return grpc.aio.server()\n"
    )
    suite.configure(f"\nimport sys\nsys.path.insert(0, {str(library.parent)!r})\n")
    suite.write(
        HEAD
        + "\nimport wrapper\n\n"
        + "def test_leaks():\n    asyncio.run(serve(wrapper.new_server))\n"
    )
    line = HEAD.splitlines().index("    server = new_server()") + 1
    result = suite.run()
    result.stdout.fnmatch_lines(
        [
            (
                f"*test_it.py:{line}: GrpcLeakWarning: test_it.py::test_leaks left a grpc.aio "
                f"server running (created at test_it.py:{line}). {STOP_IT}"
            ),
            "*through wrapper/__init__.py:4",
        ],
        consecutive=True,
    )


@pytest.mark.parametrize("name", ["test_grpc_guard.py", "grpc/test_it.py"])
def test_names_a_file_that_is_called_like_the_guards_or_grpcios(suite: Suite, name: str) -> None:
    """Whose code a line is tells the place of its file, and not its name."""
    (suite.root / "grpc").mkdir()
    suite.write("import asyncio, grpc.aio\n" + SERVE + "\n    server = asyncio.run(serve())", name)
    result = suite.run("--import-mode=importlib", name)
    result.stdout.fnmatch_lines([f"*left a grpc.aio server running (created at {name}:*"])


# As errors


def test_error_keeps_the_tests_own_result(suite: Suite) -> None:
    """With `error`, a test that leaks passes, and is an error at teardown, told in full once."""
    suite.leak()
    result = suite.run(*ERROR)
    result.assert_outcomes(passed=25, errors=24)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_worker_answers?0?*"])
    assert sum("address: " in line for line in result.outlines) == 1
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("options", [("--forked",), ("-n", "1")], ids=str)
def test_errors_of_other_processes(suite: Suite, options: tuple[str, ...]) -> None:
    """A forked child and a worker report their leaks as errors, too."""
    suite.leak()
    suite.run(*ERROR, *options).assert_outcomes(passed=25, errors=24)


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_error_where_the_loop_closes(suite: Suite, scope: str) -> None:
    """With a broader loop scope, the error is at the test where the loop is closed."""
    suite.write(HEAD + PYTEST_ASYNCIO.format(scope=scope))
    result = suite.run(*ERROR, "-v")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*::test_last ERROR*", "*1 test: test_it.py::*::test_first"])


def test_error_of_a_test_that_is_run_again(suite: Suite) -> None:
    """Where only the last report of a test is shown, that one explains the leak."""
    suite.write(HEAD + LEAK)
    suite.configure(
        """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    runtestprotocol(item, log=False, nextitem=nextitem)
    item._initrequest()
    runtestprotocol(item, log=True, nextitem=nextitem)
    return True
"""
    )
    result = suite.run(*ERROR)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*address: 127.0.0.1:*"])


def test_error_stops_the_run_where_asked(suite: Suite) -> None:
    """With -x, the first test that leaks is the last."""
    suite.leak()
    suite.run(*ERROR, "-x").assert_outcomes(passed=1, errors=1)


def test_error_beside_a_failing_teardown(suite: Suite) -> None:
    """A teardown that fails by itself keeps its error, which tells the leak too."""
    suite.write(
        HEAD
        + """
@pytest.fixture
def broken():
    yield
    raise OSError("the disk is full")

def test_both(broken, new_server):
    asyncio.run(serve(new_server))
"""
    )
    result = suite.run(*ERROR)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*OSError: the disk is full", "*test_both left a grpc.aio server*"]
    )


def test_junit_and_annotations(suite: Suite) -> None:
    """In JUnit's XML the first line is the message; plugins find the suite's line as the place."""
    suite.write(HEAD + LEAK)
    suite.configure(
        """
def pytest_runtest_logreport(report):
    if report.failed:
        crash = report.longrepr.reprcrash
        entries = report.longrepr.reprtraceback.reprentries
        print("CRASH", crash.path, crash.lineno, entries[0].reprfileloc.lineno, crash.message)
"""
    )
    result = suite.run(*ERROR, "-s", "--junitxml=junit.xml")
    message = "test_it.py::test_leaks left a grpc.aio server running (created at conftest.py:36)"
    result.stdout.fnmatch_lines([f"*CRASH *conftest.py 36 36 {message}*"])
    error = ET.parse(suite.root / "junit.xml").find(".//error")  # noqa: S314 - our own
    assert error is not None
    assert error.attrib["message"] == f'failed on teardown with "{message}. {STOP_IT}"'
    assert "Traceback" not in str(error.text)


def test_interrupted_run(suite: Suite) -> None:
    """After Ctrl-C, a session's loop closes in no test: its leak is told all the same."""
    source = PYTEST_ASYNCIO.format(scope="session")
    suite.write(HEAD + source.replace("pass", "raise KeyboardInterrupt"))
    result = suite.run()
    result.stdout.fnmatch_lines(["*The fixture 'worker' left a grpc.aio server running*"])
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_collecting_says_nothing(suite: Suite) -> None:
    """With --collect-only, no test runs and none is accused; what is allowed is not judged."""
    suite.leak()
    result = suite.run("--co", "-o", "grpc_allowed_leaks=test_worker.py*: for reasons")
    assert "grpc_guard =" not in result.stdout.str()
    assert result.ret == pytest.ExitCode.OK


def test_ignore_says_nothing(suite: Suite) -> None:
    """With `ignore`, the servers are stopped all the same."""
    suite.leak()
    result = suite.run("-o", "grpc_leaked_servers=ignore")
    result.assert_outcomes(passed=25, warnings=0)


def test_warning_filters_apply(suite: Suite) -> None:
    """A filter makes errors at teardown of the leaks; another one silences them; a test's too."""
    suite.leak()
    result = suite.run("-W", "error")
    result.assert_outcomes(passed=25, errors=24)
    assert "INTERNALERROR" not in result.stdout.str()
    ignoring = suite.run("-W", "error", "-W", "ignore::grpc_guard.GrpcLeakWarning")
    ignoring.assert_outcomes(passed=25)
    suite.write(HEAD + '\n@pytest.mark.filterwarnings("ignore::grpc_guard.GrpcLeakWarning")' + LEAK)
    suite.run("-W", "error", "test_it.py").assert_outcomes(passed=1)


# Channels

CHANNELS = """
import asyncio, gc, grpc.aio, pytest

kept = []

class Client:
    def __init__(self, port):
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self.itself = self

async def dial(keep):
    kept.append(grpc.aio.insecure_channel("127.0.0.1:1")) if keep else None
    closed = grpc.aio.insecure_channel("127.0.0.1:2")
    await closed.close()
    async with grpc.aio.insecure_channel("127.0.0.1:3") as left:
        kept.extend([closed, left])
    Client(4)

async def close_at_the_end():
    channel = grpc.aio.insecure_channel("127.0.0.1:5")
    kept.append(channel)
    try:
        await asyncio.Event().wait()
    finally:
        await channel.close()

async def leave_a_task():
    kept.append(asyncio.ensure_future(close_at_the_end()))
    await asyncio.sleep(0)

@pytest.mark.parametrize("number", range(4))
def test_dials(number):
    asyncio.run(dial(number % 2))

def test_task():
    asyncio.run(leave_a_task())
"""


def test_channels_are_noted(suite: Suite) -> None:
    """A channel that is open and can be reached is a line after the summary, and no warning.

    One that was closed in any way, by a task that ends with its loop too, or that only a cycle
    keeps, is not told.
    """
    suite.write(CHANNELS)
    result = suite.run("-W", "error")
    result.assert_outcomes(passed=5, warnings=0)
    result.stdout.fnmatch_lines(
        [
            (
                "2 grpc.aio channels still open when the event loop was closed, opened at "
                "test_it.py:12 (2 times). Close it in its loop: await channel.close()"
            )
        ]
    )
    assert sum("grpc.aio channel" in line for line in result.outlines) == 1


@pytest.mark.parametrize(
    ("mode", "outcomes"),
    [
        ("ignore", {"passed": 5}),
        ("warn", {"passed": 5, "warnings": 1}),
        ("error", {"passed": 5, "errors": 2}),
    ],
)
def test_channels_have_a_setting(suite: Suite, mode: str, outcomes: dict[str, int]) -> None:
    """Channels can be warned of, and be errors, and be left alone, whatever servers are."""
    suite.write(CHANNELS)
    result = suite.run("-o", f"grpc_leaked_channels={mode}")
    assert result.parseoutcomes() == outcomes
    if mode != "ignore":
        result.stdout.fnmatch_lines(
            [
                "*test_dials?1? left a grpc.aio channel open (created at test_it.py:12). "
                "Close it in its event loop: await channel.close()"
                if mode == "error"
                else "*2 tests left 2 grpc.aio channels open (created at test_it.py:12). *"
            ]
        )
    assert "grpc_guard =" not in result.stdout.str()


def test_reports_do_not_depend_on_the_collector(suite: Suite) -> None:
    """Ten runs give one report: with the collector off, eager, late, or as it is."""
    reports = []
    for collector in (
        *("", "gc.disable()", "gc.freeze()"),
        *(f"gc.set_threshold({eagerness})" for eagerness in (1, 2, 5, 13, 50, 300, 2000)),
    ):
        suite.write(f"import gc\n{collector}\n{CHANNELS}")
        text = suite.run("-q").stdout.str()
        reports.append(re.sub(r"\d+\.\d+s", "", text))
    assert len(reports) == 10
    assert len(set(reports)) == 1


# What is allowed


def test_allowed_by_a_marker(suite: Suite) -> None:
    """A marker allows the leaks of its test; one whose test no longer leaks is told."""
    mark = "\n@pytest.mark.grpc_leak_allowed(reason='grpc/grpc#1')"
    suite.write(HEAD + mark + LEAK + mark + "\ndef test_mended():\n    pass\n")
    result = suite.run(*ERROR, "--strict-markers")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            (
                "@pytest.mark.grpc_leak_allowed of test_it.py::test_mended (grpc/grpc#1) allows a "
                "leak that no longer happens"
            )
        ]
    )
    assert sum("no longer happens" in line for line in result.outlines) == 1


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--forked",)], ids=str)
def test_one_marker_for_many_tests(suite: Suite, options: tuple[str, ...]) -> None:
    """A marker of a module or of a parametrized test has happened where one of its tests leaks."""
    suite.write(
        HEAD
        + "\npytestmark = pytest.mark.grpc_leak_allowed(reason='a library')\n"
        + "\n@pytest.mark.parametrize('number', range(3))\ndef test_stops(number):\n    pass\n"
        + LEAK
    )
    result = suite.run(*ERROR, *options)
    result.assert_outcomes(passed=4)
    assert "no longer happens" not in result.stdout.str()


def test_what_is_allowed_is_not_stale_where_a_test_failed_before(suite: Suite) -> None:
    """A test that failed, or was skipped, may not have come as far as its leak."""
    mark = "\n@pytest.mark.grpc_leak_allowed(reason='grpc/grpc#1')"
    suite.write(
        HEAD
        + mark
        + "\ndef test_fails():\n    assert 0\n\ndef test_skips():\n    pytest.skip('x')\n"
    )
    allowed = [f"test_it.py::{test}: a reason" for test in ("test_fails", "test_skips")]
    result = suite.run("-o", "grpc_allowed_leaks=" + "\n".join(allowed))
    result.assert_outcomes(failed=1, skipped=1)
    assert "no longer happens" not in result.stdout.str()


def test_a_marker_needs_a_reason(suite: Suite) -> None:
    """Without a reason, the test is an error of one line."""
    suite.write(HEAD + "\n@pytest.mark.grpc_leak_allowed" + LEAK)
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["@pytest.mark.grpc_leak_allowed must say why: grpc_leak_allowed(reason='...')"]
    )


@pytest.mark.parametrize(
    "pattern",
    ["test_it.py::test_leaks[[]a]", "test_it.py::test_leaks[a]", "test_*.py*", "conftest.py"],
)
def test_allowed_by_a_pattern(suite: Suite, pattern: str) -> None:
    """A pattern allows the leaks of tests by their node ids, or of the file that opens."""
    one = "\n@pytest.mark.parametrize('one', ['a'])" + LEAK.replace(
        "(new_server)", "(new_server, one)", 1
    )
    suite.write(HEAD + one)
    result = suite.run(*ERROR, "-o", f"grpc_allowed_leaks={pattern}: a reason")
    result.assert_outcomes(passed=1)
    assert "no longer happens" not in result.stdout.str()


def test_a_pattern_that_is_not_needed(suite: Suite) -> None:
    """What is allowed and does not happen is told, unless nothing of it was run."""
    suite.write("def test_nothing(): pass", "test_other.py")
    suite.write(HEAD + "\ndef test_mended(): pass")
    allowed = ("-o", "grpc_allowed_leaks=test_it.py::*: a reason")
    line = "grpc_allowed_leaks: 'test_it.py::?' allows a leak that no longer happens"
    for options in ((), ("test_it.py",), ("-n", "1")):
        suite.run(*allowed, *options).stdout.fnmatch_lines([line])
    assert "no longer" not in suite.run(*allowed, "test_other.py").stdout.str()


# What the guard cannot look after


UNSEEN = """
@pytest.mark.parametrize("number", range(5))
def test_never_closes(new_server, number):
    asyncio.new_event_loop().run_until_complete(serve(new_server))

def test_thread(new_server):
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    asyncio.run_coroutine_threadsafe(serve(new_server), loop).result()

def test_closes_in_another_way(new_server):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serve(new_server))
    type(loop).close(loop)
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=str)
def test_what_it_cannot_see_is_told(suite: Suite, options: tuple[str, ...]) -> None:
    """Servers whose loop nobody closed, or not so that it could be noticed, are one line each."""
    suite.write(HEAD + UNSEEN)
    result = suite.run(*options)
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines_random(
        [
            (
                "Not looked after, because the event loop was never closed: 5 grpc.aio servers "
                "(test_it.py::test_never_closes?*?, * and 2 more)"
            ),
            (
                "Not looked after, because the event loop still runs: 1 grpc.aio server "
                "(test_it.py::test_thread)"
            ),
            (
                "Not looked after, because the event loop was closed past its close(): "
                "1 grpc.aio server (test_it.py::test_closes_in_another_way)"
            ),
        ]
    )


# Settings


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("grpc_leaked_servers=maybe", "'maybe', but must be one of: warn, error, ignore"),
        ("grpc_leaked_channels=maybe", "'maybe', but must be one of: note, warn, error, ignore"),
        ("grpc_leaked_servers_grace=-1", "-1*, but must be a number of seconds, 0 or more"),
        ("grpc_leaked_servers_grace=inf", "inf*, but must be a number of seconds, 0 or more"),
    ],
)
@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=str)
def test_bad_settings(suite: Suite, setting: str, message: str, options: tuple[str, ...]) -> None:
    """A setting that makes no sense is one line that names it and says what to write."""
    result = suite.run("-o", setting, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == result.errlines[:1]
    result.stderr.fnmatch_lines([f"ERROR: {setting.partition('=')[0]} is {message}"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("grpc_leaked_servers_grace=soon", "grpc_leaked_servers_grace must be a number of sec*"),
        ("grpc_allowed_leaks=no reason", "grpc_allowed_leaks has 'no reason', but each line *"),
    ],
)
def test_other_bad_settings(suite: Suite, setting: str, message: str) -> None:
    """So is what pytest itself refuses, and an allowance without a reason."""
    result = suite.run("-o", setting)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == result.errlines[:1]
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_a_value_that_a_newer_pytest_refuses(suite: Suite) -> None:
    """From 9.2 on pytest refuses a value in a way of its own, which need not name the setting."""
    suite.write(
        """
import pytest

getini = pytest.Config.getini

def getini_of_a_newer_pytest(config, name):
    try:
        return getini(config, name)
    except (TypeError, ValueError) as error:
        raise pytest.UsageError(str(error)) from error

pytest.Config.getini = getini_of_a_newer_pytest
""",
        "newer.py",
    )
    result = suite.run_plainly(
        "-p", "newer", "-p", "grpc_guard", "-o", "grpc_leaked_servers_grace=soon"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == result.errlines[:1]
    result.stderr.fnmatch_lines(["ERROR: grpc_leaked_servers_grace must be a number of seconds, *"])


INI = """
[pytest]
asyncio_mode = strict
grpc_leaked_servers = error
grpc_leaked_channels = ignore
grpc_leaked_servers_grace = 2
grpc_allowed_leaks =
    test_none.py*: no such file
    test_it.py::test_leaks: a reason
"""
TABLE = """
[tool.pytest{}]
asyncio_mode = "strict"
grpc_leaked_servers = "error"
grpc_leaked_channels = "ignore"
grpc_leaked_servers_grace = 2
grpc_allowed_leaks = ["test_none.py*: no such file", "test_it.py::test_leaks: a reason"]
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", INI),
        ("pyproject.toml", TABLE.format(".ini_options")),
        ("pyproject.toml", TABLE.format("")),
    ],
)
def test_every_kind_of_ini_file(suite: Suite, name: str, text: str) -> None:
    """The settings are read from an ini file and from both tables of a pyproject.toml."""
    if "[tool.pytest]" in text and pytest.version_tuple < (9,):
        pytest.skip("pytest before 9 does not read [tool.pytest]")
    (suite.root / "pytest.ini").unlink()
    (suite.root / name).write_text(text)
    suite.write(HEAD + LEAK + LEAK.replace("leaks", "leaks_too"))
    result = suite.run("--strict-config")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*test_leaks_too left a grpc.aio server running*"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("grpc_leaked_servers = true", "grpc_leaked_servers must be one of: *"),
        ('grpc_leaked_servers_grace = "5"', "grpc_leaked_servers_grace must be a number *"),
        ("grpc_leaked_servers_grace = false", "grpc_leaked_servers_grace must be a number *"),
        ('grpc_allowed_leaks = "a: b"', "grpc_allowed_leaks must be lines of *"),
    ],
)
def test_values_of_the_wrong_type(suite: Suite, line: str, message: str) -> None:
    """In pytest 9's table, a value of another type is one line."""
    if pytest.version_tuple < (9,):
        pytest.skip("pytest before 9 does not read [tool.pytest]")
    (suite.root / "pytest.ini").unlink()
    (suite.root / "pyproject.toml").write_text(f"[tool.pytest]\n{line}\n")
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == result.errlines[:1]
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_help_tells_the_settings(suite: Suite) -> None:
    """They are among the settings of pytest --help, the marker among those of --markers."""
    told = suite.run("--help").stdout.str()
    for setting in (
        "grpc_leaked_servers (string)",
        "grpc_leaked_channels (string)",
        "grpc_leaked_servers_grace (float)",
        "grpc_allowed_leaks (linelist)",
    ):
        assert setting in told
    assert "@pytest.mark.grpc_leak_allowed(reason):" in suite.run("--markers").stdout.str()
