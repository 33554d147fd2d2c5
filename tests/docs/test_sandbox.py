"""How the commands of a block run, and that nothing of them is left."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.docs.checker.sandbox import Sandbox, SandboxError, copy_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one file that is no Python project: nothing is installed for it."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "kept.txt").write_text("kept\n")
    return root


@pytest.fixture
def sandbox(project: Path) -> Iterator[Sandbox]:
    """A sandbox of that project."""
    with Sandbox(project) as made:
        yield made


@pytest.fixture
def nap() -> str:
    """A command that takes for ever, and that no other test process runs."""
    return f"sleep {10_000_000 + os.getpid()}"


def test_commands_share_one_shell(sandbox: Sandbox) -> None:
    """The folder, variables and the last exit status go from one command to the next."""
    session = sandbox.run(
        ["mkdir -p a && cd a", "name=value", "basename $PWD; echo $name", "(exit 3)", "echo $?"],
        seconds=60,
    )
    assert [(run.lines, run.status) for run in session.runs] == [
        ((), 0),
        ((), 0),
        (("a", "value"), 0),
        ((), 3),
        (("3",), 0),
    ]
    assert session.trouble == ""


def test_both_outputs_come_in_order(sandbox: Sandbox) -> None:
    """Standard error stands between the lines of standard output, as in a terminal."""
    (run,) = sandbox.run(["echo one; echo two >&2; echo three"], seconds=60).runs
    assert run.lines == ("one", "two", "three")


def test_output_is_what_a_terminal_shows(sandbox: Sandbox) -> None:
    """Tabs go to the next column of eight; a line that is overwritten is gone."""
    (run,) = sandbox.run(["printf 'a\\tb\\n10%%\\r100%%\\n\\n'"], seconds=60).runs
    assert run.lines == ("a       b", "100%")


def test_output_is_the_same_anywhere(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """Colours, width and the variables of the run that checks do not reach a command."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    monkeypatch.setenv("GRPC_VERBOSITY", "debug")
    with Sandbox(project) as made:
        (run,) = made.run(["echo $COLUMNS $TERM $NO_COLOR"], seconds=60).runs
        (env,) = made.run(["env"], seconds=60).runs
    assert run.lines == ("80 dumb 1",)
    names = {line.partition("=")[0] for line in env.lines}
    assert not names & {"FORCE_COLOR", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "GRPC_VERBOSITY"}


def test_a_prompt_gets_no_answer(sandbox: Sandbox) -> None:
    """Standard input is closed: a command that asks does not wait."""
    (run,) = sandbox.run(["read answer"], seconds=60).runs
    assert run.status == 1


def test_a_command_that_hangs_is_ended(sandbox: Sandbox, nap: str) -> None:
    """When the time is up, the command and all that it started are killed and it is named."""
    session = sandbox.run(["echo one", f"echo two; {nap} & {nap}"], seconds=1)
    assert [run.lines for run in session.runs] == [("one",)]
    assert session.unfinished == ("two",)
    assert "did not end within 1 s" in session.trouble
    assert not alive(nap)


@pytest.mark.parametrize("start", ["{} &", "setsid {} & disown"])
def test_a_process_left_behind_is_killed_and_named(sandbox: Sandbox, start: str, nap: str) -> None:
    """A child that outlives the block is a failure, in a session of its own too."""
    session = sandbox.run([start.format(nap)], seconds=60)
    assert session.trouble == f"left a process behind: {nap}"
    assert not alive(nap)


def test_a_command_that_ends_the_shell_is_told(sandbox: Sandbox) -> None:
    """The commands after `exit` never run; that is said, not passed over."""
    session = sandbox.run(["echo before; exit 4", "echo never"], seconds=60)
    assert session.runs == ()
    assert session.unfinished == ("before",)
    assert session.trouble == "ended the shell with exit status 4"


def test_the_project_is_not_touched(sandbox: Sandbox, project: Path) -> None:
    """A command works on a copy."""
    (run,) = sandbox.run(["echo changed > kept.txt; ls"], seconds=60).runs
    assert run.lines == ("kept.txt",)
    assert (project / "kept.txt").read_text() == "kept\n"


def test_nothing_is_left(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy and the temporary files of its commands go with the sandbox."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with Sandbox(project) as made:
        made.run(["mktemp"], seconds=60)
        assert any(temporary.iterdir())
    assert not any(temporary.iterdir())


def test_a_project_that_cannot_be_installed_says_so(project: Path) -> None:
    """The error has uv's own words, and no copy stays."""
    (project / "pyproject.toml").write_text("[project]\nname = 3\n")
    with pytest.raises(SandboxError, match="uv sync --extra dev failed"):
        Sandbox(project)


def test_a_missing_uv_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without uv, the message says how to get it."""
    (project / "pyproject.toml").write_text("[project]\n")
    git = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout
    only_git = project / "bin"
    only_git.mkdir()
    (only_git / "git").symlink_to(git.strip())
    monkeypatch.setenv("PATH", str(only_git))
    with pytest.raises(SandboxError, match="pip install uv"):
        Sandbox(project)


def test_a_checkout_is_copied_as_git_sees_it(project: Path, tmp_path: Path) -> None:
    """Tracked and new files are copied, ignored ones are not, but for uv.lock."""
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    (project / ".gitignore").write_text("ignored.txt\nuv.lock\n")
    for name in ("ignored.txt", "uv.lock", "new.txt"):
        (project / name).write_text(name)
    copy_project(project, tmp_path / "copy")
    copied = {path.name for path in (tmp_path / "copy").iterdir()}
    assert copied == {".gitignore", "kept.txt", "new.txt", "uv.lock"}


def alive(command: str) -> bool:
    """Tell whether a process with this command line runs."""
    return any(
        process.info["cmdline"] == command.split()
        and process.info["status"] != psutil.STATUS_ZOMBIE
        for process in psutil.process_iter(["cmdline", "status"])
    )
