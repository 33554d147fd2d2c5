"""The extract of valgrind's log is the write that matters, and nothing of this machine."""

import shutil
from pathlib import Path

import pytest

from tests.evidence.experiments.proof import (
    EXPERIMENT,
    SCRIPTS,
    NoProof,
    Watched,
    extract,
    watched,
)
from tests.evidence.outcome import Outcome, run
from tests.evidence.records import Record

LOG = """\
==7== Memcheck, a memory error detector
==7== Command: /home/somebody/bin/python repro.py
==7==
==7== Thread 3 other:
==7== Invalid write of size 4
==7==    at 0x1111: somewhere (else.c:1)
==7==  Address 0x2222 is 8 bytes inside a block of size 16 free'd
==7==    at 0x3333: free (in /usr/libexec/valgrind/vgpreload.so)
==7==    by 0x4444: task_step_impl (_asynciomodule.c:1)
==7==
==7== Thread 4 event_engine:
==7== Invalid write of size 8
==7==    at 0x8A5E53E: ??? (in /home/somebody/grpc/cygrpc.cpython-313-x86_64-linux-gnu.so)
==7==    by 0x8A5E822: ??? (in /home/somebody/grpc/cygrpc.cpython-313-x86_64-linux-gnu.so)
==7==    by 0x8A5E823: ??? (in /home/somebody/grpc/cygrpc.cpython-313-x86_64-linux-gnu.so)
==7==    by 0x4EC61F4: start_thread (pthread_create.c:442)
==7==  Address 0x7ba30d0 is 1,032 bytes inside a block of size 2,400 free'd
==7==    at 0x484417B: free (in /usr/libexec/valgrind/vgpreload.so)
==7==    by 0x73762D6: task_step_impl (_asynciomodule.c:2775)
==7==    by 0x4AE69FD: run_eval_code_obj (pythonrun.c:1323)
==7==  Block was alloc'd at
==7==    at 0x48417B4: malloc (in /usr/libexec/valgrind/vgpreload.so)
==7==
==7== Invalid write of size 8
==7==    at 0x9999: later (later.c:1)
==7==
"""


def test_the_write_into_the_freed_block_is_found() -> None:
    """Of several errors, it is the one by the event engine into what the task has freed."""
    found = extract(LOG)
    assert (found.thread, found.size, found.offset, found.block) == ("event_engine", 8, 1032, 2400)


def test_the_extract_is_short_and_masked() -> None:
    """Addresses and folders are left out, and frames that say nothing."""
    assert extract(LOG).lines == (
        "Thread event_engine:",
        "Invalid write of size 8",
        "   at 0x........: ??? (in cygrpc)",
        "   ...",
        "   by 0x........: start_thread (pthread_create.c:442)",
        " Address 0x........ is 1,032 bytes inside a block of size 2,400 free'd",
        "   at 0x........: free (in vgpreload.so)",
        "   by 0x........: task_step_impl (_asynciomodule.c:2775)",
        "   ...",
        " Block was alloc'd at",
        "   at 0x........: malloc (in vgpreload.so)",
    )


def seen(errors: int, contexts: int, mode: str, *outcomes: str, **parameters: str) -> Record:
    """Return the record of a process that memcheck has watched."""
    return Record(
        parameters={"group": "loops", "subject": "by_hand", **parameters, "mode": mode},
        date="2001-01-01",
        platform="here",
        python="3.13.0",
        runs=1,
        outcomes=dict.fromkeys(outcomes, 1),
        facts={"errors": errors, "contexts": contexts, "valgrind": "3.19.0"},
    )


def test_errors_are_told_before_and_after() -> None:
    """A hang is told beside the errors; under the guard a session without any says so."""
    sections = EXPERIMENT.sections(
        [
            seen(119, 12, "plain", "passed", group=SCRIPTS, subject="pinned.py"),
            seen(0, 0, "pinned", "passed", group=SCRIPTS, subject="pinned.py"),
            seen(17, 1, "plain", "hung"),
            seen(0, 0, "guard", "passed"),
            seen(1, 1, "plain", "failed", subject="asyncio_run"),
        ]
    )
    assert "| `pinned.py` | 119 errors in 12 places | `--pinned`: none |" in sections["scripts"]
    assert (
        "cancelled, then the loop is closed | 17 errors in 1 place, and it hangs | none |"
        in (sections["leaks"])
    )
    assert "| 1 error in 1 place, and it fails | not measured |" in sections["leaks"]
    assert sections["summary"] == (
        "One session of each way to leak a server: 18 errors in 2/2 sessions as they are, and "
        "0 errors in 0/1 sessions under the guard."
    )


def test_memcheck_counts_what_it_sees(tmp_path: Path) -> None:
    """The errors of a process are counted; what does not end is ended, and counted as well."""
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")

    def shell(script: str) -> Watched:
        return watched(
            lambda under, variables: run(
                [*under, "sh", "-c", script], folder=tmp_path, seconds=60, variables=variables
            ),
            seconds=5,
        )

    clean, hanging = shell("exit 1"), shell("while :; do :; done")
    assert (clean.outcome, clean.errors, clean.contexts) == (Outcome.FAILED, 0, 0)
    assert (hanging.outcome, hanging.errors) == (Outcome.HUNG, 0)


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("==7== All heap blocks were freed\n", "no invalid write"),
        (LOG.replace("task_step_impl", "???"), "symbols"),
        (LOG.replace("event_engine", "python"), "none by event_engine"),
    ],
)
def test_no_proof_is_said(log: str, reason: str) -> None:
    """Where the write is not to be seen, the message says what is."""
    with pytest.raises(NoProof, match=reason):
        extract(log)
