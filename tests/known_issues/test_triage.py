"""The rules by which a log is read, in Python and in JavaScript, and the manners of the script."""

import html
import json
import os
import random
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.assets import triage
from tests.evidence.environments import bare_variables
from tests.known_issues import front_matter
from tests.known_issues.conftest import PROJECT, Ask
from tests.known_issues.triage import PYTHON

SCRIPT = PROJECT / PYTHON
CLOSED = "RuntimeError: Event loop is closed"
CHANNEL = (
    "FATAL ERROR: the channel of the whole suite was closed before its last call had come to an end"
)


def issue(name: str, *messages: str, signs: tuple[str, ...] = ()) -> triage.Issue:
    """Describe an issue by its texts."""
    return {
        "id": name,
        "title": f"The title of {name}",
        "description": f"What {name} is about.",
        "messages": [*messages],
        "signs": [*signs],
    }


ISSUES = [
    issue("closed", CLOSED),
    issue("channel", CHANNEL),
    issue("proxy", "failed to connect … HTTP proxy returned response code", signs=("http_proxy",)),
    issue("refused", "Connection refused", signs=("failed to connect", "exit code 139")),
    issue("import", "No module named '…_pb2'"),
]


def names(fits: list[triage.Fit]) -> list[str]:
    """Return the ids of what fits, in its order."""
    return [fit["id"] for fit in fits]


BAR = "\N{BOX DRAWINGS LIGHT VERTICAL}"


def wrapped(line: str, prefix: str = "") -> str:
    """Return a line as narrow as a phone shows it, each part behind a prefix."""
    return textwrap.indent(textwrap.fill(line, 24), prefix)


