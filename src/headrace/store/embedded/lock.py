"""Locks on files that the kernel frees when their holder dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from headrace.errors import BadInput, Unavailable

if sys.platform != "win32":
    import fcntl

# Longer than a holder needs to make data and start, so that the second outlasts the first.
PATIENCE = 300.0
_BETWEEN_TRIES = 0.02


class Lock:
    """An open lock file, not locked yet. Closing it, or dying, lets go of it.

    The lock belongs to this open file and not to the process: two Locks on one path exclude each
    other inside one process just as between two.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # O_CLOEXEC: a server that inherited the file would hold the lock for its own lifetime.
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadInput(
                f"{path} cannot be opened: {error.strerror}.",
                hint="Use the folder's own account, or name another folder in HEADRACE_HOME.",
            ) from error
        _open_locks.add(self)

    @property
    def closed(self) -> bool:
        return self._fd < 0

    def try_exclusive(self) -> bool:
        """Take it for this Lock alone, giving up a share it has; False when others have a share."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Take it together with others, giving up what this Lock had."""
        fcntl.flock(self._fd, fcntl.LOCK_SH)

    @contextmanager
    def exclusive(self, seconds: float = PATIENCE) -> Iterator[None]:
        """Wait for it and hold it through the block. Raises Unavailable after `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Another process has held {self.path} for more than {seconds:.0f} seconds.",
                    hint="It is starting or stopping PostgreSQL there and seems stuck: end it.",
                )
            time.sleep(_BETWEEN_TRIES)
        try:
            yield
        finally:
            if not self.closed:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        if self.closed:
            return
        # Said aloud: a child between fork and exec still has the file for an instant, and would
        # make a leaving neighbour believe that it is not the last one.
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._drop()

    def _drop(self) -> None:
        _open_locks.discard(self)
        os.close(self._fd)
        self._fd = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


_open_locks: set[Lock] = set()


def _forget_in_child() -> None:
    """A forked child shares its parent's locks; left open, they would outlive a killed parent."""
    for lock in list(_open_locks):
        lock._drop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
