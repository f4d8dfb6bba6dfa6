"""Walking an mbox: one that lies on disk as it is, and one inside a compressed file."""

from __future__ import annotations

import os
from typing import BinaryIO

import msgspec

from headrace.mailbox.files import explained, open_plain, proof, stamp
from headrace.mailbox.fromline import line_date
from headrace.mailbox.mbox import Piece, Splitter, unquote
from headrace.mailbox.packed import Packed, Unpacked
from headrace.mailbox.record import oversize, to_record
from headrace.mailbox.walk import RESTARTED, Filling, Source, Walk, damaged, read_cursor
from headrace.provider import JSON, BadRecord, Page, Record

EDITED = "the file was edited while it was read: the next run reads it from the start"


class MboxCursor(msgspec.Struct, forbid_unknown_fields=True):
    """`at` is the offset to go on from, `last` where the message before it starts, `proof` what
    the file up to `at` looked like, `begun` the file's stamp when this run began. `stamp` is set
    once the end was reached: the file's stamp then, or "" if it was just being written to.
    """

    at: int
    last: int
    proof: str
    begun: str
    stamp: str | None = None


class PlainMbox(Walk):
    """An mbox file on disk. Keeps nothing between pages.

    A file that has grown is taken to be appended to, if what was read still looks the same; one
    that has changed without growing was edited, and is read again from its start.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def page(self, cursor: JSON) -> Page:
        """The page at `cursor`; on an unchanged file that was read to its end, one stat."""
        source = self._source
        known = read_cursor(cursor, MboxCursor)
        with open_plain(source.path, follow=source.follow) as file, explained(source.path):
            before = os.fstat(file.fileno())
            if known is not None and known.stamp == stamp(before):
                return Page(records=[], cursor=cursor, more=False)
            state, notes = _resume(file, before, known)
            file.seek(state.at)
            filling = Filling()
            splitter = Splitter(file.read, state.at)
            state.last, ended = fill(filling, splitter, source.name, state.last)
            state.at = splitter.position
            state.proof = proof(file, state.at)
            if ended:
                after = os.fstat(file.fileno())
                if state.begun != stamp(after) and _size(state.begun) == after.st_size:
                    return filling.page(None, more=False, notes=notes | {"edited": EDITED})
                settled = stamp(before) == stamp(after) and state.at == after.st_size
                state.stamp = stamp(after) if settled else ""
            left = filling.about(before.st_size - state.at)
            return filling.page(state, more=not ended, notes=notes, left=left)


def _resume(
    file: BinaryIO, status: os.stat_result, known: MboxCursor | None
) -> tuple[MboxCursor, dict[str, str]]:
    """From where to read, and what to note."""
    now = stamp(status)
    start = MboxCursor(0, 0, "", now)
    if known is None:
        return start, {}
    edited = bool(known.stamp) and status.st_size == known.at
    if edited or status.st_size < known.at or proof(file, known.at) != known.proof:
        return start, {"restarted": RESTARTED}
    begun = now if known.stamp is not None else known.begun
    if known.stamp is not None and status.st_size > known.at and not starts_mail(file, known.at):
        # What was the last message had not been written to its end.
        again = MboxCursor(known.last, known.last, "", begun)
        return again, {"reread": "the last message has grown"}
    return MboxCursor(known.at, known.last, "", begun), {}


def starts_mail(file: BinaryIO, at: int) -> bool:
    """Whether a separator line stands at `at`, blank lines aside."""
    file.seek(at)
    return file.read(4096).lstrip(b"\r\n").startswith(b"From ")


def _size(stamped: str) -> int:
    """The size in a stamp; -1 for what is no stamp."""
    size = stamped.partition("-")[0]
    return int(size) if size.isdecimal() and len(size) < 20 else -1


class PackedCursor(msgspec.Struct, forbid_unknown_fields=True):
    """`at` is an offset in the unpacked bytes, `of` identifies the packed file they come from."""

    at: int
    of: str
    done: bool = False


class PackedMbox(Walk):
    """An mbox that has to be unpacked to be read: one pass for all pages asked for in turn.

    The open stream is kept between pages. A walk that has to go on elsewhere (in a new process,
    say) unpacks up to there first.
    """

    def __init__(self, source: Source, packing: Packed) -> None:
        self._source = source
        self._packing = packing
        self._stream: Unpacked | None = None
        self._splitter: Splitter | None = None
        self._of = ""

    def page(self, cursor: JSON) -> Page:
        """The page at `cursor`; nothing is unpacked if it was read to its end and is unchanged."""
        known = read_cursor(cursor, PackedCursor)
        notes: dict[str, str] = {}
        of = self._packing.identity()
        if known is not None and known.of != of:
            known, notes = None, {"restarted": RESTARTED}
        if known is not None and known.done:
            return Page(records=[], cursor=cursor, more=False)
        filling = Filling()
        with explained(self._source.path):
            stream, splitter = self._at(known.at if known else 0, of)
            _, ended = fill(filling, splitter, self._source.name, 0)
        if ended:
            if stream.damage:
                filling.add(damaged(self._source, splitter.position, stream.damage))
            self.close()
        state = PackedCursor(splitter.position, of, done=ended)
        left = filling.about(stream.size - splitter.position)
        return filling.page(state, more=not ended, notes=notes, left=left)

    def _at(self, at: int, of: str) -> tuple[Unpacked, Splitter]:
        stream, splitter = self._stream, self._splitter
        if stream is None or splitter is None or splitter.position != at or self._of != of:
            self.close()
            stream = self._packing.open()
            stream.skip(at)
            splitter = Splitter(stream.read, at)
            self._stream, self._splitter, self._of = stream, splitter, of
        return stream, splitter

    def close(self) -> None:
        """Close the unpacked stream, if one is open."""
        if self._stream is not None:
            self._stream.close()
        self._stream = self._splitter = None


def fill(filling: Filling, splitter: Splitter, name: str, last: int) -> tuple[int, bool]:
    """Put messages on the page until it is full. Returns where the last one starts, and whether
    the end was reached."""
    while not filling.full:
        piece = splitter.next_piece()
        if piece is None:
            return last, True
        last = piece.start
        filling.add(piece_record(piece, name))
    return last, False


def piece_record(piece: Piece, name: str) -> Record | BadRecord:
    """The record of one piece of an mbox named `name`."""
    where = f"byte {piece.start:,} of {name}"
    if not piece.whole:
        return oversize(piece.data, piece.size, where)
    if not piece.separator:
        return BadRecord(
            raw=piece.data,
            reason=f"What stands at {where} is not behind a `From ` line.",
            hint="An mbox starts with one; what comes before the first is no message.",
        )
    return to_record(unquote(piece.data), where, delivered=line_date(piece.separator))