DRESSES: dict[str, Callable[[str], str]] = {
    "plain": lambda line: line,
    "coloured": lambda line: f"\x1b[1;31mE   {line[:20]}\x1b[0m\x1b[31m{line[20:]}\x1b[0m",
    "colours as text": lambda line: f"^[[31m{line[:9]}^[[0m\\u001b[1m{line[9:]}[0m",
    "a title of the terminal": lambda line: f"\x1b]0;pytest\x07\x1b[2K{line}",
    "lines of Windows": lambda line: f"{line}\r",
    "dates of GitHub": lambda line: f"2026-11-25T23:28:29.8186670Z {line}",
    "marks of GitHub": lambda line: f"##[error]2026-11-25T23:28:29.8Z {line}",
    "dates of GitLab": lambda line: f"2026-11-25T23:28:29.818667Z 01O {line}",
    "a section of GitLab": lambda line: f"section_start:1764113309:test\r\x1b[0K{line}",
    "dates of Jenkins": lambda line: f"[2026-11-25T23:28:29.818Z] {line}",
    "a container": lambda line: f"worker-1  | {line}",
    "pytest": lambda line: f"E   {line}",
    "xdist": lambda line: f"[gw0] {line}",
    "mail": lambda line: f"> > {line}",
    "HTML": html.escape,
    "HTML without a break": lambda line: html.escape(line).replace(" ", "&nbsp;"),
    "JSON": lambda line: json.dumps({"log": f"x\n{line}\n"}),
    "capitals": str.upper,
    "typographic quotes": lambda line: line.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"),
    "a box": lambda line: f"{BAR} {line}{BAR}",
    "tabs": lambda line: line.replace(" ", "\t"),
    "wrapped at words": wrapped,
    "wrapped anywhere": lambda line: "\n".join(re.findall(".{1,24}", line)),
    "wrapped in mail": lambda line: wrapped(line, "> "),
    "wrapped in CI": lambda line: wrapped(line, "2026-11-25T23:28:29Z "),
    "wrapped in a box": lambda line: wrapped(line, f"{BAR} "),
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
@pytest.mark.parametrize("text", [CLOSED, CHANNEL, "No module named 'a.b_pb2'"])
def test_a_message_is_found_however_it_is_dressed(
    dress: Callable[[str], str], text: str, ask: Ask
) -> None:
    """Its line, counted from 1 in what was pasted, is the one on which it begins."""
    log = f"{dress('collected 2 items')}\n\n{dress(f'test_a.py {text}')}\n{dress('1 failed')}"
    (fit,) = ask(log, ISSUES)
    assert fit["strength"] == "message"
    (line,) = fit["lines"]
    begins = next(n for n, said in enumerate(log.split("\n"), 1) if "test_a" in said.lower())
    assert begins <= line["line"] <= begins + 1
    assert line["text"].isprintable()


@pytest.mark.parametrize(
    "log",
    [
        "",
        "\n\n",
        "2 passed in 0.21s",
        "all_failed to connect",  # ends another word
        "exit code 1390",  # begins another
        "No module named 'x' and then_pb2",  # more than a word between
        "No module named 'x_pb23'",
        f"failed to connections {'x' * 200} HTTP proxy returned response code",
        CLOSED[:12],
    ],
)
def test_what_only_resembles_a_text_is_passed_over(log: str, ask: Ask) -> None:
    """Silence is an answer."""
    assert ask(f"{log}\n1 failed", ISSUES) == []


def test_an_ellipsis_reaches_over_a_few_lines(ask: Ask) -> None:
    """Not over a whole log."""
    text = "failed to connect\n{}HTTP proxy returned response code 403"
    assert ask(text.format("  at some\n  place\n"), ISSUES)[0]["strength"] == "message"
    assert ask(text.format("  at some place\n" * 50), ISSUES)[0]["strength"] == "sign"


def test_the_better_text_of_a_line_counts_alone(ask: Ask) -> None:
    """A page is not named for a text that another page has more of."""
    log = "failed to connect: HTTP proxy returned response code 403\nhttp_proxy=http://127.0.0.1"
    assert names(ask(log, ISSUES)) == ["proxy"]


def test_issues_come_in_the_order_in_which_they_fit(ask: Ask) -> None:
    """Messages first, longer ones before shorter ones, then signs; each with its lines."""
    log = f"exit code 139\nhttp_proxy=x\nConnection refused\n{CLOSED}\n{CHANNEL}\n{CLOSED}"
    fits = ask(log, ISSUES)
    assert names(fits) == ["channel", "closed", "refused", "proxy"]
    assert [fit["strength"] for fit in fits] == ["message", "message", "message", "sign"]
    assert [[line["line"] for line in fit["lines"]] for fit in fits] == [[5], [4, 6], [3, 1], [2]]
    assert [line["fits"] for line in fits[2]["lines"]] == ["Connection refused", "exit code 139"]


def test_of_a_message_that_comes_often_a_few_lines_are_shown(ask: Ask) -> None:
    """The first of them; the others are counted."""
    (fit,) = ask(f"x\n{CLOSED}\n" * 12, ISSUES)
    assert [line["line"] for line in fit["lines"]] == [2, 4, 6, 8, 10]
    assert fit["more"] == 7


def test_of_a_long_line_the_part_that_fits_is_shown(ask: Ask) -> None:
    """A log may be one line, with characters of any size."""
    (fit,) = ask("\N{SNAKE} line " * 3_000 + CLOSED + " x" * 3_000, ISSUES)
    (line,) = fit["lines"]
    assert line["line"] == 1
    assert len(line["text"]) <= 400
    assert "RuntimeError" in line["text"]


@pytest.mark.parametrize("dots", ["...", "\N{HORIZONTAL ELLIPSIS}"])
def test_a_message_that_was_cut_short_is_found(dots: str, ask: Ask) -> None:
    """As pytest does in its summary; but only where nothing else is found."""
    cut = f"FAILED test_a.py::test_say - {CLOSED[:22]}{dots}"
    (fit,) = ask(f"1 failed\n{cut}\n1 failed", ISSUES)
    assert fit["id"] == "closed"
    assert fit["strength"] == "part"
    assert names(ask(f"{cut}\nConnection refused", ISSUES)) == ["refused"]
    assert ask(f"1 failed\n{cut} and more\n1 failed", ISSUES) == []
    assert ask(f"1 failed\nRuntimeError: E{dots}\n1 failed", ISSUES) == []


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("loop is clo", ["closed"]),
        ("connect", ["refused", "proxy"]),  # the shorter text first
        ("HTTP_PROXY", ["proxy"]),
        ("title of imp", ["import"]),
        ("what CHANNEL is", ["channel"]),
        ("the", []),
        ("event\nloop", []),
        ("exit code 139", ["refused"]),
        ("code 139", ["refused"]),
        ("exit code 1", []),
        ("exit code 13", []),
        ("code 39", []),
    ],
)
def test_a_single_line_may_be_a_part_of_a_text(asked: str, named: list[str], ask: Ask) -> None:
    """A title and a description are texts, too."""
    assert names(ask(asked, ISSUES)) == named


