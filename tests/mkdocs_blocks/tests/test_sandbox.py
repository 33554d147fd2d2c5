"""How the blocks of a page run in its sandbox, and what they can and cannot touch."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from mkdocs_blocks import sandbox as sandbox_module
from mkdocs_blocks.processes import Supervisor
from mkdocs_blocks.sandbox import Run, Sandbox, SandboxError, Session, sweep, visible_variables

LINUX = sys.platform.startswith("linux")


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """A supervisor that is less patient."""
    with Supervisor(grace=0.1) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one file."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "kept.txt").write_text("kept\n")
    return root


@pytest.fixture
def sandbox(project: Path, supervisor: Supervisor) -> Iterator[Sandbox]:
    """A sandbox of that project."""
    with Sandbox(project, supervisor) as made:
        yield made


@pytest.fixture
def nap() -> str:
    """A command that takes for ever, and that no other test process runs."""
    return f"sleep {20_000_000 + os.getpid()}"


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


def runs(session: Session) -> list[tuple[str, int]]:
    """Return the outputs and statuses of a session that had no trouble."""
    assert session.trouble == ""
    return [(run.text, run.status) for run in session.runs]


# Consoles.


def test_commands_share_one_shell(sandbox: Sandbox) -> None:
    """The folder, variables and functions go from one command to the next."""
    session = sandbox.console(
        ["mkdir -p a && cd a", "name=value", "f() {\n  basename $PWD\n}", "f; echo $name"],
        seconds=60,
    )
    assert runs(session) == [("", 0), ("", 0), ("", 0), ("a\nvalue\n", 0)]


@pytest.mark.parametrize("status", [0, 1, 2, 3, 127, 255])
def test_a_command_sees_the_status_of_the_last_one(sandbox: Sandbox, status: int) -> None:
    """As `$?`; and its last word as `$_`."""
    session = sandbox.console([f"(exit {status}) a b", f"(exit {status})", "echo $?"], seconds=60)
    assert session.runs[1:] == (Run(text="", status=status), Run(text=f"{status}\n", status=0))
    assert runs(sandbox.console(["true one two", "echo $_"], seconds=60))[1] == ("two\n", 0)


def test_output_is_as_it_was_written(sandbox: Sandbox) -> None:
    """Both outputs in order, carriage returns, no newline at the end; what is no UTF-8 shows."""
    (run,) = sandbox.console(["echo one; echo two >&2; printf 'a\\rb\\377é'"], seconds=60).runs
    assert run == Run(text="one\ntwo\na\rb\ufffdé", status=0)


def test_a_shell_says_what_a_readers_says(sandbox: Sandbox) -> None:
    """Messages of bash have no path or name of the checker's, and no line of another command."""
    session = sandbox.console(
        ["true", "no_such_command", "cd /no/such/folder", "echo )", 'echo "open', "echo $?"],
        seconds=60,
    )
    texts = [text for text, _ in runs(session)]
    assert texts[1] == "bash: line 1: no_such_command: command not found\n"
    assert texts[2] == "bash: line 1: cd: /no/such/folder: No such file or directory\n"
    assert texts[3].startswith("bash: eval: line 1: syntax error near unexpected token `)'\n")
    assert "`echo )'" in texts[3]
    assert "unexpected EOF" in texts[4]
    assert texts[5] in {"1\n", "2\n"}


def test_a_trace_shows_the_commands_alone(sandbox: Sandbox) -> None:
    """What the checker adds to a command is not traced with it."""
    session = sandbox.console(["set -x", "echo hi", "(exit 4)", "set +x", "echo $-"], seconds=60)
    assert runs(session)[1:4] == [("++ echo hi\nhi\n", 0), ("++ exit 4\n", 4), ("++ set +x\n", 0)]
    assert "x" not in session.runs[4].text


def test_errexit_is_as_at_a_prompt(sandbox: Sandbox) -> None:
    """The shell ends at a command that fails, and goes on after one that may."""
    session = sandbox.console(["set -e", "false && true", "echo alive", "false"], seconds=60)
    assert [run.text for run in session.runs] == ["", "", "alive\n"]
    assert session.trouble == "ended the shell with exit status 1"


