"""A program that runs a command and writes what it took: `python meter.py RESULT COMMAND …`.

The result is JSON: `cpu`, the processor seconds of the command and of all below it; `wall`, in
seconds; `peak`, the memory of its largest process in MiB. Where the system is not Linux, a process
that its own parent has not waited for is not counted.
"""

import contextlib
import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

_UNIT = 1024 if sys.platform == "darwin" else 1
"""Of `ru_maxrss`, in units that are 1024 to the MiB."""
_PR_SET_CHILD_SUBREAPER = 36


def main(result: str, *command: str) -> int:
    """Run the command and return its exit status; wait for every child that this process has."""
    if sys.platform == "linux":  # what outlives its parent comes here, to be waited for
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    began = time.monotonic()
    status = subprocess.run(command, check=False).returncode
    wall = time.monotonic() - began
    with contextlib.suppress(ChildProcessError):
        while os.wait():
            pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = {
        "cpu": round(used.ru_utime + used.ru_stime, 3),
        "wall": round(wall, 3),
        "peak": round(used.ru_maxrss / _UNIT / 1024, 1),
    }
    Path(result).write_text(json.dumps(taken), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
