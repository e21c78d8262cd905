"""One connected TCP socket on the event loop: told when it can be read or written."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import termios
from array import array
from collections.abc import Callable

_QUICKACK = getattr(socket, "TCP_QUICKACK", None)
_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)

UNHEARD_MS = 3000
"""how long the other machine may leave data unacknowledged before the system ends the connection

No longer than a command lives by default: what is still on its way then is dropped with the
connection instead of arriving late. Linux only.
"""


class SocketWatch:
    """Calls `readable` and `writable` for the socket with the number `fileno` until closed.

    It holds a second handle on the socket, so that its owner may wrap the first one in TLS or
    close it whenever it likes. Linux and macOS only: it needs a loop with `add_reader`.
    """

    def __init__(
        self, fileno: int, *, readable: Callable[[], None], writable: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._writable = writable
        self._writes = False
        self._count = array("i", [0])
        self._socket = socket.socket(fileno=os.dup(fileno))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if _USER_TIMEOUT is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, UNHEARD_MS)
        self._loop.add_reader(self._socket, readable)

    def writes(self, wanted: bool) -> None:
        """Whether to call `writable` from now on."""
        if wanted == self._writes:
            return
        self._writes = wanted
        if wanted:
            self._loop.add_writer(self._socket, self._writable)
        else:
            self._loop.remove_writer(self._socket)

    def acknowledge(self) -> None:
        """Acknowledge what was read at once: a broker with Nagle's algorithm waits for it.

        The system forgets this wish, so it is repeated after each read.
        """
        if _QUICKACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def waiting(self) -> bool:
        """Whether there is more to read now: cheaper than an attempt that fails."""
        fcntl.ioctl(self._socket, termios.FIONREAD, self._count)
        return self._count[0] > 0

    def close(self) -> None:
        """Watch no more."""
        self._loop.remove_reader(self._socket)
        self.writes(wanted=False)
        self._socket.close()