def test_both_languages_agree_on_any_log(ask: Ask) -> None:
    """Pieces of texts, of what logs are dressed with, and of nothing, in any order."""
    chance = random.Random(8)  # noqa: S311 - for variety
    pieces = [
        *(text for issue in ISSUES for text in (*issue["messages"], *issue["signs"])),
        *("\n", "\r\n", " ", "\t", "...", "…", "'", '"', "\\n", "\\", "&#39;", "&lt;", "&amp;"),
        *("\x1b[31m", "[0m", "\x1b]0;x\x07", "\x1b", "\0", "\ufeff", "\u00a0", "\u2028", "\x85"),
        *(
            "> ",
            "| ",
            "E   ",
            "[gw1] ",
            "##[error]",
            "2026-11-25T23:28:29Z ",
            "[10:00:00] ",
            "a | ",
        ),
        *("\N{SNAKE}", "\u0130", "\N{KELVIN SIGN}", "\ud800", "x" * 399, "_", "pb2", "1", ":"),
    ]
    found = set()
    for _ in range(400):
        log = "".join(
            piece[chance.randrange(len(piece)) :] if chance.random() < 0.2 else piece
            for piece in chance.choices(pieces, k=chance.randint(1, 40))
        )
        found.update(names(ask(log, ISSUES)))
    assert found == {issue["id"] for issue in ISSUES}


@pytest.mark.parametrize(
    ("pasted", "named"),
    [
        ("signal 11", "grpc-segfault"),
        ("exit code 139", "grpc-segfault"),
        ("Error: Process completed with exit code 139.", "grpc-segfault"),
        (
            ".ci/test.sh: line 3:  4711 Segmentation fault      (core dumped) pytest",
            "grpc-segfault",
        ),
        ("[gw1] node down: Not properly terminated", "grpc-segfault"),
        ("Garbage-coll", "grpc-segfault"),
        ("attached to a different loop", "event-loop-closed"),
        (
            "E   RuntimeError: Task got Future <y> attached to a different loop",
            "event-loop-closed",
        ),
        ("FAILED test_a.py::test_b - RuntimeError: Event loop is clo...", "event-loop-closed"),
        ("E       fixture 'event_loop' not found", "event-loop-closed"),
        ("status = StatusCode.DEADLINE_EXCEEDED", "deadline-in-the-loop"),
        ("DEADLINE_EXCEEDED", "deadline-in-the-loop"),
        ("NO_PROXY", "http-proxy"),
        ("preexec_fn", "preexec-fn-child"),
        ("into gRPC, skipping fork() handlers", "fork-noise-on-stderr"),
        ("falls with --forked", "forked-coverage"),
        (
            "VersionError: Detected incompatible Protobuf Gencode/Runtime versions\n1 error",
            "gencode-versions",
        ),
        ("E1126 ev_epoll1_linux.cc:1118] encountered epoll_wait error\n-6", "preexec-fn-child"),
        ("EXITED with status 3", "pytest-forked-pytest-9.2"),
        ("    import a\nModuleNotFoundError: No module named 'chat_pb2'", "pb2-import"),
    ],
)
def test_what_people_paste_leads_to_a_page(pasted: str, named: str, ask: Ask) -> None:
    """A last line, a cut one, a word."""
    assert ask(pasted)[0]["id"] == named


@pytest.mark.parametrize("pasted", ["exit code 1", "exit status 1", "signal 1", "exit code 13"])
def test_a_part_of_a_number_is_another_number(pasted: str, ask: Ask) -> None:
    """What ends with 1 is no segmentation fault."""
    assert ask(pasted) == []


CLEAN = """\
2026-11-25T23:28:29.8186670Z ##[group]Run pytest --forked -n auto
2026-11-25T23:28:29.8186670Z env:
2026-11-25T23:28:29.8186670Z   http_proxy: http://proxy.internal:3128
2026-11-25T23:28:29.8186670Z   no_proxy: localhost,127.0.0.1
2026-11-25T23:28:29.8186670Z ##[endgroup]
============================= test session starts ==============================
platform linux -- Python 3.13.0, pytest-9.1.1, pluggy-1.7.0
plugins: asyncio-1.5.0, forked-1.7.5, cov-7.1.0, xdist-3.8.0, timeout-2.4.0
asyncio: mode=Mode.AUTO, asyncio_default_fixture_loop_scope=session
collected 211 items

tests/test_event_loop.py::test_is_closed PASSED                          [  0%]
tests/test_channel.py::test_deadline_exceeded[StatusCode.DEADLINE_EXCEEDED] PASSED [ 1%]
tests/test_proxy.py::test_connection_refused XFAIL (the proxy is slow)   [  2%]
tests/test_status.py::test_maps[Deadline Exceeded-504] PASSED            [  2%]
tests/test_loop.py::TestLoop::test_names[Event loop is closed] PASSED
tests/test_loop.py::test_bug XFAIL (RuntimeError: Event loop is closed)  [  2%]
tests/test_loop.py::test_luck XPASS (Connection refused)                 [  2%]
[gw1] [ 50%] PASSED tests/test_status.py::test_maps[signal 11]
tests/test_fork.py::test_child_in_add_insecure_port SKIPPED (needs root) [  3%]
Name                   Stmts   Miss  Cover
src/orders_pb2.py         25      0   100%
src/orders_pb2_grpc.py    61      0   100%
Required test coverage of 90% reached. Total coverage: 97.12%
============================= slowest 3 durations ==============================
5.01s teardown tests/test_server.py::test_stop_takes_its_grace
0.30s setup    tests/test_server.py::test_exit_status_0
PASSED tests/test_status.py::test_maps[Deadline Exceeded-504]
XFAIL tests/test_loop.py::test_bug - RuntimeError: Event loop is closed
XFAIL tests/test_loop.py::test_bug[Connection refused] - RuntimeError: Event loop is clo...
================== 209 passed, 1 skipped, 1 xfailed in 14.39s ==================
   Compiling tonic v0.14.0
    Finished `test` profile in 41.2s
test result: ok. 139 passed; 0 failed; 0 ignored; finished in 11.11s
# tests 139
# pass 139
--- PASS: TestServer (0.11s)
ok      example.org/server      0.139s  coverage: 81.1% of statements
Process completed with exit code 0.
"""


