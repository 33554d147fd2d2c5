"""No server outlives its loop, whoever runs and closes it: neither a crash nor a hang is left."""

import shutil

import pytest

from examples.grpc_guard.tests.suites import HEAD, LEAK, LEAKING_SUITE, PYTEST_ASYNCIO, Suite

pytest_plugins = ["pytester"]

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
BY_HAND = """
def run(loop, coroutine):
    loop.run_until_complete(coroutine)
    cancel_all(loop)
    loop.close()

def test_last(new_server):
    {run}
"""

# Suites that die of one server whose loop is closed by ...
RUNNERS = {
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
    "hand": BY_HAND.format(run="run(asyncio.new_event_loop(), serve(new_server))"),
    "hand, uvloop": BY_HAND.format(
        run="import uvloop; run(uvloop.new_event_loop(), serve(new_server))"
    ),
    "hand, in a thread": BY_HAND.format(
        run="thread = threading.Thread(target=run, args=(asyncio.new_event_loop(), "
        "serve(new_server))); thread.start(); thread.join()"
    ),
    "hand, all_tasks imported by its name": "from asyncio import all_tasks\n"
    + BY_HAND.format(run="run(asyncio.new_event_loop(), serve(new_server))").replace(
        "cancel_all(loop)",
        "[task.cancel() for task in all_tasks(loop)]; loop.run_until_complete(asyncio.sleep(0.1))",
    ),
    "hand, while another loop runs": """
def in_a_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    thread.join()

async def close_another(new_server):
    loop = asyncio.new_event_loop()
    in_a_thread(loop.run_until_complete, serve(new_server))
    in_a_thread(cancel_all, loop)
    loop.close()

def test_last(new_server):
    asyncio.run(close_another(new_server))
""",
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_every_runner_is_guarded(suite: Suite, runner: str) -> None:
    """A server that outlives its loop kills the session; with the guard, one warning is left."""
    suite.write(HEAD + RUNNERS[runner])
    assert suite.dies()
    result = suite.run()
    result.assert_outcomes(passed=RUNNERS[runner].count("def test_"), warnings=1)
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    "variant", sorted(p.name for p in (LEAKING_SUITE / "variants").glob("test_*.py"))
)
def test_every_way_to_leak_is_guarded(suite: Suite, variant: str) -> None:
    """No way to leak kills or hangs the session; what fails on purpose still fails."""
    shutil.copy(LEAKING_SUITE / "variants" / variant, suite.root)
    result = suite.run()
    outcomes = result.parseoutcomes()
    assert int(result.ret) >= 0
    assert outcomes.get("failed", 0) == (variant == "test_failing_test.py")
    assert outcomes.get("errors", 0) == (variant == "test_failing_fixture.py")
    assert outcomes.get("warnings", 0) == (variant != "test_yielded_port.py")


def test_a_late_stop_is_safe(suite: Suite) -> None:
    """A server may be stopped from another loop, after the tasks of its own were cancelled."""
    suite.write(
        HEAD
        + """
def test_stops_late(new_server):
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(serve(new_server))
    cancel_all(loop)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(server.stop(None))
    loop.close()
"""
    )
    suite.run().assert_outcomes(passed=1, warnings=1)


def test_a_dropped_server_stays_harmless(suite: Suite) -> None:
    """A server that nothing keeps is stopped, and is nobody's leak, though its calls are kept."""
    suite.write(
        HEAD
        + """
async def drop(new_server):
    server = new_server()
    await server.start()

def test_drops(new_server, ports):
    asyncio.run(drop(new_server))
    with grpc.insecure_channel(f"127.0.0.1:{ports[-1]}") as channel:
        with pytest.raises(grpc.FutureTimeoutError):
            grpc.channel_ready_future(channel).result(timeout=0.2)
"""
    )
    suite.run().assert_outcomes(passed=1, warnings=0)


STUBBORN = """
class Stubborn:
    def __init__(self, core):
        self.core = core

    def __getattr__(self, name):
        return getattr(self.core, name)

    async def shutdown(self, grace):
        {body}

async def serve_stubbornly(new_server):
    server = new_server()
    server._server = Stubborn(server._server)
    kept.append(server)
    await server.start()

def test_leaks(new_server):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serve_stubbornly(new_server))
    cancel_all(loop)
    loop.close()
"""


AGAIN_AND_AGAIN = "while asyncio.get_running_loop().stop() is None: await asyncio.sleep(0)"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("await asyncio.Event().wait()", "It did not stop within 0.1 s"),
        ("raise OSError('no')", "Its stop failed: OSError('no')"),
        ("asyncio.current_task().cancel(); await asyncio.sleep(1)", "Its stop was cancelled"),
        (
            AGAIN_AND_AGAIN,
            "It could not be stopped: its event loop is stopped again and again",
        ),
    ],
)
def test_a_stop_that_does_not_succeed(suite: Suite, body: str, told: str) -> None:
    """The memory is kept all the same, so that a late client does no harm; the report says so."""
    suite.write(HEAD + STUBBORN.format(body=body))
    result = suite.run("-o", "grpc_leaked_servers_grace=0.1")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines([f"*{told}: what gRPC may still write to is kept in memory"])
    assert result.ret == pytest.ExitCode.OK