def test_jobs_are_waited_for(sandbox: Sandbox) -> None:
    """What a job prints is part of the command during which it prints."""
    session = sandbox.console(["{ echo job; } &\nwait", "echo next"], seconds=60)
    assert runs(session) == [("job\n", 0), ("next\n", 0)]


def test_a_command_has_the_descriptors_that_a_reader_has(sandbox: Sandbox) -> None:
    """Standard input is empty, and what comes next cannot be read anywhere."""
    session = sandbox.console(
        ["cat", "for f in /proc/$$/fd/*; do if [ -f $f ]; then cat $f; fi; done", "true secret"],
        seconds=60,
    )
    assert runs(session) == [("", 0), ("", 0), ("", 0)]


def test_a_command_that_ends_the_shell_is_told(sandbox: Sandbox) -> None:
    """The commands after it never run; that is said, not passed over."""
    session = sandbox.console(["echo before; exit 4", "echo never"], seconds=60)
    assert session == Session(
        runs=(), trouble="ended the shell with exit status 4", unfinished="before\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        "exit 0",
        "exec true",
        "exec 98>&-",
        'for fd in {3..255}; do eval "exec $fd>&-"; done',
        "set -n",
        "kill -9 $$",
        "kill $$",
        "builtin() { :; }",
        "builtin() { return 0; }",
        "builtin() { command builtin printf '%s 0\\n' \"$@\"; }",
        "exec /dev/null",
        "set -r; cd /",
        "readonly -f $(declare -F | cut -d' ' -f3); unset -f $(declare -F | cut -d' ' -f3)",
        "unset $(compgen -v | grep ^_)",
        "ulimit -f 0; echo x > file",
        "cat <<END\nopen",
        "echo open \\",
    ],
)
def test_no_command_forges_the_status_of_the_next(sandbox: Sandbox, command: str) -> None:
    """Whatever it does to its shell: `false` has its status, or is not told to have run."""
    session = sandbox.console([command, "false"], seconds=60)
    told = [(run.text, run.status) for run in session.runs]
    if session.trouble:
        assert len(told) < 2
        assert session.trouble.startswith("ended the shell ")
    else:
        assert told[1] == ("", 1)
    assert "_" not in session.unfinished


@pytest.mark.parametrize(
    "command",
    [
        "eval() { :; }; printf() { :; }; exit() { :; }; trap() { :; }; return() { :; }",
        'builtin() { command builtin "$@"; return 0; }',
        "alias builtin=true false=true; shopt -s expand_aliases; unalias false",
        "exec > out.txt",
        "exec 2> out.txt",
        "IFS=0123456789",
        "set -f -u -o posix; PATH=",
        "PS4=x; set -x; set +x",
        "rm -rf * .??*; cd /",
        "trap 'true' DEBUG; trap 'true' ERR; trap 'echo bye' EXIT",
        "LC_ALL=no_such_locale",
        "echo 6f8db599de986fab7a21625b7916589c 0",
    ],
)
def test_a_command_that_changes_its_shell_is_seen_through(sandbox: Sandbox, command: str) -> None:
    """The statuses of the next ones are their own."""
    session = sandbox.console([command, "false", "[[ $? == 1 ]]"], seconds=60)
    assert session.trouble == ""
    assert [run.status for run in session.runs] == [0, 1, 0]
    assert session.runs[1].text == ""


def test_a_null_byte_is_told(sandbox: Sandbox) -> None:
    """Bash would drop it and run something else."""
    assert "null byte" in sandbox.console(["echo \0"], seconds=60).trouble


def test_a_command_that_hangs_is_ended(sandbox: Sandbox, nap: str) -> None:
    """When the time is up, the command and all that it started are killed and it is named."""
    session = sandbox.console(["echo one", f"echo two; {nap} & {nap}"], seconds=3)
    assert [run.text for run in session.runs] == ["one\n"]
    assert session.unfinished == "two\n"
    assert "did not end within 3 s" in session.trouble
    assert not alive(nap)


def test_a_process_left_behind_is_killed_and_named(sandbox: Sandbox, nap: str) -> None:
    """A child that outlives the block is a failure."""
    session = sandbox.console([f"{nap} &"], seconds=60)
    assert session.trouble == f"left a process behind: {nap}"
    assert not alive(nap)


