"""The guard keeps its promises, each shown against the same suite without it."""

import shutil
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

EXAMPLES = Path(__file__).parents[2] / "examples"
SUITE = EXAMPLES / "segfault" / "leaking_suite"
GUARD = ("-p", "grpc_guard")
ERROR = (*GUARD, "-o", "grpc_leaked_servers=error")

# Every suite begins so. The registry, which is torn down after the last event loop, calls the
# servers again; the list keeps them.
HEAD = """
import asyncio, threading, unittest
import grpc.aio, pytest, pytest_asyncio

kept = []

@pytest.fixture(scope="session", autouse=True)
def registry(call_again):
    yield
    call_again()

async def serve(new_server):
    server = new_server()
    kept.append(server)
    await server.start()
"""

PYTEST_ASYNCIO = """
@pytest_asyncio.fixture(scope="{scope}", loop_scope="{scope}")
async def worker(new_server):
    await serve(new_server)
    yield

@pytest.mark.asyncio(loop_scope="{scope}")
class TestWorker:
    async def test_first(self, worker):
        pass

    async def test_last(self, worker):
        pass
"""
ANYIO = """
@pytest.fixture(scope="module")
def anyio_backend():
    return {backend}

@pytest.fixture(scope="module")
async def worker(anyio_backend, new_server):
    await serve(new_server)
    yield

@pytest.mark.anyio
async def test_first(worker):
    pass

@pytest.mark.anyio
async def test_last(worker):
    pass
"""
UNITTEST = """
class TestWorker(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def from_pytest(self, new_server):
        self.new_server = new_server

    async def test_last(self):
        await serve(self.new_server)
"""
PLAIN = """
def test_last(new_server):
    {run}
"""
SUITES = {
    **{
        f"pytest-asyncio, {scope} loops": PYTEST_ASYNCIO.format(scope=scope)
        for scope in ("function", "class", "module", "package", "session")
    },
    "anyio": ANYIO.format(backend='"asyncio"'),
    "anyio on uvloop": ANYIO.format(backend='("asyncio", {"use_uvloop": True})'),
    "IsolatedAsyncioTestCase": UNITTEST,
    "asyncio.run": PLAIN.format(run="asyncio.run(serve(new_server))"),
    "asyncio.run in a thread": PLAIN.format(
        run="thread = threading.Thread(target=asyncio.run, args=(serve(new_server),)); "
        "thread.start(); thread.join()"
    ),
    "asyncio.Runner": PLAIN.format(
        run="\n    with asyncio.Runner() as runner: runner.run(serve(new_server))"
    ),
    "uvloop.run": PLAIN.format(run="import uvloop; uvloop.run(serve(new_server))"),
}


@pytest.fixture(autouse=True)
def _project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay out a project as a reader would: the guard lies next to conftest.py."""
    shutil.copy(EXAMPLES / "grpc_guard.py", pytester.path)
    shutil.copy(SUITE / "conftest.py", pytester.path)
    shutil.copy(SUITE / "pytest.ini", pytester.path)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


def leaking_suite(pytester: pytest.Pytester) -> None:
    """Add the suite of the pages: 24 tests leak a server each, one calls them all."""
    shutil.copy(SUITE / "test_worker.py", pytester.path)


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run the project's tests in a process of its own."""
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options, timeout=60)


def dies(pytester: pytest.Pytester) -> bool:
    """Whether the session is killed, or hangs, without the guard."""
    watchdog = ("-o", "faulthandler_timeout=4", "-o", "faulthandler_exit_on_timeout=true")
    try:
        result = run(pytester, *watchdog)
    except pytester.TimeoutExpired:  # so deep that not even faulthandler ends it
        return True
    return int(result.ret) < 0 or "Timeout (" in result.stderr.str()


