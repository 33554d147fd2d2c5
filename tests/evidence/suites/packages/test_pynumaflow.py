"""pynumaflow: a server that runs in a loop of aiorun and uvloop, until a signal ends it."""

import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from conftest import METHOD, Forgotten
from pynumaflow.mapper import MapAsyncServer


async def map_to_nothing(keys: object, datum: object) -> AsyncIterator[object]:
    """Map nothing."""
    del keys, datum
    nothing: tuple[object, ...] = ()
    for message in nothing:
        yield message


def end_when_it_answers(folder: Path) -> None:
    """Wait for the file that tells that it has started, call it, and end it by a signal."""
    while not (folder / "info").exists():
        time.sleep(0.01)
    with grpc.insecure_channel(f"unix://{folder}/map.sock") as channel:
        call = channel.unary_unary(METHOD, bytes, bytes).future(b"", timeout=5.0)
        assert call.code() is grpc.StatusCode.UNIMPLEMENTED
    os.kill(os.getpid(), signal.SIGTERM)


def test_leaks_in_ordinary_use(tmp_path: Path, forgotten: Forgotten) -> None:
    """A signal cancels its tasks, all at once, and with them what waits for its calls."""
    server = MapAsyncServer(
        map_to_nothing,
        sock_path=str(tmp_path / "map.sock"),
        server_info_file=str(tmp_path / "info"),
    )
    client = threading.Thread(target=end_when_it_answers, args=(tmp_path,))
    client.start()
    server.start()
    client.join()
    forgotten.keep(server, f"unix://{tmp_path}/map.sock")


def test_next() -> None:
    """The run goes on."""
