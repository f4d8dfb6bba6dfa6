"""A bell that wakes a thread which waits for a socket too."""

from __future__ import annotations

import contextlib
import socket


class Bell:
    """`select` finds it readable once it was rung, from any thread, until it is hushed."""

    def __init__(self) -> None:
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)

    def fileno(self) -> int:
        """For `select`."""
        return self._ear.fileno()

    def ring(self) -> None:
        """Wake whoever waits, or the next one to wait."""
        with contextlib.suppress(BlockingIOError):  # it has rung often enough
            self._mouth.send(b"!")

    def hush(self) -> None:
        """What was rung so far has been heard."""
        with contextlib.suppress(BlockingIOError):
            while self._ear.recv(4096):
                pass