@pytest.mark.parametrize("suite", SUITES)
def test_every_runner_is_guarded(pytester: pytest.Pytester, suite: str) -> None:
    """A server that outlives its loop kills the session; with the guard, only a warning is left."""
    pytester.makepyfile(HEAD + SUITES[suite])
    assert dies(pytester)
    result = run(pytester, *GUARD)
    tests = SUITES[suite].count("def test_")
    leaks = tests if "function loops" in suite else 1
    result.assert_outcomes(passed=tests, warnings=leaks)
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize("variant", sorted(p.name for p in (SUITE / "variants").glob("test_*.py")))
def test_every_way_to_leak_is_guarded(pytester: pytest.Pytester, variant: str) -> None:
    """No way to leak kills or hangs the session; what fails on purpose still fails."""
    shutil.copy(SUITE / "variants" / variant, pytester.path)
    result = run(pytester, *GUARD)
    outcomes = result.parseoutcomes()
    assert int(result.ret) >= 0
    assert outcomes.get("failed", 0) == (variant == "test_failing_test.py")
    assert outcomes.get("errors", 0) == (variant == "test_failing_fixture.py")
    assert ("warnings" in outcomes) == (variant != "test_yielded_port.py")


def test_switched_on_by_conftest(pytester: pytest.Pytester) -> None:
    """One line in conftest.py switches the guard on."""
    leaking_suite(pytester)
    assert dies(pytester)
    with (pytester.path / "conftest.py").open("a") as conftest:
        conftest.write('\npytest_plugins = ["grpc_guard"]\n')
    run(pytester).assert_outcomes(passed=25, warnings=24)


def test_names_fixture_address_and_line(pytester: pytest.Pytester) -> None:
    """The report says which fixture, for which test, at which address, created on which line."""
    pytester.makepyfile(
        """
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
    result = run(pytester, *GUARD, "-s")
    first, second = (line.split()[-1] for line in result.outlines if "PORT" in line)
    name = "test_names_fixture_address_and_line.py"
    message = (
        f"{name}:5: GrpcLeakWarning: The fixture 'worker', set up for {name}::test_uses_it, left a "
        f"grpc.aio server running on 127.0.0.1:{first}, localhost:{second} (created at {name}:5) "
        "when its event loop was about to close. Stop it in that loop: await server.stop(None)"
    )
    result.stdout.fnmatch_lines([f"*{message}"])


def test_names_the_test(pytester: pytest.Pytester) -> None:
    """A server that a test has created is the test's own leak."""
    pytester.makepyfile(HEAD + PLAIN.format(run="asyncio.run(serve(new_server))"))
    result = run(pytester, *GUARD)
    result.stdout.fnmatch_lines(
        ["*GrpcLeakWarning: test_names_the_test.py::test_last left a grpc.aio server running on *"]
    )


def test_names_code_outside_of_tests(pytester: pytest.Pytester) -> None:
    """A loop that closes while pytest collects has no test: the run's last lines tell its leak."""
    pytester.makepyfile(
        """
        import asyncio, grpc.aio

        async def start():
            server = grpc.aio.server()
            server.add_insecure_port("127.0.0.1:0")
            await server.start()
            return server

        kept = asyncio.run(start())
        """
    )
    result = run(pytester, *ERROR)
    result.stdout.fnmatch_lines(["Code outside of any test left a grpc.aio server running on *"])
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR)


