"""Archives opened: a zip or a tar, whose members are read one by one and never written anywhere.

What an archive claims is looked at before anything is unpacked, and unpacking is bounded besides.
"""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial

import msgspec

from headrace.errors import Skip
from headrace.files.place import MOST_BYTES
from headrace.files.unpack import RATIO, RATIO_FROM, TOO_LARGE, UNPACKED, unpack
from headrace.text import one_line

MEMBERS = 10_000
"""Members of one archive, of whatever kind, at most."""

_LONGEST_NAME = 1024  # bytes: names are keys in the database
_LOCAL_HEADER = 30
_DIRECTORY_ENTRY = b"PK\1\2"
_TARS = {".tar": "", ".tar.gz": "gz", ".tgz": "gz", ".tar.bz2": "bz2", ".tbz2": "bz2",
         ".tar.xz": "xz", ".txz": "xz"}  # fmt: skip
_ENDINGS = (".zip", *_TARS)

# What the standard library raises for damage, in all the ways there are.
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)
_DAMAGED = "Download or copy it again: a file that is cut short looks like this."
_BOMB = "If you trust it, unpack it yourself and give the folder."


def is_archive(name: str) -> bool:
    """Whether a file is an archive, by its name: office files are zips too, and are documents."""
    return name.lower().endswith(_ENDINGS)


class Member(msgspec.Struct):
    """One file in an archive. `refused` says why it is not read; `told` that this is said whether
    anybody wants the file or not."""

    path: str
    size: int
    read: Callable[[], bytes]
    refused: str = ""
    told: bool = False


class Archive:
    """An archive's files, by path. Raises Skip for one that is damaged, too large or hostile."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = one_line(name)
        try:
            kind = next(one for one in _ENDINGS if name.lower().endswith(one))
            found = self._zip(content) if kind == ".zip" else self._tar(content, _TARS[kind])
        except _DAMAGE as error:
            raise Skip(
                f"{self.name} is a damaged archive, or none at all.", hint=_DAMAGED
            ) from error
        if sum(one.size for one in found) > UNPACKED:
            raise Skip(f"{self.name} {TOO_LARGE}", hint=_BOMB)
        self.members = {one.path: one for one in sorted(found, key=lambda one: one.path)}

    def read(self, path: str) -> bytes:
        """A member's bytes. Raises Skip for one that is refused or damaged."""
        member = self.members[path]
        shown = f"{self.name}: {one_line(path)}"
        if member.refused:
            raise Skip(f"{shown} {member.refused}.", hint="Unpack it yourself, if you trust it.")
        try:
            return member.read()
        except _DAMAGE as error:
            raise Skip(f"{shown} is damaged, or packed in a rare way.", hint=_DAMAGED) from error

    def _zip(self, content: bytes) -> list[Member]:
        if content.count(_DIRECTORY_ENTRY) > MEMBERS:  # before they are all made objects
            raise self._too_many()
        archive = zipfile.ZipFile(io.BytesIO(content))
        infos = archive.infolist()
        end = -1
        for info in sorted(infos, key=lambda one: one.header_offset):
            if info.header_offset < end:
                raise Skip(f"Members of {self.name} overlap, as in a zip bomb.", hint=_BOMB)
            end = info.header_offset + _LOCAL_HEADER + info.compress_size
        return [
            self._member(info.filename, info.file_size, _why_not(info), partial(archive.read, info))
            for info in infos
            if not info.is_dir()
        ]

    def _tar(self, content: bytes, packed: str) -> list[Member]:
        archive = tarfile.open(fileobj=unpack(self.name, content, packed), mode="r:")  # noqa: SIM115 - kept
        found = []
        for at, info in enumerate(archive):
            if at >= MEMBERS:
                raise self._too_many()
            if not info.isdir():
                why = "" if info.isreg() and not info.issparse() else "is a link or a device"
                found.append(self._member(info.name, info.size, why, partial(_of, archive, info)))
        return found

    def _member(self, name: str, size: int, why: str, read: Callable[[], bytes]) -> Member:
        parts = name.replace("\\", "/").split("/")
        path = "/".join(part for part in parts if part not in ("", "."))
        told = ""
        if name.startswith(("/", "\\")) or name[1:3] in (":/", ":\\"):
            told, path = "has a path from the root", f"/{path}"
        elif ".." in parts:
            told = "has a path that leads out of the archive"
        elif is_archive(path):
            told = "is an archive inside of an archive"
        if size > MOST_BYTES:
            why = f"is larger than {MOST_BYTES >> 20} MB"
        encoded = path.encode(errors="replace")
        if encoded.decode() != path:
            path, why = encoded.decode(), "has a name that is not text"
        if len(encoded) > _LONGEST_NAME:
            path, why = path[:100] + path[-100:], f"has a name over {_LONGEST_NAME} bytes"
        why = told or why
        return Member(path, 0 if why else size, read, why, bool(told))

    def _too_many(self) -> Skip:
        return Skip(f"{self.name} holds more than {MEMBERS:,} members.", hint=_BOMB)


def _why_not(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 0x1:
        return "is locked by a password"
    kind = info.external_attr >> 28  # of a Unix mode, where there is one: 8 is a regular file
    if info.create_system == 3 and kind not in (0, 8):
        return "is a link or a device"
    if info.file_size > max(RATIO_FROM, RATIO * info.compress_size):
        return f"unpacks to over {RATIO} times its size, as in a zip bomb"
    return ""


def _of(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    content = file.read() if file is not None else b""
    if len(content) != info.size:
        raise EOFError("cut short")
    return content
