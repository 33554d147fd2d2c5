"""The root of all that the checker starts: `Supervisor` starts it, and nobody else speaks with it.

It forks keepers, which run the programs, and knows the folders that must not outlive the checker.
When the checker's end of its socket closes, whatever ended the checker, it ends all that is below
it and removes those folders.
"""

import array
import contextlib
import os
import select
import signal
import socket
import struct
import sys
from typing import NoReturn

from mkdocs_blocks.keeper import DEFAULT_SIGNALS, HEADER, GoneError, Keeper, receive, send
from mkdocs_blocks.process_tree import Family, remove


class Root:
    """Forks keepers, and ends all when the checker is gone."""

    def __init__(
        self, channel: socket.socket, psutil_at: str, grace: float, *, plain: bool
    ) -> None:
        """Serve the checker's end of `channel`; `plain`: as if there were no subreapers."""
        self._channel = channel
        self._psutil_at = psutil_at
        self._grace = grace
        self._plain = plain
        self._family = Family(psutil_at, plain=plain)
        self._keepers: set[int] = set()
        self._removers: dict[int, str] = {}
        """The children that remove a folder, and which."""
        self._folders: set[str] = set()

    def work(self) -> None:
        """Do what is asked until the other end closes."""
        with contextlib.suppress(GoneError):
            while True:
                select.select([self._channel.fileno(), self._family.wake], [], [])
                self._reap()
                if select.select([self._channel], [], [], 0)[0]:
                    kind, data = receive(self._channel)
                    text = data.decode(errors="surrogateescape")
                    if kind == b"A":
                        self._folders.add(text)
                    elif kind == b"F":
                        self._folders.discard(text)
                    elif kind == b"R":
                        self._remove(text)
                    elif kind == b"K":
                        self._fork()
                    else:
                        self._settle(int(text))
        self._family.end()
        for folder in self._folders:
            remove(folder)

    def _reap(self) -> None:
        """End what a keeper that did not end by itself has left."""
        self._family.reap()
        lost = self._keepers.intersection(self._family.ended)
        for pid in self._removers.keys() & self._family.ended.keys():
            self._folders.discard(self._removers.pop(pid))
        self._family.ended.clear()
        if lost:
            self._keepers -= lost
            self._family.end(self._keepers | self._removers.keys())

    def _remove(self, folder: str) -> None:
        """Remove a folder by a child: the disk is slow, and the checker has other things to do."""
        self._folders.add(folder)
        remover = os.fork()
        if remover == 0:
            try:
                self._channel.close()
                remove(folder)
            finally:
                os._exit(0)
        self._removers[remover] = folder

    def _settle(self, keeper: int) -> None:
        """End a keeper that does not do its work, and what it has left; say when it is done."""
        send(self._channel, b"K")
        if keeper in self._keepers:
            # A child that has not been waited for: its number is nobody else's.
            os.kill(keeper, signal.SIGKILL)
            while keeper in self._keepers:
                select.select([self._family.wake], [], [], 0.02)
                self._reap()
        send(self._channel, b"E")

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        keeper = os.fork()
        if keeper == 0:
            try:
                theirs.close()
                self._channel.close()
                os.close(self._family.wake)
                Keeper(ours, Family(self._psutil_at, plain=self._plain), self._grace).work()
            finally:
                os._exit(0)
        self._keepers.add(keeper)
        ours.close()
        rights = array.array("i", [theirs.fileno()])
        try:
            self._channel.sendmsg(
                [HEADER.pack(b"K", 4) + struct.pack("!I", keeper)],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)],
            )
        except OSError as error:
            raise GoneError from error
        theirs.close()


def main() -> NoReturn:
    """Be the root; arguments: the socket's descriptor, the folder of psutil, the grace."""
    for number in DEFAULT_SIGNALS:
        # A block knows its parent, and can send it what it likes. What a keeper starts begins as
        # if nothing were ignored.
        if number != signal.SIGCHLD:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
    channel = socket.socket(fileno=int(sys.argv[1]))
    Root(channel, sys.argv[2], float(sys.argv[3]), plain="plain" in sys.argv).work()
    os._exit(0)
