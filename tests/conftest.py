"""How many processes share the tests where `--numprocesses auto` is given, and what they hear."""

import os
import signal

# A job in the background of a script ignores Ctrl-C, and all that it starts: also the processes
# whose tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int | None:
    """Start two for each processor: half of the time a test only waits.

    They wait for runs that hang until their deadline, browsers, and processes that start. What the
    environment says goes before.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) * 2
    return (os.cpu_count() or 1) * 2
