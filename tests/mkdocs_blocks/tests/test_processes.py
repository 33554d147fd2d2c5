"""How programs run, and that nothing of them is left, whatever they do."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from mkdocs_blocks import processes
from mkdocs_blocks.processes import Answer, Ended, StartError, StoppedError, Supervisor

LINUX = sys.platform.startswith("linux")
needs_subreaper = pytest.mark.skipif(not LINUX, reason="a system without subreapers")

VARIABLES = {"PATH": os.environ["PATH"]}


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """A supervisor as it is on this system, but less patient."""
    with Supervisor(grace=0.1) as made:
        yield made


@pytest.fixture(
    scope="module", params=[pytest.param(True, marks=needs_subreaper, id="subreaper"), False]
)
def any_supervisor(request: pytest.FixtureRequest) -> Iterator[Supervisor]:
    """A supervisor as it is on this system, and one as on a system without subreapers."""
    with Supervisor(grace=0.1, subreaper=request.param) as made:
        yield made


@pytest.fixture
def nap() -> str:
    """A command that takes for ever, and that no other test process runs."""
    return f"sleep {10_000_000 + os.getpid()}"


def bash(supervisor: Supervisor, folder: Path, command: str, seconds: float = 60) -> Ended:
    """Run a command in bash."""
    return supervisor.run(
        ["bash", "-c", command], folder=folder, variables=VARIABLES, seconds=seconds
    )


def alive(command: str) -> bool:
    """Tell whether a process with this command line runs."""
    return any(
        process.info["cmdline"] == command.split()
        and process.info["status"] != psutil.STATUS_ZOMBIE
        for process in psutil.process_iter(["cmdline", "status"])
    )


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for a condition; fail when it does not come."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_both_outputs_come_in_order(supervisor: Supervisor, tmp_path: Path) -> None:
    """Standard error stands between the lines of standard output, as in a terminal."""
    ended = bash(supervisor, tmp_path, "echo one; echo two >&2; echo three; exit 3")
    assert ended == Ended(status=3, output=b"one\ntwo\nthree\n")


def test_a_signal_is_a_negative_status(supervisor: Supervisor, tmp_path: Path) -> None:
    """A program that is killed by another than us has the signal for its status."""
    assert bash(supervisor, tmp_path, "kill -9 $$").status == -signal.SIGKILL


def test_the_variables_are_all_that_is_seen(supervisor: Supervisor, tmp_path: Path) -> None:
    """Nothing of the checker's own environment reaches a program."""
    ended = supervisor.run(
        ["env"], folder=tmp_path, variables={**VARIABLES, "A": "b c"}, seconds=60
    )
    assert ended.output.decode().splitlines() == [f"PATH={VARIABLES['PATH']}", "A=b c"]


def test_a_prompt_gets_no_answer(supervisor: Supervisor, tmp_path: Path) -> None:
    """Standard input is empty: a program that asks does not wait."""
    assert bash(supervisor, tmp_path, "read answer; echo $?").output == b"1\n"


def test_a_program_begins_with_default_signals(supervisor: Supervisor, tmp_path: Path) -> None:
    """What the checker ignores, such as a broken pipe, ends a program as it would a reader's."""
    ended = bash(supervisor, tmp_path, "yes | head -1; echo ${PIPESTATUS[0]}")
    assert ended.output == b"y\n141\n"


