"""Starting the server again when it dies under its users.

PostgreSQL itself replaces every process of its own but the first: when that one is killed, as a
system out of memory may do, nobody is left to come back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from headrace.errors import HeadraceError

_LOOK_SECONDS = 1.0


@contextmanager
def keeping(revive: Callable[[], None]) -> Iterator[None]:
    """Call `revive` every second, in a thread of its own, while the context lasts."""
    stop = threading.Event()

    def keep() -> None:
        while not stop.wait(_LOOK_SECONDS):
            try:
                revive()
            except (HeadraceError, OSError):
                pass  # whoever asks the server for something says what is wrong; and it may pass

    thread = threading.Thread(target=keep, name="headrace-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
