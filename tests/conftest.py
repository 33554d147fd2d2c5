"""How many processes share the tests where `--numprocesses auto` is given."""

import os


def pytest_xdist_auto_num_workers() -> int | None:
    """Start half as many again as there are processors: a third of the time tests only wait.

    They wait for runs that hang until their deadline, browsers, and processes that start. What the
    environment says goes before.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) * 3 // 2
    return (os.cpu_count() or 1) * 3 // 2
