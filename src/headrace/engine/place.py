"""Where a process runs: what makes its id its own, and lets a neighbour see that it has ended."""

from __future__ import annotations

import os
import socket
import sys
import uuid
from functools import cache
from hashlib import blake2b
from pathlib import Path


def new_executor_id() -> str:
    """An id that no other process start has: sharing one makes recovery run a job twice.

    PostgreSQL cuts names of connections at 63 bytes, and more is to be added to this one.
    """
    return f"{socket.gethostname()[:20]}:{_place()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def gone(executor_id: str) -> bool:
    """Whether that process certainly no longer runs: it ran here, and here is nobody of its number.
    False also means that this cannot be known."""
    match executor_id.rsplit(":", 3):
        case [_, place, pid, _] if place and place == _place():
            pass
        case _:
            return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # somebody else's process: it is there
    return False


@cache
def _place() -> str:
    """One start of one kernel, and one space of process ids in it; empty where none can be told."""
    if sys.platform != "linux":
        return ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return blake2b(f"{boot}{space}".encode(), digest_size=3).hexdigest()
