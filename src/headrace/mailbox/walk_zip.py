"""Walking the .eml files in a folder of a zip archive."""

from __future__ import annotations

import hashlib
import zipfile
from typing import BinaryIO, cast

import msgspec

from headrace.mailbox.files import explained, stamp
from headrace.mailbox.limits import KEPT_OF_OVERSIZE, MESSAGE_CAP
from headrace.mailbox.packed import DAMAGE
from headrace.mailbox.record import oversize, to_record
from headrace.mailbox.walk import RESTARTED, Filling, Source, Walk, read_cursor
from headrace.mailbox.zipped import fault, folder_of, open_zip
from headrace.provider import JSON, BadRecord, Page, Record


class ZipCursor(msgspec.Struct, forbid_unknown_fields=True):
    """`at` is the number of the next message, `of` identifies what they are counted in."""

    at: int
    of: str
    done: bool = False


class ZipFolder(Walk):
    """The .eml members of one folder of an archive, in the archive's order; kept open between
    pages. A member that cannot be unpacked becomes a bad record, alone.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._archive: zipfile.ZipFile | None = None
        self._members: list[zipfile.ZipInfo] = []
        self._of = ""
        self._stamp = ""

    def page(self, cursor: JSON) -> Page:
        """The page at `cursor`; nothing is unpacked if all of it was read and is unchanged."""
        known = read_cursor(cursor, ZipCursor)
        notes: dict[str, str] = {}
        with explained(self._source.path):
            archive = self._opened()
            if known is not None and known.of != self._of:
                known, notes = None, {"restarted": RESTARTED}
            if known is not None and known.done:
                self.close()
                return Page(records=[], cursor=cursor, more=False)
            at = known.at if known is not None else 0
            filling = Filling()
            while at < len(self._members) and not filling.full:
                filling.add(_read(archive, self._members[at]))
                at += 1
        left = len(self._members) - at
        if not left:
            self.close()
        state = ZipCursor(at, self._of, done=not left)
        return filling.page(state, more=left > 0, notes=notes, left=left)

    def _opened(self) -> zipfile.ZipFile:
        now = stamp(self._source.path.stat())
        if self._archive is None or self._stamp != now:
            self.close()
            self._archive = open_zip(self._source.path, follow=self._source.follow)
            self._stamp = now
            self._members = [
                info
                for info in self._archive.infolist()
                if info.filename.lower().endswith(".eml")
                and folder_of(info.filename) == self._source.entry
            ]
            digest = hashlib.sha256()
            for info in self._members:
                name = info.filename.encode("utf-8", "surrogatepass")
                digest.update(b"%s\0%d\0%d\0" % (name, info.CRC, info.file_size))
            self._of = digest.hexdigest()[:32]
        return self._archive

    def close(self) -> None:
        """Close the archive."""
        if self._archive is not None:
            cast("BinaryIO", self._archive.fp).close()
        self._archive, self._members = None, []


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Record | BadRecord:
    name = info.filename
    problem = fault(info)
    if problem is None:
        try:
            with archive.open(info) as stream:
                data = stream.read(MESSAGE_CAP + 1)
        except (*DAMAGE, RuntimeError, UnicodeDecodeError) as error:
            problem = f"is damaged ({error})", "Get the archive again and run the import again."
        else:
            if len(data) > MESSAGE_CAP:
                return oversize(data[:KEPT_OF_OVERSIZE], info.file_size, name)
            return to_record(data, name)
    what, hint = problem
    return BadRecord(
        raw=b"", reason=f"{name} {what}.", hint=hint, source_id=f"zip/{info.CRC:08x}/{name[:200]}"
    )