def test_too_much_output_is_told(sandbox: Sandbox) -> None:
    """A command that prints without end is ended, long before its time is up."""
    session = sandbox.console(["yes"], seconds=600)
    assert session.trouble == "printed more than 64 MiB"


@pytest.mark.skipif(not LINUX, reason="a system without subreapers")
def test_a_command_that_kills_its_supervisor_is_told(sandbox: Sandbox) -> None:
    """In words, and the next block runs."""
    session = sandbox.console(["echo one", "kill -9 $PPID; echo two"], seconds=60)
    # What the first command told may be lost with the process that it was told to.
    said = session.trouble.removeprefix("or a later command ")
    assert said == "ended or stopped the process that started it"
    assert runs(sandbox.console(["echo next"], seconds=60)) == [("next\n", 0)]


def test_a_sandbox_whose_folder_is_gone_is_told(sandbox: Sandbox) -> None:
    """A block that removes its own folder has no traceback for the next one."""
    assert runs(sandbox.console(["rm -rf $PWD"], seconds=60)) == [("", 0)]
    assert "cannot be run: No such file" in sandbox.console(["true"], seconds=60).trouble
    assert "cannot be run: No such file" in sandbox.script("true\n", seconds=60).trouble
    with pytest.raises(SandboxError, match="cannot be written"):
        sandbox.write("a.txt", "")


def test_a_sandbox_whose_folder_is_a_link_is_told(sandbox: Sandbox, project: Path) -> None:
    """No later block works in the checkout for that."""
    link = f"cd ..; rm -rf project; ln -s {project} project"
    assert runs(sandbox.console([link], seconds=60)) == [("", 0)]
    assert "is a link now" in sandbox.console(["rm kept.txt"], seconds=60).trouble
    assert "is a link now" in sandbox.script("rm kept.txt\n", seconds=60).trouble
    with pytest.raises(SandboxError, match="leads out of the sandbox"):
        sandbox.write("kept.txt", "")
    with pytest.raises(SandboxError, match="is a link now"):
        sandbox.program(["rm", "kept.txt"], seconds=60)
    assert (project / "kept.txt").read_text() == "kept\n"


# Scripts.

LIBRARY = "{ seq -f '# %g' 30; echo 'f() {'; echo ' false'; echo '}'; } > lib.sh\n"


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("true\nfalse\ntrue\n", 2),
        ("false", 1),
        ("\n\n# a comment\nfalse # another\n", 4),
        ("echo one\ntest -f missing.txt || exit 3\ntrue\n", 2),
        ("true\n( exit 3 )\n", 2),
        ("set -u\ntrue\necho $unknown\n", 3),
        ("set -u\ntrue\nfor x in $unknown; do\n  true\ndone\n", 3),
        ("true\n: ${unknown:?}\ntrue\n", 2),
        ("true\nif [[ ${unknown:?say so} ]]; then\n  true\nfi\n", 2),
        ("true\necho )\n", 2),
        ("true\necho 'open\n", 2),
        ("true\n((0))\n", 2),
        ("true\n(( 1 / 0 ))\n", 2),
        ("f() {\n  true\n  false\n}\ntrue\nf\n", 3),
        ("f() {\n  exit 4\n}\nf || true\n", 2),
        ("IFS=$'\\n'\nf() {\n  false\n}\nf\n", 3),
        (LIBRARY + ". ./lib.sh\nf\n", 3),
        ("echo false > lib.sh\ntrue\n. ./lib.sh\n", 3),
        ("true\n(\n  true\n  false\n)\ntrue\n", 4),
        ("( (\n  false\n) )\n", 2),
        ("true\ntrue | false\n", 2),
        ("set -o pipefail\nfalse | true\n", 2),
        ("true\nfalse |\n  cat |\n  false\n", 4),
        ("true\ntrue | {\n  true\n  false\n}\n", 4),
        ("true\nx=$(false)\n", 2),
        ("true\nx=$(\n  true\n  false\n)\n", 4),
        ("true\nkill -9 $$\n", 2),
        ("true\ncat <<END | grep z\na\nEND\ntrue\n", 2),
        ("true\nls \\\n  nonesuch\n", 2),
        ("true\nfor x in 1 2; do\n  test $x = 1\ndone\n", 3),
        ("trap 'echo bye; echo again' EXIT\ntrue\nfalse\n", 3),
        ("trap 'echo bye\necho again' EXIT\ntrue\nexit 3\n", 4),
        ("clean() {\n  true\n  true\n}\ntrap clean EXIT\ntrue\nfalse\n", 7),
        ("trap 'echo failed' ERR\ntrue\nfalse\n", 3),
        ("set -E\ntrap 'echo failed' ERR\nf() {\n  false\n}\nf\n", 4),
        ("trap 'true' DEBUG\ntrue\nfalse\n", 3),
        ("true\nfalse && true\n", 2),
        ("set +e\nfalse\ntrue\nfalse\n", 4),
        ("set -euxo pipefail\ntrue\nfalse\n", 3),
        ("{ true; } &\ntrue\nfalse\n", 3),
        ("coproc true\nwait\nfalse\n", 3),
        ("true\nexec false\n", 2),
        ("true\nexec nonesuch\n", 2),
        ("true\neval 'false'\n", 2),
        ("true\n! true\n", 2),
        ("true\nreadonly x=1\nx=2\ntrue\n", 3),
        ("exec 98>&-\nfalse\n", 2),
    ],
)
def test_a_script_tells_its_line(sandbox: Sandbox, script: str, line: int) -> None:
    """For each way to fail: the line of the block, in its own functions too."""
    ran = sandbox.script(script, seconds=60)
    assert (ran.status != 0, ran.line, ran.trouble) == (True, line, "")


