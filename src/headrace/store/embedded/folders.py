"""Where a cluster's files go, and writing them so that the server's account can use them."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from headrace.errors import BadInput
from headrace.store.embedded.conf import PORT

_LOGS_KEPT = 6 * 24 * 3600  # seconds
_LONGEST_SOCKET = 103  # bytes in a socket's path on macOS; Linux allows 107


def make_folder(folder: Path) -> None:
    """Make a folder and what is missing above it. Raises BadInput when it cannot be made."""
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for path in missing:
            # For root, the server's account must get through; what is inside says who may read.
            path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise BadInput(
            f"The folder {folder} cannot be made: {error.strerror}.",
            hint="Name another one in HEADRACE_HOME.",
        ) from error


def socket_folder(folder: Path) -> Path:
    """Beside the data, or a short name in /tmp made from the folder's.

    libpq takes a comma for the end of a host, and the system's limit on a socket's path is low.
    TMPDIR is not asked: every user of the folder must come to the same answer.
    """
    beside = folder / "run"
    length = len(os.fsencode(beside / f".s.PGSQL.{PORT}"))
    if length <= _LONGEST_SOCKET and "," not in str(beside):
        return beside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(f"/tmp/headrace-{name}")  # noqa: S108 - made private by make_private


def forget_old(log: Path, output: Path) -> None:
    """The server overwrites last week's file at midnight, but only if it runs at midnight."""
    for file in log.glob("*.log"):
        if file == output or file.stat().st_mtime < time.time() - _LOGS_KEPT:
            file.unlink()


def replace_file(file: Path, text: str) -> None:
    """Replace a file at once, readable for the server's account."""
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o644)
    part.replace(file)
