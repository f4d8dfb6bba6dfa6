"""Opening files somebody named, without trusting what they are, and telling when they changed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from headrace.errors import BadInput, Retry

_PROOF_BYTES = 4096
# Non-blocking, or opening a FIFO would wait for somebody to write to it.
_FLAGS = os.O_RDONLY
for _flag in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # not every system has each
    _FLAGS |= getattr(os, _flag, 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError about `path` into BadInput (a person must act) or Retry (disk trouble)."""
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_THERE:
            raise BadInput(
                f"There is no {show(path)}.", hint="Check the path; links that loop lead nowhere."
            ) from error
        if error.errno in _NOT_ALLOWED:
            raise BadInput(
                f"{show(path)} may not be read.",
                hint="Give the account that runs Headrace permission to read it.",
            ) from error
        raise Retry(f"{show(path)} cannot be read now: {error.strerror}.", after=30.0) from error


def open_plain(path: Path, *, follow: bool = False) -> BinaryIO:
    """Open a regular file, unbuffered. Raises BadInput for anything else, Retry for I/O errors.

    `follow` allows the last component to be a symbolic link: right only for a path that a person
    gave, not for one that was found inside a folder.
    """
    with explained(path):
        file = open_if_plain(path, follow=follow)
    if file is None:
        raise BadInput(
            f"{show(path)} is not a plain file.",
            hint="Name an mbox, .eml, .ics or archive file, or a folder that holds some.",
        )
    return file


def open_if_plain(path: Path, *, follow: bool = False) -> BinaryIO | None:
    """The same, with None for what is no regular file and OSError for everything else."""
    descriptor = os.open(path, _FLAGS | (0 if follow else _NO_FOLLOW))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb", buffering=0)


def stamp(status: os.stat_result) -> str:
    """Changes whenever the file's content does; equal stamps need no look inside.

    The change time is in it because a modification time can be set back; a change of nothing but
    the change time costs a second reading, which lands nothing.
    """
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def proof(file: BinaryIO, at: int) -> str:
    """A digest of the file's beginning and of what lies before offset `at`: moves `file`.

    While it holds, the file up to `at` is taken to be what was read before, only longer now.
    """
    digest = hashlib.sha256()
    for start in (0, max(0, at - _PROOF_BYTES)):
        file.seek(start)
        digest.update(_read_fully(file, min(_PROOF_BYTES, at - start)))
    return digest.hexdigest()[:32]


def _read_fully(file: BinaryIO, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := file.read(count - len(data))):
        data += more
    return data


def read_up_to(file: BinaryIO, most: int) -> bytes:
    """Everything in the file, or its first `most` + 1 bytes: one too many says there is more."""
    return _read_fully(file, most + 1)


def show(path: Path) -> str:
    """A path as a person may read it: file names need not be valid text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