def test_a_script_that_succeeds_stopped_nowhere(sandbox: Sandbox) -> None:
    """What may fail is no failure."""
    ran = sandbox.script("false || true\nif false; then :; fi\necho end\n", seconds=60)
    assert (ran.status, ran.line, ran.text) == (0, 0, "end\n")


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("for ((i = 0; i < 9000; i++)); do\n  x=$i\ndone\nfalse\n", 4),
        ("for ((i = 0; i < 9000; i++)); do\n  test $i != 8000\ndone\n", 2),
        (
            "f() {\n  [ $1 != 8000 ] || exit 3\n}\nfor ((i = 0; i < 9000; i++)); do f $i; done\n",
            2,
        ),
    ],
)
def test_a_long_loop_tells_its_line(sandbox: Sandbox, script: str, line: int) -> None:
    """Not every command of tens of thousands is recorded, but those that matter are."""
    ran = sandbox.script(script, seconds=100)
    assert (ran.line, ran.trouble) == (line, "")


def test_a_script_prints_and_writes_what_a_readers_does(sandbox: Sandbox) -> None:
    """Nothing of the checker is in its pipes, files, trace, `$_` or statuses."""
    script = """\
f() { echo "value"; }
f | tee out.txt
true a b
echo $_ >&2
false | true
echo ${PIPESTATUS[*]}
trap 'echo returned' RETURN
f
trap - RETURN
set -x
echo traced
{ set +x; } 2> /dev/null
(exit 3) || echo $?
"""
    ran = sandbox.script(script, seconds=60)
    assert (ran.status, ran.text) == (0, "value\nb\n1 0\nvalue\n+ echo traced\ntraced\n3\n")
    assert (sandbox.root / "out.txt").read_text() == "value\n"


def test_a_part_of_a_pipeline_goes_on_as_a_readers(sandbox: Sandbox) -> None:
    """Nobody asks for its status, so that its end would not be told; a script can ask for it."""
    script = (
        'f() { test -e no-such-file; echo "value"; }\nf | tee out.txt > /dev/null\ncat out.txt\n'
    )
    ran = sandbox.script(script, seconds=60)
    assert (ran.status, ran.text) == (0, "value\n")
    assert sandbox.script(f"set -e\n{script}", seconds=60).text == ""


def test_a_script_has_an_empty_standard_input(sandbox: Sandbox) -> None:
    """It is not its own text."""
    assert sandbox.script("cat\nread x || echo none\n", seconds=60).text == "none\n"


