"""The carrier itself, spoken with as the checker does: what it answers, and what it leaves."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mkdocs_blocks import python_blocks

CARRIER = Path(python_blocks.__file__).with_name("carrier.py")


class Spoken:
    """A carrier, by its pipes."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Start it as the checker does."""
        self.process = subprocess.Popen(
            [sys.executable, *options, CARRIER],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def say(self, **request: object) -> dict[str, Any]:
        """Return the answer to a request."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def start(self, root: Path, nonce: str = "1") -> dict[str, Any]:
        """Let it make a template."""
        return self.say(
            do="start",
            nonce=nonce,
            root=str(root),
            environment={"PATH": os.environ["PATH"]},
            page="page.md",
            conftests=[],
            seconds=60,
        )

    def run(self, text: str, nonce: str = "2") -> dict[str, Any]:
        """Let the template run a block."""
        lines_at = list(range(4, 4 + text.count("\n")))
        return self.say(
            do="run",
            nonce=nonce,
            text=text,
            line=3,
            lines_at=lines_at,
            fixtures=[],
            conftests=[],
            seconds=60,
        )


@pytest.fixture
def spoken(tmp_path: Path) -> Iterator[Spoken]:
    """A carrier that has ended when its pipe is closed."""
    spoken = Spoken(tmp_path)
    yield spoken
    spoken.process.communicate()


def test_each_request_has_one_answer_with_its_nonce(spoken: Spoken, tmp_path: Path) -> None:
    """The carrier's, then the template's, then the carrier's again."""
    assert spoken.say(do="end", nonce="0")["nonce"] == "0"
    ready = spoken.start(tmp_path)
    assert (ready["nonce"], ready["report"], ready["status"]) == ("1", {}, None)
    ran = spoken.run("print('x')\n")
    assert (ran["nonce"], ran["report"], ran["status"]) == ("2", {"ok": True}, 0)
    assert (ran["printed"], ran["trouble"]) == ("x\n", "")
    assert spoken.say(do="end", nonce="3") == {"nonce": "3"}
    assert spoken.start(tmp_path, "4")["nonce"] == "4"


def test_it_ends_with_its_pipe(spoken: Spoken, tmp_path: Path) -> None:
    """With its template, which has the pipe as well."""
    spoken.start(tmp_path)
    rest, _ = spoken.process.communicate(timeout=60)
    assert (rest, spoken.process.returncode) == (b"", 0)


def test_it_ends_with_a_template_that_is_lost(spoken: Spoken, tmp_path: Path) -> None:
    """A block that has killed it is not taken for one that ended."""
    spoken.start(tmp_path)
    with pytest.raises(json.JSONDecodeError):  # there is no answer
        spoken.run("import os\nos.kill(os.getppid(), 9)\nos._exit(0)\n")
    assert spoken.process.wait(60) == 1


def test_it_says_what_its_environment_lacks(tmp_path: Path) -> None:
    """Instead of any other answer."""
    spoken = Spoken(tmp_path, "-I", "-S")
    assert spoken.start(tmp_path) == {"missing": "No module named 'pytest'"}
    spoken.process.communicate()
    assert spoken.process.returncode == 0


def test_it_leaves_no_file_where_it_works(spoken: Spoken, tmp_path: Path) -> None:
    """Neither a cache nor bytecode: a page may list its files."""
    (tmp_path / "conftest.py").write_text("import server\n")
    (tmp_path / "server.py").write_text("")
    spoken.start(tmp_path)
    spoken.run("import os\nprint(sorted(os.listdir()))\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conftest.py", "server.py"]


def test_a_block_is_told_where_it_is_compiled(spoken: Spoken, tmp_path: Path) -> None:
    """What it prints of itself has the page's name and lines."""
    spoken.start(tmp_path)
    text = "import inspect, sys\ndef f():\n    return sys._getframe()\nframe = f()\n"
    text += "print(frame.f_code.co_filename, frame.f_lineno)\nprint(inspect.getsource(f))\n"
    assert spoken.run(text)["printed"] == "page.md 6\ndef f():\n    return sys._getframe()\n\n"