def test_a_program_cannot_be_reached_from_the_terminal(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    """It is in a session of its own, so that a Ctrl-C is the checker's alone."""
    ended = bash(supervisor, tmp_path, "ps -o sid= -p $$")
    assert int(ended.output) != os.getsid(0)


def test_a_large_output_is_whole(supervisor: Supervisor, tmp_path: Path) -> None:
    """30 MB come as they were written."""
    ended = bash(supervisor, tmp_path, "yes 'a line of it' | head -c 30000000")
    assert ended.trouble == ""
    assert ended.output == (b"a line of it\n" * 2_400_000)[:30_000_000]


def test_too_much_output_ends_the_program(supervisor: Supervisor, tmp_path: Path) -> None:
    """What prints without end is killed; as much as is wanted of its output is kept."""
    ended = supervisor.run(
        ["yes"], folder=tmp_path, variables=VARIABLES, seconds=60, most_bytes=1_000_001
    )
    assert (ended.status, ended.trouble, len(ended.output)) == (None, "output", 1_000_001)


def test_a_program_that_hangs_is_ended(
    any_supervisor: Supervisor, tmp_path: Path, nap: str
) -> None:
    """When the time is up, the program and all that it started are killed."""
    ended = bash(any_supervisor, tmp_path, f"echo one; {nap} & {nap}", seconds=3)
    assert (ended.status, ended.output, ended.trouble) == (None, b"one\n", "time")
    assert nap in ended.left
    assert not alive(nap)


@pytest.mark.parametrize(
    "start",
    [
        "{} &",
        "setsid {} & disown",
        "(({} &) &)",
        "{} & until [ $(ps -o comm= $!) = sleep ]; do :; done; kill -STOP $!",
        "trap '' HUP INT TERM; {} &",
        "{} > /dev/null 2>&1 < /dev/null &",
        "setsid bash -c '{}; true' &",
    ],
)
def test_a_process_left_behind_is_killed_and_named(
    any_supervisor: Supervisor, tmp_path: Path, start: str, nap: str
) -> None:
    """A child that outlives the program is found, in a session of its own too."""
    # Before that it is a bash that is about to become the nap, and is named as that.
    until_there = f"until pgrep -fx '{nap}' > /dev/null; do :; done"
    ended = bash(any_supervisor, tmp_path, f"{start.format(nap)}\n{until_there}")
    assert (ended.status, ended.trouble) == (0, "")
    assert nap in ended.left
    assert not alive(nap)


@needs_subreaper
@pytest.mark.parametrize(
    "start", ["env -i setsid {} &", "cd / && env -i bash -c 'setsid {} & disown' &"]
)
def test_a_process_without_marks_is_killed_and_named(
    supervisor: Supervisor, tmp_path: Path, start: str, nap: str
) -> None:
    """No variable, session or folder has to be what it was."""
    assert bash(supervisor, tmp_path, start.format(f"{nap}")).left == (nap,)
    assert not alive(nap)


@pytest.mark.parametrize("subreaper", [pytest.param(True, marks=needs_subreaper), False])
def test_a_process_that_vanishes_is_not_left(tmp_path: Path, *, subreaper: bool) -> None:
    """What has been killed, or is about to end, is waited for."""
    with Supervisor(subreaper=subreaper) as own:
        ended = bash(own, tmp_path, "sleep 1000 & kill $!; (exit 3) & echo end")
    assert ended.left == ()
    assert ended.output.endswith(b"end\n")


def test_a_part_of_the_program_itself_is_named(supervisor: Supervisor, tmp_path: Path) -> None:
    """A fork that still is what was started has no command line of its own."""
    assert bash(supervisor, tmp_path, "while :; do :; done &").left == ("bash (forked)",)


HOPPER = """
import os, sys, time
if os.fork():
    sys.exit()
end = time.monotonic() + 120
while time.monotonic() < end:
    os.setsid()
    if os.fork():
        os._exit(0)
"""


@needs_subreaper
def test_a_process_that_forks_to_escape_is_overtaken(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    """A process that is another one, in another session, each time it is looked at."""
    hopper = tmp_path / f"hopper{os.getpid()}.py"
    hopper.write_text(HOPPER)
    ended = supervisor.run(
        [sys.executable, "-S", "-E", hopper], folder=tmp_path, variables=VARIABLES, seconds=60
    )
    assert ended.trouble == ""
    assert not alive(f"{sys.executable} -S -E {hopper}")


def test_many_forks_are_ended(supervisor: Supervisor, tmp_path: Path, nap: str) -> None:
    """A program that does nothing but start others, each in a session of its own."""
    ended = bash(supervisor, tmp_path, f"while :; do setsid {nap} & done", seconds=0.5)
    assert ended.trouble == "time"
    assert not alive(nap)


@needs_subreaper
def test_no_zombie_is_left(supervisor: Supervisor, tmp_path: Path) -> None:
    """Children that nobody has waited for are waited for."""
    bash(supervisor, tmp_path, "for n in 1 2 3; do (setsid true &); done")
    below = psutil.Process().children(recursive=True)
    assert [each for each in below if each.status() == psutil.STATUS_ZOMBIE] == []


@needs_subreaper
@pytest.mark.parametrize(
    "kill",
    [
        "kill -9 $PPID",
        "kill -9 $(ps -o ppid= $PPID) $PPID",
        "kill -STOP $PPID",
        "kill -STOP $(ps -o ppid= $PPID) $PPID",
    ],
)
def test_a_program_that_ends_its_supervisor_is_ended(
    tmp_path: Path, kill: str, nap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, nothing of it goes on, and the next program runs."""
    monkeypatch.setattr(processes, "_PATIENCE", 2.0)
    monkeypatch.setattr(processes, "_PATIENCE_TO_END", 2.0)
    with Supervisor() as own:
        ended = bash(
            own, tmp_path, f"echo one; {nap} & env -i setsid {nap} & {kill}; {nap}", seconds=0.5
        )
        assert ended.trouble == "supervisor"
        assert ended.output in {b"one\n", b""}
        assert not alive(nap)
        assert bash(own, tmp_path, "echo next").output == b"next\n"


@needs_subreaper
def test_signals_do_not_end_the_supervisor(supervisor: Supervisor, tmp_path: Path) -> None:
    """A program knows its parent, and can send it what it likes."""
    names = "HUP INT QUIT TERM USR1 USR2 ALRM PIPE TSTP TTIN CONT SEGV 40"
    ended = bash(
        supervisor, tmp_path, f"for s in {names}; do kill -$s $PPID; done; echo still here"
    )
    assert ended == Ended(status=0, output=b"still here\n")


KILLED = """
import sys
from pathlib import Path
from mkdocs_blocks.processes import Supervisor
folder = Path(sys.argv[1])
supervisor = Supervisor()
supervisor.adopt(folder)
supervisor.run(
    ["bash", "-c", sys.argv[2]], folder=folder, variables={"PATH": sys.argv[3]}, seconds=600
)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_checker(tmp_path: Path, nap: str, number: int) -> None:
    """However it ends: what it runs is ended, and the folders that it has made are removed."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    checker = subprocess.Popen(
        [
            *(sys.executable, "-c", KILLED, str(folder)),
            *(f"{nap} & setsid {nap} & {nap}", VARIABLES["PATH"]),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: alive(nap))
    checker.send_signal(number)
    checker.wait(60)
    wait_until(lambda: not alive(nap))
    wait_until(lambda: not folder.exists())


def test_folders_are_removed_at_the_end(tmp_path: Path) -> None:
    """Those that were adopted, with what nobody may write to; not those that were let go."""
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    (gone / "closed").mkdir(parents=True)
    (gone / "closed" / "file").touch()
    (gone / "closed").chmod(0)
    kept.mkdir()
    with Supervisor() as own:
        own.adopt(kept)
        own.adopt(gone)
        own.forget(kept)
    assert kept.exists()
    assert not gone.exists()


@pytest.mark.parametrize(
    ("program", "folder", "message"),
    [
        ("no-such-program", ".", "No such file"),
        ("./folder", ".", "denied"),
        ("true", "nowhere", "No such file"),
        ("a\0b", ".", "null byte"),
    ],
)
def test_a_program_that_cannot_be_started_is_told(
    supervisor: Supervisor, tmp_path: Path, program: str, folder: str, message: str
) -> None:
    """It is an error that says why, and the next program runs."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(StartError, match=message):
        supervisor.run([program], folder=tmp_path / folder, variables=VARIABLES, seconds=60)
    assert bash(supervisor, tmp_path, "echo next").output == b"next\n"


def test_threads_share_a_supervisor(supervisor: Supervisor, tmp_path: Path) -> None:
    """Programs that run at the same time are not taken for one another's."""
    os.mkfifo(tmp_path / "there")
    os.mkfifo(tmp_path / "back")
    ended: list[Ended] = []
    threads = [
        threading.Thread(
            target=lambda line: ended.append(bash(supervisor, tmp_path, line)), args=[command]
        )
        for command in ("echo a > there; cat back", "cat there; echo b > back")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.output for each in ended) == [b"a\n", b"b\n"]
    assert {(each.status, each.left) for each in ended} == {(0, ())}


def test_close_ends_what_runs_in_other_threads(tmp_path: Path, nap: str) -> None:
    """A thread that waits for a program is told that there is no result."""
    raised: list[bool] = []
    own = Supervisor()

    def run() -> None:
        with pytest.raises(StoppedError):
            bash(own, tmp_path, nap)
        raised.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: alive(nap))
    own.close()
    thread.join()
    assert raised
    assert not alive(nap)


def test_an_interrupted_wait_ends_the_program(
    supervisor: Supervisor, tmp_path: Path, nap: str
) -> None:
    """A Ctrl-C while a program runs leaves nothing of it, and the supervisor goes on."""
    main = threading.get_ident()

    def interrupt() -> None:
        wait_until(lambda: alive(nap))
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        bash(supervisor, tmp_path, nap)
    thread.join()
    assert not alive(nap)
    assert bash(supervisor, tmp_path, "echo next").output == b"next\n"


def test_sigterm_is_as_sigint() -> None:
    """The main thread is interrupted; then the signal is what it was."""
    before = signal.getsignal(signal.SIGTERM)
    restore = processes.interrupt_at_sigterm()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    restore()
    assert signal.getsignal(signal.SIGTERM) == before


FORKS = """
import os
from pathlib import Path
from mkdocs_blocks.processes import Supervisor
with Supervisor() as supervisor:
    run = lambda: supervisor.run(["true"], folder=Path("/"), variables={}, seconds=60).status
    assert run() == 0
    child = os.fork()
    if not child:
        os._exit(run())
    assert os.waitpid(child, 0)[1] == 0
    assert run() == 0
print("both")
"""


def test_a_fork_of_the_checker_has_a_supervisor_of_its_own() -> None:
    """It does not speak through its parent's socket."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (done.stdout, done.stderr) == ("both\n", "")


SHARED = """
import threading
from pathlib import Path
from mkdocs_blocks.processes import StoppedError, run, stop
print(run(["echo", "one"], folder=Path("/"), variables={"PATH": "/usr/bin:/bin"}, seconds=60))
stop()
try:
    run(["echo", "two"], folder=Path("/"), variables={}, seconds=60)
except StoppedError:
    print("stopped")
"""


def test_one_supervisor_serves_the_process() -> None:
    """`run` needs no supervisor of its own; after `stop` it starts nothing."""
    done = subprocess.run(
        [sys.executable, "-c", SHARED],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.stdout.splitlines() == [str(Ended(status=0, output=b"one\n")), "stopped"]
    assert done.stderr == ""


# Services.

SERVICE = """
import os, subprocess, sys, time
kept = None
for line in sys.stdin:
    exec(line)
    print("answer to", line.strip()[:9], flush=True)
"""


@pytest.fixture
def service_of(tmp_path: Path) -> Callable[[Supervisor], processes.Service]:
    """Start a service that runs each line of Python that it is asked."""
    return lambda supervisor: supervisor.serve(
        [sys.executable, "-S", "-c", SERVICE], folder=tmp_path, variables=VARIABLES
    )


def test_a_service_answers_lines(
    supervisor: Supervisor, service_of: Callable[[Supervisor], processes.Service]
) -> None:
    """It keeps its state; what it writes to standard error comes with the answer."""
    with service_of(supervisor) as service:
        assert service.ask(b"x = 1", seconds=60) == Answer(line=b"answer to x = 1", output=b"")
        answer = service.ask(b"print(x, file=sys.stderr)", seconds=60)
        assert answer == Answer(line=b"answer to print(x, ", output=b"1\n")


@pytest.mark.parametrize(
    ("request_", "trouble"),
    [
        (b"time.sleep(1e6)", "time"),
        (b"os._exit(0)", "ended"),
        (b"os.close(0); os.close(1); time.sleep(1e6)", "ended"),
        (b"while True: os.write(2, b'x' * 10000)", "output"),
        (b"while True: os.write(1, b'x' * 10000)", "output"),
    ],
)
def test_a_service_in_trouble_is_dead(
    supervisor: Supervisor,
    service_of: Callable[[Supervisor], processes.Service],
    nap: str,
    request_: bytes,
    trouble: str,
) -> None:
    """All below it is ended with it, and it does not answer any more."""
    with service_of(supervisor) as service:
        service.ask(
            f"kept = subprocess.Popen({nap.split()}, stdin=-3, stdout=-3)".encode(), seconds=60
        )
        wait_until(lambda: alive(nap))
        seconds = 0.5 if trouble == "time" else 60
        answer = service.ask(request_, seconds=seconds, most_bytes=100_000)
        assert (answer.line, answer.trouble) == (b"", trouble)
        assert len(answer.output) <= 100_000
        assert not alive(nap)
        assert service.ask(b"x = 1", seconds=60).trouble == "ended"


def test_a_service_keeps_its_children_and_no_others(
    any_supervisor: Supervisor,
    service_of: Callable[[Supervisor], processes.Service],
    nap: str,
    tmp_path: Path,
) -> None:
    """What it waits for itself is its own; what one that is gone has left is ended and named."""
    other = f"{nap}1"
    with service_of(any_supervisor) as service, service_of(any_supervisor) as second:
        second.ask(f"kept = subprocess.Popen({nap.split()})".encode(), seconds=60)
        answer = service.ask(f"os.system('setsid {other} & true')".encode(), seconds=60)
        assert (answer.trouble, answer.left) == ("", (other,))
        assert not alive(other)
        assert bash(any_supervisor, tmp_path, "true").left == ()
        assert alive(nap)
    assert not alive(nap)


def test_what_a_service_prints_later_comes_with_the_next_answer(
    supervisor: Supervisor, service_of: Callable[[Supervisor], processes.Service]
) -> None:
    """However much it is, and however long the request."""
    with service_of(supervisor) as service:
        service.ask(b"import threading, select", seconds=60)
        later = "select.select([0], [], []), os.write(2, b'x' * 1000000)"
        service.ask(
            f"t = threading.Thread(target=lambda: ({later})); t.start()".encode(), seconds=60
        )
        answer = service.ask(f"x = {'y' * 1000000!r}; t.join()".encode(), seconds=60)
        answer2 = service.ask(b"x = 1", seconds=60)
    assert (answer.trouble, answer2.trouble) == ("", "")
    assert answer.output + answer2.output == b"x" * 1000000


@needs_subreaper
def test_a_service_that_ends_its_supervisor_is_ended(
    supervisor: Supervisor, service_of: Callable[[Supervisor], processes.Service], nap: str
) -> None:
    """It is told, and nothing of it goes on."""
    with service_of(supervisor) as service:
        answer = service.ask(
            f"os.system('setsid {nap} & true'); os.kill(os.getppid(), 9); time.sleep(1e6)".encode(),
            seconds=60,
        )
        assert answer.trouble == "supervisor"
        assert not alive(nap)
        assert service.ask(b"x = 1", seconds=60).trouble == "ended"