def test_a_script_that_hangs_tells_its_line(sandbox: Sandbox, nap: str) -> None:
    """It is ended, and the line is told at which it was."""
    ran = sandbox.script(f"true\n{nap}\n", seconds=3)
    assert (ran.line, ran.status) == (2, -signal.SIGKILL)
    assert "did not end within 3 s" in ran.trouble
    assert not alive(nap)


def test_a_script_that_leaves_a_process_is_told(sandbox: Sandbox, nap: str) -> None:
    """As a console is."""
    ran = sandbox.script(f"{nap} &\n", seconds=60)
    assert (ran.status, ran.trouble) == (0, f"left a process behind: {nap}")


# What blocks see.


def test_a_block_sees_the_variables_of_a_list_alone(
    monkeypatch: pytest.MonkeyPatch, project: Path, supervisor: Supervisor
) -> None:
    """No token of whoever runs the checker, and nothing that changes what a command prints."""
    for name in ("GH_TOKEN", "FORCE_COLOR", "PYTEST_ADDOPTS", "GIT_DIR", "SITE_KEY", "SITE_NAME"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("TZ", "UTC")
    with Sandbox(project, supervisor, variables=["SITE_N*"]) as made:
        (run,) = made.console(["env"], seconds=60).runs
    seen = dict(line.split("=", 1) for line in run.text.splitlines())
    own = seen.keys() - visible_variables().keys() - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert own == {"HOME", "TMPDIR", "SITE_NAME"}
    assert (seen["HTTPS_PROXY"], seen["TZ"]) == ("http://proxy.example", "UTC")
    assert (seen["COLUMNS"], seen["TERM"], seen["NO_COLOR"]) == ("80", "dumb", "1")
    assert [name for name, value in seen.items() if value == "secret"] == ["SITE_NAME"]


def test_the_checkers_environment_is_a_readers_only_without_an_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With one, a page would find there what its reader lacks."""
    monkeypatch.setattr(sys, "prefix", "/the/checkers")
    monkeypatch.setenv("PATH", "/the/checkers/bin:/usr/bin")
    assert visible_variables(installs=True)["PATH"] == "/usr/bin"
    assert visible_variables()["PATH"] == "/the/checkers/bin:/usr/bin"
    monkeypatch.setenv("PATH", "/usr/bin")
    assert visible_variables()["PATH"] == "/the/checkers/bin:/usr/bin"


def test_the_home_folder_is_the_sandboxs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path, supervisor: Supervisor
) -> None:
    """What a block writes there is nobody's; installers still know what its owner tells them."""
    real = tmp_path / "home"
    (real / ".config" / "uv").mkdir(parents=True)
    (real / ".config" / "uv" / "uv.toml").write_text("offline = true\n")
    (real / ".cache" / "uv").mkdir(parents=True)
    (real / ".netrc").write_text("secret\n")
    monkeypatch.setenv("HOME", str(real))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "UV_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    with Sandbox(project, supervisor) as made:
        session = made.console(
            [
                "git config --global a.b c",
                "cat ~/.config/uv/uv.toml",
                "ls -A ~",
                "echo $UV_CACHE_DIR",
            ],
            seconds=60,
        )
    assert [text for text, _ in runs(session)] == [
        "",
        "offline = true\n",
        ".config\n.gitconfig\n",
        f"{real}/.cache/uv\n",
    ]
    assert sorted(os.listdir(real)) == [".cache", ".config", ".netrc"]  # noqa: PTH208 - names


def test_the_project_is_not_touched(sandbox: Sandbox, project: Path) -> None:
    """A command works on a copy, whose folder has the project's name."""
    session = sandbox.console(["echo changed > kept.txt; ls; basename $PWD"], seconds=60)
    assert runs(session) == [("kept.txt\nproject\n", 0)]
    assert (project / "kept.txt").read_text() == "kept\n"


@pytest.mark.parametrize("name", ["home", "tmp", "own", "beside"])
def test_a_project_may_have_any_name(tmp_path: Path, supervisor: Supervisor, name: str) -> None:
    """The sandbox's own folders are in nobody's way."""
    project = tmp_path / name
    project.mkdir()
    (project / "kept.txt").write_text("kept\n")
    with Sandbox(project, supervisor) as made:
        session = made.console(["ls; basename $PWD; ls ~ $TMPDIR > /dev/null"], seconds=60)
    assert runs(session) == [(f"kept.txt\n{name}\n", 0)]


# Writing.


def test_files_are_written(sandbox: Sandbox) -> None:
    """With their folders; over a file of the same name, whose mode stays."""
    sandbox.write("a/b/c.txt", "text é\n")
    sandbox.write("run.sh", "echo one\n")
    (sandbox.root / "run.sh").chmod(0o755)
    sandbox.write("run.sh", "echo two\n")
    assert (sandbox.root / "a/b/c.txt").read_text(encoding="utf-8") == "text é\n"
    assert runs(sandbox.console(["./run.sh"], seconds=60)) == [("two\n", 0)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "write the name of a file"),
        (" ", "write the name of a file"),
        (".", "write the name of a file"),
        ("folder/", "write the name of a file"),
        ("folder", "it is a folder"),
        ("folder/..", "write the name of a file"),
        ("a\0b", "it is no file name"),
        ("a\ud800b", "it is no file name"),
        ("a" * 300, "File name too long"),
        ("kept.txt/b", "Not a directory"),
        ("../out.txt", "it leads out of the sandbox"),
        ("/out.txt", "it leads out of the sandbox"),
        ("folder/../../out.txt", "it leads out of the sandbox"),
        ("out/file.txt", "it leads out of the sandbox"),
        ("outfile", "it leads out of the sandbox"),
        ("loop", "cannot be written"),
    ],
)
def test_a_name_that_is_no_files_is_refused(
    sandbox: Sandbox, tmp_path: Path, name: str, message: str
) -> None:
    """In one line; nothing outside is written, whatever links a block has made."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("as it was")
    (sandbox.root / "folder").mkdir()
    (sandbox.root / "out").symlink_to(outside)
    (sandbox.root / "outfile").symlink_to(outside / "file")
    (sandbox.root / "loop").symlink_to("loop")
    with pytest.raises(SandboxError, match="cannot be written") as error:
        sandbox.write(name, "text")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert (outside / "file").read_text() == "as it was"


def test_a_link_within_the_sandbox_is_followed(sandbox: Sandbox) -> None:
    """As an editor would."""
    (sandbox.root / "folder").mkdir()
    (sandbox.root / "link").symlink_to("folder")
    sandbox.write("link/a.txt", "text")
    assert (sandbox.root / "folder" / "a.txt").read_text() == "text"


def test_another_name_of_a_file_outside_is_not_written_through(
    sandbox: Sandbox, project: Path
) -> None:
    """A block can give a file of the checkout a second name; nor is a pipe opened."""
    (sandbox.root / "second").hardlink_to(project / "kept.txt")
    os.mkfifo(sandbox.root / "pipe")
    for name in ("second", "pipe"):
        sandbox.write(name, "new")
        assert (sandbox.root / name).read_text() == "new"
    assert (project / "kept.txt").read_text() == "kept\n"


def test_a_folder_that_becomes_a_link_is_not_followed(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the writing too."""
    (sandbox.root / "folder").mkdir()
    look = Sandbox._below_root  # noqa: SLF001 - what happens after it

    def look_and_swap(self: Sandbox, name: str) -> Path:
        found = look(self, name)
        (self.root / "folder").rmdir()
        (self.root / "folder").symlink_to(tmp_path)
        return found

    monkeypatch.setattr(Sandbox, "_below_root", look_and_swap)
    with pytest.raises(SandboxError, match="cannot be written"):
        sandbox.write("folder/a.txt", "text")
    assert not (tmp_path / "a.txt").exists()