@pytest.mark.parametrize("lines", [1, 30], ids=["each line", "whole"])
def test_a_clean_log_leads_nowhere(lines: int, ask: Ask) -> None:
    """Whatever its tests are called, and whoever wrote it."""
    assert ask(CLEAN) == []
    # Two lines are no question.
    parts = [f"{line}\n-" for line in CLEAN.splitlines()] if lines == 1 else [CLEAN]
    assert [part for part in parts if ask(part)] == []


@pytest.mark.parametrize(
    "line",
    [
        "tests/test_a.py::test_b PASSED       [ 50%]Fatal Python error: Segmentation fault",
        "tests/test_a.py::test_b Fatal Python error: Segmentation fault",
        "tests/test_a.py::test_b PASSED Fatal Python error: Segmentation fault",
        "FAILED tests/test_a.py::test_b - Fatal Python error: Segmentation fault",
        "tests/test_a.py::test_b[Segmentation fault] FAILED [ 50%]",
        "PASSED: Fatal Python error: Segmentation fault",
    ],
)
def test_what_stands_behind_a_test_that_passed_counts(line: str, ask: Ask) -> None:
    """The line of a test is ended when the next one begins; a crash comes before that."""
    assert ask(f"{line}\n-")[0]["id"] == "grpc-segfault"


