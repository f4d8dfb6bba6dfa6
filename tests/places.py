"""Folders for a PostgreSQL of the tests'."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3
"""Bytes that have to be free there; what the suite needs at a time is some hundred million."""


def made_folder(name: str) -> Path:
    """A new folder that the server's account may pass through, in memory where there is room.

    The suite makes a thousand databases of some hundred files each and drops them. A disk's ext4
    does not use a deleted file's place again for minutes, and looks past every one of them for
    each new file: a database then takes 0.4 s of processor time there, and 0.02 s in memory.
    """
    # Not pytest's own folder: root's is closed to the account that the server runs under.
    folder = Path(tempfile.mkdtemp(prefix=f"headrace-{name}-", dir=_memory()))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    return folder


def _memory() -> Path | None:
    """The file system in memory, None where there is none, or not enough of it."""
    if not os.access(_MEMORY, os.W_OK | os.X_OK):
        return None
    if os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:  # some tests put the programs beside the data
        return None
    return _MEMORY if shutil.disk_usage(_MEMORY).free > _ROOM else None
