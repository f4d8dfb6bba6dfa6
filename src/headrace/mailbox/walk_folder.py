"""Walking messages that are a file each: a Maildir folder, a folder of .eml files, one .eml."""

from __future__ import annotations

import errno
import os
import re
from datetime import UTC, datetime
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec

from headrace.mail.dates import LATEST
from headrace.mailbox import listing
from headrace.mailbox.files import explained, open_if_plain, read_up_to
from headrace.mailbox.limits import KEPT_OF_OVERSIZE, MESSAGE_CAP
from headrace.mailbox.record import oversize, to_record
from headrace.mailbox.walk import Filling, Source, Walk, read_cursor
from headrace.provider import JSON, BadRecord, Page, Record

# Maildir names begin with the second of delivery.
_DELIVERED = re.compile(rb"(\d{9,10})[._]")
_APPLE_LENGTH = re.compile(rb"\s*(\d{1,10})\s*\n")
_UNREADABLE = {errno.EACCES, errno.EPERM, errno.ELOOP}


class FolderCursor(msgspec.Struct, forbid_unknown_fields=True):
    """`since` is the change time (ns) from which files are read, `next` what it will be in the
    next run, `seen` a digest of what was there when this run began. `after` is the last file read
    (percent-encoded: file names need not be text), None between runs.
    """

    since: int = 0
    next: int = 0
    seen: str = ""
    after: str | None = None


class Folder(Walk):
    """A folder of messages. The names still to read are kept between pages, ~200 bytes each.

    A file is read if it changed since the run before began, less a minute: by change time, so
    that a message moved in from elsewhere counts whatever its age and name. A Maildir message
    whose flags changed was renamed; it is read again and found unchanged.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._queue: list[tuple[bytes, bytes]] | None = None
        self._state = FolderCursor()
        self._others = 0
        self._renamed: dict[bytes, bytes] | None = None

    def page(self, cursor: JSON) -> Page:
        """The page at `cursor`; nothing is opened if nothing in the folder has changed."""
        source = self._source
        known = read_cursor(cursor, FolderCursor) or FolderCursor()
        filling = Filling()
        self._renamed = None
        with explained(source.path):
            if known.after is None and known.seen and known.seen == listing.seen(source):
                return Page(records=[], cursor=cursor, more=False)
            if self._queue is None or self._state != known:
                self._begin(known)
            queue = self._queue or []
            while queue and not filling.full:
                key, name = queue.pop()
                self._state.after = quote_from_bytes(key)
                for item in self._read(key, name):
                    filling.add(item)
        if queue:
            return filling.page(self._state, more=True, left=len(queue))
        self._queue = None
        notes = {"ignored": f"{self._others} entries that are no plain files"}
        state = FolderCursor(since=self._state.next, seen=self._state.seen)
        return filling.page(state, more=False, notes=notes if self._others else None)

    def _begin(self, known: FolderCursor) -> None:
        after = unquote_to_bytes(known.after) if known.after is not None else None
        found = listing.take(self._source, known.since, after)
        self._queue, self._others = found.queue, found.others
        # A run that is gone on with keeps what its own beginning saw.
        self._state = FolderCursor(
            since=known.since,
            next=known.next if after is not None else found.next,
            seen=known.seen if after is not None else found.seen,
            after=known.after,
        )

    def _read(self, key: bytes, name: bytes) -> list[Record | BadRecord]:
        """The message in that file, none if the file is gone: deleted, or renamed and found."""
        item = self._read_file(name, key)
        if item is None:
            if self._renamed is None:
                self._renamed = {one.key: one.name for one in listing.entries(self._source)}
            name = self._renamed.get(key, name)
            item = self._read_file(name, key)
        return [] if item is None else [item]

    def _read_file(self, name: bytes, key: bytes) -> Record | BadRecord | None:
        single = self._source.kind == "eml" and not self._source.path.is_dir()
        path = self._source.path if single else self._source.path / os.fsdecode(name)
        where = name.decode("utf-8", "backslashreplace")
        try:
            file = open_if_plain(path, follow=single and self._source.follow)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in _UNREADABLE:
                raise
            return _unreadable(where, key)
        if file is None:
            return None
        with file:
            data = read_up_to(file, MESSAGE_CAP)
            if len(data) > MESSAGE_CAP:
                size = max(os.fstat(file.fileno()).st_size, len(data))
                return oversize(data[:KEPT_OF_OVERSIZE], size, where)
        if path.suffix.lower() == ".emlx":
            data = _without_apple_frame(data)
        delivered = _delivered(key) if self._source.kind == "maildir" else None
        return to_record(data, where, delivered=delivered)


def _unreadable(where: str, key: bytes) -> BadRecord:
    return BadRecord(
        raw=b"",
        reason=f"{where} may not be read.",
        hint="Give the account that runs Headrace permission to read it, then touch the file.",
        source_id=f"file/{quote_from_bytes(key)[:200]}",
    )


def _delivered(name: bytes) -> datetime | None:
    found = _DELIVERED.match(name)
    when = datetime.fromtimestamp(int(found[1]), UTC) if found else None
    return when if when is not None and when < LATEST else None


def _without_apple_frame(data: bytes) -> bytes:
    """Apple Mail's .emlx: a line with the message's length, the message, a property list."""
    length = _APPLE_LENGTH.match(data)
    if length is None:
        return data
    return data[length.end() : length.end() + int(length[1])]
