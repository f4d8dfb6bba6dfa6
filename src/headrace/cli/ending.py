"""How a service ends: a signal is how it is meant to, and a second one ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from headrace.cli import Stop

_AT_ONCE_SECONDS = 2.0
"""Enough to hand over what is left and to close what is open, where nothing is in the way."""


class Ending:
    """What signals do to a service. While it starts, the first one stops it wherever it is."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self.code = 0
        self._begin: Callable[[], None] | None = None
        self._hurry: Callable[[], None] = lambda: None

    def ready(self, begin: Callable[[], None], hurry: Callable[[], None]) -> None:
        """It works: from now on the first signal calls `begin`, the second `hurry`. One that came
        while it started, and whose Stop was lost on the way, is made good."""
        self._begin, self._hurry = begin, hurry
        if self.told.is_set():
            begin()

    def wait(self) -> None:
        """Until it is told to end."""
        while not self.told.wait(3600):
            pass

    def signalled(self, number: int, _frame: Any = None) -> None:
        """Handles a signal."""
        if not self.told.is_set():
            self.told.set()
            if self._begin is None:
                raise Stop(number)
            self._begin()
            return
        self.code = 128 + number
        late = threading.Timer(_AT_ONCE_SECONDS, os._exit, [self.code])
        late.daemon = True
        late.start()
        self._hurry()

    def leave(self) -> None:
        """After everything is closed. Raises typer.Exit where the process is not to end with 0."""
        if self.code:
            raise typer.Exit(self.code)


@contextmanager
def ending() -> Iterator[Ending]:
    """Around a service: it ends with 0 when it is told to, with 128 and the signal's number when it
    had to be told twice."""
    mine = Ending()
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as with nohup
            signal.signal(number, mine.signalled)
    try:
        yield mine
    except Stop:
        pass
    mine.leave()
