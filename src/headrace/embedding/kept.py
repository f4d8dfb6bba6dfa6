"""Files that are made once and kept: whole or not there, whoever dies and however many make them.

A file is called `<key>-<SHA-256 of its content>.onnx`, so that a damaged one is known at once.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.errors import Unavailable

if sys.platform != "win32":
    import fcntl


def kept(folder: Path, key: str, make: Callable[[], bytes]) -> Path:
    """The file of this key in the folder, made now if it is missing or damaged.

    Processes that want the same file wait for the first one to make it; the kernel ends their
    waiting when that one dies. Raises Unavailable when the folder cannot be written to.
    """
    try:
        if found := _sound(folder, key):
            return found
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f"{key}.lock"):
            return _sound(folder, key) or _write(folder, key, make())
    except OSError as error:
        raise Unavailable(
            f"The model cannot be kept in {folder}: {(error.strerror or str(error)).lower()}.",
            hint="Make room there or give this account the right to write, or move HEADRACE_HOME.",
        ) from error


def _sound(folder: Path, key: str) -> Path | None:
    for file in folder.glob(f"{key}-*.onnx"):
        with file.open("rb") as opened:
            if file.stem == f"{key}-{hashlib.file_digest(opened, 'sha256').hexdigest()}":
                return file
    return None


def _write(folder: Path, key: str, content: bytes) -> Path:
    for old in folder.glob(f"{key}-*.onnx"):
        old.unlink()  # damaged, or it would have been taken
    file = folder / f"{key}-{hashlib.sha256(content).hexdigest()}.onnx"
    part = folder / f"{key}.part"  # one name: what a process left when it died is written over
    with part.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(file)
    if sys.platform != "win32":
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    return file


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock file; closing it, or dying, lets go of it."""
    with path.open("ab") as opened:
        if sys.platform != "win32":  # there two may build at once: each puts a whole file in place
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