LEFT_OVER = """
def test_leaks(new_server):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serve(new_server))
    loop.call_soon(loop.stop)
    loop.close()

def test_innocent():
    gc.collect()
"""


def test_a_loop_that_was_asked_to_stop(suite: Suite) -> None:
    """What was left in the loop ends its own run; the server is stopped in the next."""
    suite.write(HEAD + LEFT_OVER)
    result = suite.run()
    result.assert_outcomes(passed=2, warnings=1)
    assert "kept in memory" not in result.stdout.str()


def test_a_stop_that_does_not_end_fails_no_innocent_test(suite: Suite) -> None:
    """The guard's own tasks, which the loop no longer runs, go without a warning."""
    innocent = "\ndef test_innocent():\n    gc.collect()\n"
    suite.write(HEAD + STUBBORN.format(body=AGAIN_AND_AGAIN) + innocent)
    result = suite.run("-W", "error", "-o", "grpc_leaked_servers=ignore")
    result.assert_outcomes(passed=2)
    assert "_Keeper" not in result.stderr.str()


NOT_AN_END = """
async def serve_on(new_server):
    server = new_server()
    await server.start()
    return server

class Shared(asyncio.SelectorEventLoop):
    def close(self):
        pass

    def really_close(self):
        super().close()

def test_of_a_class(new_server):
    loop = Shared()
    server = loop.run_until_complete(serve_on(new_server))
    loop.close()
    assert server._server.is_running()
    loop.run_until_complete(server.stop(None))
    loop.really_close()

def test_of_one_loop(new_server):
    loop = asyncio.new_event_loop()
    really_close, loop.close = loop.close, lambda: None
    server = loop.run_until_complete(serve_on(new_server))
    loop.close()
    assert server._server.is_running()
    loop.run_until_complete(server.stop(None))
    loop.close()
    assert not loop.is_closed()
    really_close()

def test_around(new_server):
    loop, closed = asyncio.new_event_loop(), []
    def close():
        closed.append(1)
        type(loop).close(loop)
    loop.close = close
    server = loop.run_until_complete(serve_on(new_server))
    loop.run_until_complete(server.stop(None))
    loop.close()
    loop.close()
    assert closed == [1, 1]
"""


def test_a_close_that_closes_nothing_is_not_the_end(suite: Suite) -> None:
    """A suite's own close() is not taken for the end where it is none, and stays where it was."""
    suite.write(HEAD + NOT_AN_END)
    suite.run("-W", "error").assert_outcomes(passed=3)


def test_ctrl_c_during_a_stop_that_hangs(suite: Suite) -> None:
    """The run ends as interrupted, its loop is closed, and the last lines tell the leak."""
    body = "import signal; signal.raise_signal(signal.SIGINT); await asyncio.Event().wait()"
    suite.write(HEAD + STUBBORN.format(body=body))
    result = suite.run("-o", "grpc_leaked_servers_grace=50")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*test_leaks left a grpc.aio server running*"])
    result.stdout.fnmatch_lines(["*Its stop was interrupted: what gRPC may still write to*"])


def test_grpcio_without_its_call_state(suite: Suite) -> None:
    """Where no RPCState can be found, servers are stopped before asyncio cancels their tasks."""
    suite.leak()
    suite.configure("\ndel grpc._cython.cygrpc.RPCState\n")
    # The client of the suite asks for the size of what the guard cannot find.
    source = (suite.root / "conftest.py").read_text()
    (suite.root / "conftest.py").write_text(source.replace("RPCState.__basicsize__", "240"))
    result = suite.run()
    result.assert_outcomes(passed=25, warnings=1)
    result.stdout.fnmatch_lines(
        ["grpc_guard does not know how grpcio * waits for calls (it has no RPCState): *"]
    )


@pytest.mark.parametrize(("module", "kinds"), [("_server", "servers"), ("_channel", "channels")])
@pytest.mark.parametrize("options", [(), ("-W", "error"), ("-n", "1")], ids=str)
def test_unknown_grpcio(suite: Suite, module: str, kinds: str, options: tuple[str, ...]) -> None:
    """A grpcio with other insides is said to be unknown; the suite runs as without the guard."""
    suite.configure(
        f"""
from types import ModuleType
sys.modules["grpc.aio.{module}"] = ModuleType("grpc.aio.{module}")
pytest_plugins = ["grpc_guard"]
""".replace("\nfrom", "\nimport sys\nfrom")
    )
    suite.leak()
    result = suite.run_plainly("--stopped", *options)
    result.assert_outcomes(passed=25, warnings=0)
    result.stdout.fnmatch_lines([f"grpc_guard does not know the {kinds} of grpcio *"])
    assert "INTERNALERROR" not in result.stdout.str()