def test_interrupted_run(pytester: pytest.Pytester) -> None:
    """After Ctrl-C, a session's loop closes in no test: the run's last lines tell its leak."""
    suite = SUITES["pytest-asyncio, session loops"]
    pytester.makepyfile(HEAD + suite.replace("pass", "raise KeyboardInterrupt"))
    result = run(pytester, *GUARD)
    result.stdout.fnmatch_lines(
        ["The fixture 'worker', set up for *::test_first, left a grpc.aio*"]
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_error_keeps_the_tests_own_result(pytester: pytest.Pytester) -> None:
    """With `error`, a test that leaks has passed and has an error at teardown."""
    leaking_suite(pytester)
    result = run(pytester, *ERROR)
    result.assert_outcomes(passed=25, errors=24)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_worker_answers?0?*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_error_where_the_loop_closes(pytester: pytest.Pytester, scope: str) -> None:
    """With a broader loop scope, the error is at the test where the loop closes."""
    pytester.makepyfile(HEAD + SUITES[f"pytest-asyncio, {scope} loops"])
    result = run(pytester, *ERROR, "-v")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*::test_last ERROR*", "The fixture 'worker', set up for *first*"])


def test_error_beside_a_failing_teardown(pytester: pytest.Pytester) -> None:
    """A teardown that fails by itself keeps its error, which tells the leak too."""
    pytester.makepyfile(
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
    result = run(pytester, *ERROR)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*OSError: the disk is full", "*test_both left a grpc.aio server*"]
    )


def test_ignore_says_nothing(pytester: pytest.Pytester) -> None:
    """With `ignore`, the servers are stopped all the same."""
    leaking_suite(pytester)
    result = run(pytester, *GUARD, "-o", "grpc_leaked_servers=ignore")
    result.assert_outcomes(passed=25, warnings=0)


def test_warning_filters_apply(pytester: pytest.Pytester) -> None:
    """A filter makes errors at teardown of the warnings; another one silences them."""
    leaking_suite(pytester)
    result = run(pytester, *GUARD, "-W", "error")
    result.assert_outcomes(passed=25, errors=24)
    assert "INTERNALERROR" not in result.stdout.str()
    ignoring = run(pytester, *GUARD, "-W", "error", "-W", "ignore::grpc_guard.GrpcLeakWarning")
    ignoring.assert_outcomes(passed=25)


@pytest.mark.parametrize("grace", ["0", "0.1"])
def test_server_that_hangs_while_stopping(pytester: pytest.Pytester, grace: str) -> None:
    """A stop() that never ends is cancelled after the grace period."""
    pytester.makepyfile(HEAD + PLAIN.format(run="asyncio.run(serve(new_server))"))
    with (pytester.path / "conftest.py").open("a") as conftest:
        conftest.write(
            """
import asyncio

stop = grpc.aio._server.Server.stop

async def stop_forever(server, grace):
    await stop(server, grace)
    await asyncio.Event().wait()

grpc.aio._server.Server.stop = stop_forever
pytest_plugins = ["grpc_guard"]
"""
        )
    result = run(pytester, "-o", f"grpc_leaked_servers_grace={grace}")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines([f"*It did not stop within {grace} s and was cancelled.*"])


def test_channels_are_reported(pytester: pytest.Pytester) -> None:
    """A channel left open when its loop closes is reported; one closed in any way is not."""
    pytester.makepyfile(
        """
        import asyncio, grpc.aio

        kept = []

        async def dial():
            kept.append(grpc.aio.insecure_channel("127.0.0.1:1"))
            closed = grpc.aio.insecure_channel("127.0.0.1:2")
            await closed.close()
            async with grpc.aio.insecure_channel("127.0.0.1:3") as left:
                kept.extend([closed, left])

        def test_dials():
            asyncio.run(dial())
        """
    )
    result = run(pytester, *ERROR)
    result.assert_outcomes(passed=1, errors=1)
    name = "test_channels_are_reported.py"
    message = (
        f"{name}::test_dials left a grpc.aio channel to 127.0.0.1:1 open (created at {name}:6) "
        "when its event loop was about to close. Close it in that loop: await channel.close()"
    )
    result.stdout.fnmatch_lines([message])
    assert "127.0.0.1:2" not in result.stdout.str()
    assert "127.0.0.1:3" not in result.stdout.str()


@pytest.mark.parametrize("options", [(), ("--forked",), ("-n", "2")], ids=str)
def test_nothing_happens_without_a_leak(
    pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    """A suite that stops its servers passes, in one process, forked and distributed."""
    leaking_suite(pytester)
    result = run(pytester, *ERROR, "--stopped", *options)
    result.assert_outcomes(passed=25, warnings=0)
    assert "grpc_guard" not in result.stdout.str()


def test_distributed_runs_are_guarded(pytester: pytest.Pytester) -> None:
    """Workers of xdist neither crash nor lose the warnings."""
    leaking_suite(pytester)
    assert run(pytester, "-n", "1").parseoutcomes()["failed"] == 1
    run(pytester, *GUARD, "-n", "1").assert_outcomes(passed=25, warnings=24)


def test_forked_runs_report_errors(pytester: pytest.Pytester) -> None:
    """A forked child reports its leak, too; pytest-forked hands on errors but no warnings."""
    leaking_suite(pytester)
    run(pytester, *ERROR, "--forked").assert_outcomes(passed=25, errors=24)


def test_inert_without_grpcio(pytester: pytest.Pytester) -> None:
    """Where grpc cannot be imported, the guard does nothing."""
    pytester.makeconftest('import sys\nsys.modules["grpc"] = None\npytest_plugins = ["grpc_guard"]')
    pytester.makepyfile("import asyncio\ndef test_runs():\n    asyncio.run(asyncio.sleep(0))")
    run(pytester, "-W", "error").assert_outcomes(passed=1)


@pytest.mark.parametrize(("module", "kinds"), [("_server", "servers"), ("_channel", "channels")])
@pytest.mark.parametrize("options", [(), ("-W", "error")], ids=str)
def test_unknown_grpcio(
    pytester: pytest.Pytester, module: str, kinds: str, options: tuple[str, ...]
) -> None:
    """A grpcio with other insides is said to be unknown; the suite runs as without the guard."""
    with (pytester.path / "conftest.py").open("a") as conftest:
        conftest.write(
            f"""
import sys
from types import ModuleType

sys.modules["grpc.aio.{module}"] = ModuleType("grpc.aio.{module}")
pytest_plugins = ["grpc_guard"]
"""
        )
    leaking_suite(pytester)
    result = run(pytester, "--stopped", *options)
    result.assert_outcomes(passed=25, warnings=0 if options else 1)
    result.stdout.fnmatch_lines([f"*grpc_guard does not know the {kinds} of grpcio *"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("grpc_leaked_servers=maybe", "'maybe', but must be one of: error, warn, ignore"),
        ("grpc_leaked_servers_grace=soon", "'soon', but must be a number of seconds, 0 or more"),
        ("grpc_leaked_servers_grace=-1", "'-1', but must be a number of seconds, 0 or more"),
        ("grpc_leaked_servers_grace=inf", "'inf', but must be a number of seconds, 0 or more"),
    ],
)
def test_bad_settings(pytester: pytest.Pytester, setting: str, message: str) -> None:
    """A setting that makes no sense is a usage error that names it and says what to write."""
    result = run(pytester, *GUARD, "-o", setting)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {setting.partition('=')[0]} is {message}"])


def test_leaves_grpcio_as_it_was(pytester: pytest.Pytester) -> None:
    """After the run, grpcio's and asyncio's methods are their own again."""
    pytester.makepyfile("def test_nothing(): pass")
    script = pytester.makepyfile(
        run_twice="""
        import asyncio, grpc.aio, pytest

        def methods():
            classes = (asyncio.Runner, grpc.aio._server.Server, grpc.aio._channel.Channel)
            return [dict(vars(one)) for one in classes]

        before = methods()
        during = []

        class Spy:
            def pytest_runtest_call(self):
                during.append(methods())

        code = pytest.main(["-p", "grpc_guard", "-p", "no:cacheprovider"], [Spy()])
        assert code == 0 and len(during) == 1
        assert during[0] != before
        assert methods() == before
        """
    )
    assert pytester.runpython(script).ret == 0
