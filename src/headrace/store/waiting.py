"""Starting before PostgreSQL does: a service waits for it, says so once, and goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from headrace import telemetry
from headrace.errors import Unavailable
from headrace.store.database import unavailable

_ASK_SECONDS = 0.5

_PASSES = ("starting up", "shutting down", "recovery", "not yet accepting", "too many")
"""What a server that does answer says when it will let one in later."""

T = TypeVar("T")


def patiently(seconds: float, work: Callable[[], T]) -> T:
    """Do what needs PostgreSQL, again and again while it does not answer, for at most so long.
    Raises Unavailable in the end, and anything else that `work` raises at once."""
    until = time.monotonic() + seconds
    said = False
    while True:
        try:
            done = work()
        except (Unavailable, psycopg.OperationalError) as found:
            error = found if isinstance(found, Unavailable) else unavailable(found)
            if not _may_pass(error) or time.monotonic() >= until:
                raise error from found
            if not said:
                telemetry.waiting(error.message, seconds)
            said = True
        else:
            if said:
                telemetry.waited()
            return done
        time.sleep(_ASK_SECONDS)


def _may_pass(error: Unavailable) -> bool:
    """Whether it is worth asking again: nobody answers, or it says itself that it will. A wrong
    password does not get right, nor does a database come to be."""
    if not error.message.startswith("PostgreSQL does not answer"):
        return False
    return "FATAL" not in error.message or any(one in error.message for one in _PASSES)