def test_inert_without_grpcio(suite: Suite) -> None:
    """Where grpc cannot be imported, the guard does nothing."""
    (suite.root / "conftest.py").write_text('import sys\nsys.modules["grpc"] = None\n')
    suite.write("import asyncio\ndef test_runs():\n    asyncio.run(asyncio.sleep(0))")
    suite.run("-W", "error").assert_outcomes(passed=1)


def test_modules_that_fail_when_they_are_looked_at(suite: Suite) -> None:
    """What stands among the modules and cannot be looked at is left alone, and harms no server."""
    suite.configure(
        """
import sys, types

class Absent:
    def __getattribute__(self, name):
        raise ImportError("not installed")

class Late(types.ModuleType):
    def __getattribute__(self, name):
        raise ImportError("not installed either")

def pytest_sessionstart():
    sys.modules.update(absent=Absent(), late=Late("late"))
"""
    )
    suite.write(HEAD + LEAK)
    suite.run().assert_outcomes(passed=1, warnings=1)


def test_imports_no_grpcio(suite: Suite) -> None:
    """A suite that does not use grpcio does not pay for its import; a late one is noticed."""
    (suite.root / "conftest.py").unlink()
    suite.write(
        """
import asyncio, sys

def test_without():
    assert "grpc" not in sys.modules

def test_with():
    import grpc.aio

    async def serve():
        server = grpc.aio.server()
        server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server

    global server
    server = asyncio.run(serve())
"""
    )
    suite.run().assert_outcomes(passed=2, warnings=1)


def test_a_server_of_a_conftest(suite: Suite) -> None:
    """A plugin that is installed is at work before a conftest is imported."""
    suite.configure(
        """
import asyncio

async def serve():
    server = grpc.aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server

server = asyncio.run(serve())
"""
    )
    suite.write("def test_nothing(): pass")
    result = suite.run()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*Code outside of any test left a grpc.aio server running*"])


def test_nested_runs(suite: Suite) -> None:
    """A leak of a run inside a run is told by the inner one; the outer one goes on guarding."""
    suite.write(
        """
import asyncio, grpc.aio

pytest_plugins = ["pytester"]
kept = []

async def serve():
    server = grpc.aio.server()
    server.add_insecure_port("127.0.0.1:0")
    kept.append(server)
    await server.start()

def test_inner(pytester):
    pytester.makepyfile(test_inside="import asyncio, test_it\\n"
        "def test_leaks(): asyncio.run(test_it.serve())")
    pytester.makeini("[pytest]")
    result = pytester.runpytest_inprocess("-p", "grpc_guard", "-p", "no:asyncio")
    result.assert_outcomes(passed=1, warnings=1)

def test_outer():
    asyncio.run(serve())
"""
    )
    result = suite.run("--import-mode=prepend")
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["*test_outer left a grpc.aio server running*"])


def test_leaves_grpcio_and_asyncio_as_they_were(suite: Suite) -> None:
    """After the run, the functions and methods are their own again."""
    suite.write(
        "import asyncio, grpc.aio\n"
        "async def start():\n    server = grpc.aio.server()\n    await server.start()\n"
        "    await server.stop(None)\n"
        "def test_serves(): asyncio.run(start())"
    )
    suite.write(
        """
import asyncio, asyncio.runners, sys
import grpc.aio, pytest

def all_of_them():
    classes = (grpc.aio._server.Server, grpc.aio._channel.Channel)
    modules = (asyncio, asyncio.tasks, asyncio.runners, asyncio.BaseEventLoop)
    return [dict(vars(one)) for one in (*classes, *modules)] + [list(sys.meta_path)]

before = all_of_them()
during = []

class Spy:
    def pytest_runtest_teardown(self):
        during.append(all_of_them())

code = pytest.main(["-p", "grpc_guard", "-p", "no:cacheprovider", "test_it.py"], [Spy()])
assert code == 0 and len(during) == 1
assert during[0] != before
assert all_of_them() == before
""",
        "run_once.py",
    )
    assert suite.pytester.runpython(suite.root / "run_once.py").ret == 0


@pytest.mark.parametrize("options", [(), ("--forked",), ("-n", "2")], ids=str)
def test_nothing_happens_without_a_leak(suite: Suite, options: tuple[str, ...]) -> None:
    """A suite that stops its servers passes, in one process, forked and distributed."""
    suite.leak()
    result = suite.run("-o", "grpc_leaked_servers=error", "--stopped", *options)
    result.assert_outcomes(passed=25, warnings=0)
    assert "= grpc_guard =" not in result.stdout.str()


def test_switched_off(suite: Suite) -> None:
    """With -p no:grpc_guard the guard is not there, though the conftest asks for it."""
    suite.write(HEAD + LEAK)
    suite.configure('\npytest_plugins = ["grpc_guard"]\n')
    suite.run_plainly().assert_outcomes(passed=1, warnings=1)
    assert int(suite.run_plainly("-p", "no:grpc_guard").ret) < 0
