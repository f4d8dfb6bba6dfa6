"""Zip archives, such as Google Takeout's: which members are mail, and their unpacked bytes.

Nothing is extracted to disk, and a member's name is never a path: it is shown, and it is matched.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

from headrace.errors import BadInput
from headrace.mailbox.files import explained, open_plain, show
from headrace.mailbox.limits import (
    ARCHIVE_DIRECTORY,
    ARCHIVE_ENTRIES,
    ARCHIVE_RATIO,
    ARCHIVE_RATIO_FROM,
)
from headrace.mailbox.packed import DAMAGE, Unpacked

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 0xFFFF
_READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
_DAMAGED = "Download or copy it again: an archive that is cut short looks like this."


def open_zip(path: Path, *, follow: bool = False) -> zipfile.ZipFile:
    """Open an archive whose directory is of a sane size. Raises BadInput with what is wrong.

    The caller closes both the archive and its `fp`.
    """
    raw = open_plain(path, follow=follow)
    try:
        with explained(path):
            _check_directory(raw, path)
            return zipfile.ZipFile(cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", raw))))
    except (*DAMAGE, ValueError, struct.error, UnicodeDecodeError) as error:
        raw.close()
        raise BadInput(f"{show(path)} is a damaged zip archive.", hint=_DAMAGED) from error
    except BaseException:
        raw.close()
        raise


def _check_directory(file: BinaryIO, path: Path) -> None:
    """Look at the record at the archive's end, which says how large its directory is."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _LONGEST_COMMENT - _END.size - _LOCATOR.size)
    file.seek(start)
    tail = b""
    while data := file.read(size - start - len(tail)):
        tail += data
    plain = tail[-_END.size :]
    if plain.startswith(b"PK\5\6") and plain.endswith(b"\0\0"):
        at = len(tail) - _END.size
    else:
        at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        raise zipfile.BadZipFile("no end record")
    fields = _END.unpack_from(tail, at)
    entries, length = fields[4], fields[5]
    if at >= _LOCATOR.size and tail.startswith(b"PK\6\7", at - _LOCATOR.size):
        offset = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)[2]
        file.seek(offset)
        record = file.read(_END_64.size)
        if len(record) == _END_64.size and record.startswith(b"PK\6\6"):
            wide = _END_64.unpack(record)
            entries, length = max(entries, wide[7]), wide[8]
    if entries > ARCHIVE_ENTRIES or length > ARCHIVE_DIRECTORY:
        raise BadInput(
            f"{show(path)} holds more than the {ARCHIVE_ENTRIES:,} files allowed.",
            hint="Unpack it and name the folder or the .mbox file in it.",
        )


def fault(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Why a member cannot be read, and what to do; None if it can, as far as its header says."""
    if info.flag_bits & 0x1:
        return "is encrypted", "Unpack the archive with its password and name what comes out."
    if info.compress_type not in _READABLE:
        return "is packed in a way that cannot be read", "Unpack the archive and name the folder."
    if (
        info.file_size > ARCHIVE_RATIO_FROM
        and info.file_size > max(info.compress_size, 1) * ARCHIVE_RATIO
    ):
        return (
            f"claims to unpack to more than {ARCHIVE_RATIO} times its size, as no mail does",
            "It may be a zip bomb. If you trust it, unpack it yourself and name the folder.",
        )
    return None


def overlapping(members: list[zipfile.ZipInfo]) -> bool:
    """Whether members share packed bytes, as they do in a bomb and in no real archive."""
    end = -1
    for info in sorted(members, key=lambda one: one.header_offset):
        if info.header_offset < end:
            return True
        end = info.header_offset + info.compress_size
    return False


def unpack(path: Path, member: int, entry: str, *, follow: bool = False) -> Unpacked:
    """The unpacked bytes of a member, which has to bear the name `entry`. Raises BadInput."""
    archive = open_zip(path, follow=follow)
    packed = cast("BinaryIO", archive.fp)
    try:
        info = _member(archive, path, member, entry)
        stream = archive.open(info)
    except (*DAMAGE, RuntimeError, UnicodeDecodeError) as error:
        packed.close()
        raise BadInput(f"{show(path)} is a damaged zip archive.", hint=_DAMAGED) from error
    except BaseException:
        packed.close()
        raise
    return Unpacked(cast("BinaryIO", stream), packed, info.header_offset, info.file_size)


def identify(path: Path, member: int, entry: str, *, follow: bool = False) -> str:
    """What tells one content of a member from another, from the directory alone."""
    archive = open_zip(path, follow=follow)
    try:
        info = _member(archive, path, member, entry)
    finally:
        cast("BinaryIO", archive.fp).close()
    return f"{info.CRC:08x}-{info.file_size}"


def _member(archive: zipfile.ZipFile, path: Path, member: int, entry: str) -> zipfile.ZipInfo:
    members = archive.infolist()
    if member >= len(members) or members[member].filename != entry:
        raise BadInput(
            f"{show(path)} was replaced while it was read.", hint="Run the import again."
        )
    return members[member]


def folder_of(entry: str) -> str:
    """The folder part of a member's name, "" at the top."""
    return entry.rpartition("/")[0]