def run(
    *arguments: str | Path, log: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the script as its reader does."""
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        input=log,
        capture_output=True,
        env=bare_variables() | variables,
        timeout=100,
        check=False,
    )
    encoding = variables.get("PYTHONIOENCODING", "utf-8")
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding)
    )


def test_the_script_names_pages_and_lines(tmp_path: Path) -> None:
    """Of standard input by the line, of files by file and line."""
    log = f"1 failed\nE   {CLOSED}\n".encode()
    done = run(log=log)
    assert done.returncode == 0
    title, page, line = done.stdout.splitlines()
    assert "Event loop is closed" in title
    assert page == "  docs/known-issues/event-loop-closed.md"
    assert line == f"  line 2: {CLOSED}"
    assert (PROJECT / page.strip()).is_file()
    first, second = tmp_path / "a.log", tmp_path / "b.log"
    first.write_bytes(log)
    second.write_bytes(b"status = StatusCode.UNAVAILABLE\n" + log)
    assert run(first, second).stdout.splitlines()[2:] == [
        f"  {first}:2: {CLOSED}",
        f"  {second}:3: {CLOSED}",
        "",
        "Perhaps: failed to connect to all addresses … Connection refused",
        "  docs/known-issues/connection-refused.md",
        f"  {second}:1: status = StatusCode.UNAVAILABLE",
    ]


@pytest.mark.parametrize("address", ["https://docs.test/grpc", "https://docs.test/grpc/"])
def test_the_script_knows_the_site_by_one_variable(address: str) -> None:
    """With a slash at its end or without."""
    said = run(log=CLOSED.encode(), SITE_URL=address).stdout.splitlines()
    assert said[1] == "  https://docs.test/grpc/known-issues/event-loop-closed/"


def test_the_script_says_so_when_nothing_fits() -> None:
    """And what to do then."""
    done = run(log=b"1 passed\n")
    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.startswith("Nothing that we know fits.\n")
    assert "PYTHONFAULTHANDLER=1" in done.stdout
    page = done.stdout.split()[-1]
    assert (PROJECT / page).is_file()


def test_the_script_answers_programs() -> None:
    """The same in JSON."""
    done = run("--json", log=CLOSED.encode())
    (fit,) = json.loads(done.stdout)
    assert fit["page"] == "docs/known-issues/event-loop-closed.md"
    assert fit["lines"] == [
        {"source": "", "line": 1, "text": CLOSED, "fits": CLOSED},
    ]
    nothing = run("--json", log=b"1 passed")
    assert (nothing.returncode, json.loads(nothing.stdout)) == (1, [])


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("log", ["\N{RIGHTWARDS ARROW} Segmentation fault", CLOSED])
def test_the_script_prints_what_its_output_has_letters_for(encoding: str, log: str) -> None:
    """And a question mark for the rest: the page is named all the same."""
    done = run(log=log.encode(), PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "  docs/known-issues/" in done.stdout
    arrow = "\N{RIGHTWARDS ARROW}"
    shown = log if encoding == "utf-8" else log.replace(arrow, "?")
    assert f"  line 1: {shown}" in done.stdout.splitlines()


def test_the_script_ends_quietly_where_nobody_reads_on() -> None:
    """As in `| head -1`; its status still tells whether something fits."""
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb") as closed:
        done = subprocess.run(
            [sys.executable, SCRIPT],
            input=CLOSED.encode(),
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=100,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "log", "said"),
    [
        (["--jsom"], b"x", "unrecognized arguments: --jsom"),
        (["nowhere.log"], b"", "nowhere.log: No such file or directory"),
        (["."], b"", ".: Is a directory"),
        ([], b"", "the log is empty: does it have standard error, too (2>&1)?"),
        ([], b" \n\n", "the log is empty"),
    ],
)
def test_the_script_tells_a_wrong_call_in_a_line(
    arguments: list[str], log: bytes, said: str
) -> None:
    """Its status is neither that of a hit nor that of none."""
    done = run(*arguments, log=log)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
    assert done.stdout == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_the_script_reads_any_bytes(encoding: str) -> None:
    """As a shell of Windows writes them, or a program that prints something else."""
    done = run(log=f"caf\u00e9\n{CLOSED}\n".encode(encoding))
    assert f"  line 2: {CLOSED}" in done.stdout.splitlines()


def test_a_log_of_thirty_megabytes_is_read() -> None:
    """To its last line."""
    line = "2026-11-25T23:28:29.8Z tests/test_a.py::test_b[{}] \x1b[32mPASSED\x1b[0m and so on\n"
    log = "".join(line.format(number) for number in range(400_000))
    assert len(log) > 30_000_000
    assert f"  line 400001: {CLOSED}" in run(log=(log + CLOSED).encode()).stdout.splitlines()


@pytest.mark.parametrize(
    "filler",
    [
        "[1:11:11 ",
        "> ",
        "\x1b]",
        "E",
        "&amp;",
        "\\",
        "No module named ",
        "failed to connect ",
        "a::",
        "a::b[] ",
    ],
)
def test_no_log_takes_more_than_its_share(filler: str, ask: Ask) -> None:
    """A megabyte without a line break, of what a rule begins with, is read like any other."""
    assert ask(filler * (1_000_000 // len(filler)) + "\n" + CLOSED, ISSUES)[0]["id"] == "closed"


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_the_script_runs_on_any_python(version: str) -> None:
    """Without anything installed."""
    found = subprocess.run(
        ["uv", "python", "find", "--no-project", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        pytest.skip(f"needs CPython {version}")
    done = subprocess.run(
        [found.stdout.strip(), "-I", SCRIPT],
        input=CLOSED,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "event-loop-closed" in done.stdout
    assert done.stderr == ""


def test_each_message_of_home_leads_to_the_page_that_stands_beside_it(ask: Ask) -> None:
    """The table is written by hand; the first page that the triage names is one of the row's."""
    home = (PROJECT / "docs/index.md").read_text(encoding="utf-8")
    table = home[home.index("{ #where-to-go-from-here }") :]
    owners = {
        page.stem: issue
        for issue, pages in front_matter.further_pages(PROJECT).items()
        for page in pages
    }
    rows = re.findall(r"^\| (.*`.*) \| (.*) \|$", table, re.MULTILINE)
    assert len(rows) > 5
    for said, read in rows:
        pages = re.findall(r"known-issues/([\w.-]+)\.md", read)
        for message in re.findall(r"`([^`]+)`", said):
            first, *_ = ask(message.replace("…", "echo"))
            assert first["id"] in {owners.get(page, page) for page in pages}, message