# Installing.


def test_an_install_makes_an_environment(project: Path, supervisor: Supervisor) -> None:
    """The command is the site's own; what it makes is what the page's Python is."""
    python = "mkdir -p .venv/bin && ln -s $(type -P true) .venv/bin/python"
    with Sandbox(project, supervisor, install=["bash", "-c", python]) as made:
        assert made.python == made.root / ".venv" / "bin" / "python"
        assert made.program([made.python], seconds=60).status == 0
    with Sandbox(project, supervisor) as made:
        assert made.python == Path(sys.executable)


def test_an_installer_of_a_block_finds_no_interpreter_outside(
    project: Path, supervisor: Supervisor
) -> None:
    """The install command knows which Python is meant; what a block installs stays in there."""
    install = ["bash", "-c", 'echo "$UV_PYTHON" > chosen']
    with Sandbox(project, supervisor, install=install) as made:
        assert (made.root / "chosen").read_text().strip() == str(Path(sys.executable).resolve())
        (ran,) = made.console(['echo "${UV_PYTHON-none}"'], seconds=60).runs
        assert ran.text == "none\n"


@pytest.mark.parametrize(
    ("install", "message"),
    [
        (["bash", "-c", "echo why; exit 3"], "failed with status 3 in the sandbox\nwhy"),
        (["bash", "-c", "echo why; sleep 1000"], "did not end within 3 s"),
        (["no-such-installer"], "put no-such-installer on the PATH"),
    ],
)
def test_a_project_that_cannot_be_installed_says_so(  # noqa: PLR0913, PLR0917 - fixtures
    project: Path,
    supervisor: Supervisor,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    install: list[str],
    message: str,
) -> None:
    """The error has the installer's own words, and no copy stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SandboxError) as error:
        Sandbox(project, supervisor, install=install, seconds=3)
    assert message in str(error.value)
    wait_until(lambda: not list(tmp_path.glob("mkdocs-blocks-*")))


def test_a_program_that_cannot_be_started_is_told(sandbox: Sandbox) -> None:
    """In one line."""
    with pytest.raises(SandboxError, match="no-such-program cannot be started: No such file"):
        sandbox.program(["no-such-program"], seconds=60)


# Nothing is left.


@pytest.mark.parametrize("early", [True, False])
def test_nothing_is_left(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, early: bool
) -> None:
    """The copy and all temporary files go with the sandbox, whatever their modes."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with Supervisor() as own:
        with Sandbox(project, own) as made:
            made.console(["mktemp; mkdir -p a/b; touch a/b/c; chmod 0 a/b a"], seconds=60)
            assert any(temporary.iterdir())
        if early:
            wait_until(lambda: not any(temporary.iterdir()))
    assert not any(temporary.iterdir())


