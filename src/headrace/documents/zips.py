"""Zip archives that are documents: what their directory claims, looked at before anything unpacks.

Claims can lie. What unpacks to more than it claims meets the child's memory limit.
"""

from __future__ import annotations

import io
import struct
import zipfile

from headrace.errors import Skip

UNPACKED = 512 << 20
"""Bytes that all members together may unpack to."""
RATIO = 200
"""Times its packed size that a member may unpack to ..."""
RATIO_FROM = 10 << 20
"""... once it is larger than this many bytes: less is harmless at any ratio."""
MEMBERS = 10_000
DIRECTORY = 4 << 20
"""Bytes of directory that are loaded."""

_END = struct.Struct("<4s4H2LH")
_WIDE_END = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = 20
_LONGEST_COMMENT = 0xFFFF
_LOCAL_HEADER = 30
_BOMB = "If you trust it, open it in its own program and save it again, smaller or as a PDF."
_DAMAGED = "Download or copy it again: a file that is cut short looks like this."


def open_document(content: bytes) -> zipfile.ZipFile:
    """The archive, its directory checked. Raises Skip for a damaged, locked or hostile one."""
    _check_end(content)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, OSError) as error:
        raise Skip("The file is a damaged zip archive.", hint=_DAMAGED) from error
    _check_members(archive.infolist())
    return archive


def _check_end(content: bytes) -> None:
    """Look at the record at the archive's end, which says how large its directory is."""
    at = content.rfind(b"PK\5\6", max(0, len(content) - _LONGEST_COMMENT - _END.size))
    if at < 0 or at + _END.size > len(content):
        raise Skip("The file is a zip archive that is cut short.", hint=_DAMAGED)
    members, length = _END.unpack_from(content, at)[4:6]
    # Where there is a wide record, the standard library believes that one.
    wide = at - _LOCATOR - _WIDE_END.size
    if wide >= 0 and content.startswith(b"PK\6\6", wide):
        members, length = _WIDE_END.unpack_from(content, wide)[7:9]
    if members > MEMBERS or length > DIRECTORY:
        raise Skip(f"The file holds more than {MEMBERS:,} parts, as no document does.", hint=_BOMB)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MEMBERS:
        raise Skip(f"The file holds more than {MEMBERS:,} parts, as no document does.", hint=_BOMB)
    if any(info.flag_bits & 0x1 for info in members):
        raise Skip("The file is encrypted.", hint="Remove its password and give it again.")
    if sum(info.file_size for info in members) > UNPACKED:
        raise Skip(f"The file unpacks to more than {UNPACKED >> 20} MB.", hint=_BOMB)
    for info in members:
        if info.file_size > max(RATIO_FROM, RATIO * info.compress_size):
            raise Skip(
                f"A part of the file unpacks to over {RATIO} times its size, as in a zip bomb.",
                hint=_BOMB,
            )
    end = -1
    for info in sorted(members, key=lambda one: one.header_offset):
        if info.header_offset < end:
            raise Skip("Parts of the file overlap, as they do in a zip bomb.", hint=_BOMB)
        end = info.header_offset + _LOCAL_HEADER + info.compress_size
