"""Whether this process is about to end: what runs in it looks here, and what drains it, writes."""

from __future__ import annotations

import threading
import time


class Leaving:
    """Whether this process leaves, since when, and what has stopped for it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.present = False
        self.since = 0.0
        self.stopped: set[str] = set()
        self.hurry = threading.Event()


_now = Leaving()


def now() -> Leaving:
    """The state of this process's engine."""
    return _now


def arrive() -> None:
    """An engine starts: nobody leaves yet."""
    global _now
    _now = Leaving()
    _now.present = True


def depart() -> None:
    """The engine has ended, and this process may go on without one."""
    _now.present = False


def leaving() -> bool:
    """Whether this process is about to end, and what can stop should."""
    return _now.present and _now.begun.is_set()


def begin() -> None:
    """Leave: take no more work, and have what can stop do so. Safe in a signal handler."""
    if not _now.begun.is_set():
        _now.since = time.monotonic()
        _now.begun.set()


def hurry() -> None:
    """Wait for nothing any more."""
    begin()
    _now.hurry.set()


def been() -> bool:
    """Whether an engine has run in this process and ended."""
    return _now.begun.is_set() and not _now.present