def test_a_sandbox_can_be_closed_after_its_supervisor(project: Path) -> None:
    """Everything is gone by then, or with it."""
    with Supervisor() as own:
        made = Sandbox(project, own)
    assert not made.root.exists()
    made.close()


KILLED = """
import sys
from pathlib import Path
from mkdocs_blocks.processes import Supervisor
from mkdocs_blocks.sandbox import Sandbox
supervisor = Supervisor()
sandbox = Sandbox(Path(sys.argv[1]), supervisor)
print(sandbox.root.parent, supervisor._root.process.pid, flush=True)
sandbox.console([sys.argv[2]], seconds=600)
"""


@pytest.mark.skipif(not LINUX, reason="its supervisor cannot be told from others")
def test_the_next_run_removes_what_a_killed_one_has_left(
    project: Path, nap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checker and supervisor killed: folder and processes go, those of others stay."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(project), f"cd; {nap} & env -i {nap}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    ) as checker:
        assert checker.stdout is not None
        folder, root = checker.stdout.readline().split()
        keepers = psutil.Process(int(root)).children()
        wait_until(lambda: alive(nap))
        sweep()
        assert alive(nap)
        assert Path(folder).exists()
        for process in (psutil.Process(int(root)), *keepers, psutil.Process(checker.pid)):
            process.suspend()
        for process in (psutil.Process(int(root)), *keepers, psutil.Process(checker.pid)):
            process.kill()
    others = temporary / f"{sandbox_module._PREFIX}new"  # noqa: SLF001 - as another run makes it
    others.mkdir()
    sweep()
    assert not alive(nap)
    assert [path.name for path in temporary.iterdir()] == [others.name]


def test_no_other_run_removes_a_folder_that_is_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it looks for what is nobody's in the moment before the folder's lock is taken."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lock, swept = fcntl.flock, []

    def lock_late(file: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX:
            sweep()
            swept.append(file)
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    with sandbox_module.run_folder() as folder:
        assert swept
        assert folder.exists()
        sweep()
        assert folder.exists()
