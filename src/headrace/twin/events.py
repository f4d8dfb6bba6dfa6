"""Event i of seed s: always the same bytes, made by arithmetic, nothing kept per event.

Events are made in blocks of 100, about 40 microseconds each: one SHAKE-128 digest of (seed, block)
gives every id and every choice in the block, and the rows are one join of ready-made pieces.

An event may have later versions, as when a source edits its records: with `edits` above 0 that
share of the events says something else at every `revision` but 0, under the same id.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache, lru_cache
from hashlib import sha256, shake_128
from operator import itemgetter
from typing import Any

import msgspec

from headrace.twin.timeline import BLOCK, TAILS, prefixes
from headrace.twin.uuids import uuids
from headrace.twin.vocabulary import contents, measures
from headrace.twin.words import DEVICES

_SESSIONS = 10
_USERS = 4_096
_IDS_BYTES = 16 * (BLOCK + _SESSIONS)
# After the ids 16-bit draws: content, measure, edit of each row; user, device of each session.
_DRAWS = struct.Struct(f"<{3 * BLOCK + 2 * _SESSIONS}H")
_PIECES = 9
_SESSION = b',"session":{"id":"%b","deviceType":"%b","browser":"%b"}}'
_DEVICES = tuple((device.encode(), browser.encode()) for device, browser in DEVICES)
# Ten sessions a block, interleaved unevenly, as concurrent visitors are.
_session_of_row = itemgetter(*((7 * row + row // 10) % _SESSIONS for row in range(BLOCK)))


@cache
def _users(seed: int) -> tuple[bytes, ...]:
    return uuids(shake_128(b"headrace users %d" % seed).digest(16 * _USERS))


@lru_cache(maxsize=16)  # callers that step event by event, and pages that begin inside a block
def _pieces(seed: int, block: int, edits: float, revision: int) -> tuple[bytes, ...]:
    """The block as `_PIECES` pieces of JSON text per row; every row begins with a comma."""
    digest = shake_128(b"headrace events %d %d" % (seed, block)).digest(_IDS_BYTES + _DRAWS.size)
    ids = uuids(digest[:_IDS_BYTES])
    draws = _DRAWS.unpack_from(digest, _IDS_BYTES)
    content, measure, edit = draws[:BLOCK], draws[BLOCK : 2 * BLOCK], draws[2 * BLOCK : 3 * BLOCK]
    visitors, devices = draws[3 * BLOCK :][:_SESSIONS], draws[3 * BLOCK :][_SESSIONS:]

    users, kinds, values = _users(seed), contents(), measures()
    kind_count, value_count = len(kinds), len(values)
    openings, closings = [], []
    for session, visitor, device in zip(ids[BLOCK:], visitors, devices, strict=True):
        user = users[visitor % _USERS]
        openings.append(b'","sessionId":"%b","userId":"%b",' % (session, user))
        closings.append(_SESSION % (session, *_DEVICES[device % len(_DEVICES)]))

    measured = [values[draw % value_count] for draw in measure]
    if revision and edits:
        for row, draw in enumerate(edit):
            if draw < edits * 65_536:
                changed = values[(measure[row] + revision) % value_count]
                measured[row] = b',"revision":%d%b' % (revision, changed)

    pieces: list[Any] = [None] * (BLOCK * _PIECES)
    pieces[0::_PIECES] = [b',{"id":"'] * BLOCK
    pieces[1::_PIECES] = ids[:BLOCK]
    pieces[2::_PIECES] = _session_of_row(openings)
    pieces[3::_PIECES] = [kinds[draw % kind_count] for draw in content]
    pieces[4::_PIECES] = measured
    pieces[5::_PIECES] = [b',"timestamp":'] * BLOCK
    pieces[6::_PIECES] = prefixes(block)
    pieces[7::_PIECES] = TAILS
    pieces[8::_PIECES] = _session_of_row(closings)
    return tuple(pieces)


class Events(msgspec.Struct, frozen=True):
    """A source of events: what `seed` and `revision` say, with `edits` (0 to 1) of them edited.

    Ranges are half open and may reach as far as the caller likes: event i exists for every i >= 0.
    """

    seed: int = 1
    edits: float = 0.0
    revision: int = 0

    def joined(self, start: int, stop: int) -> Iterator[bytes]:
        """The rows of [start, stop) as JSON texts of some rows each, separated by commas inside.

        This is the quick way to a page: its rows are b",".join of what this yields.
        """
        while start < stop:
            block, first = divmod(start, BLOCK)
            last = min(BLOCK, first + stop - start)
            pieces = _pieces(self.seed, block, self.edits, self.revision)
            yield b"".join(pieces[first * _PIECES : last * _PIECES])[1:]
            start += last - first

    def rows(self, start: int, stop: int) -> Iterator[bytes]:
        """Each row of [start, stop) as the bytes that are served."""
        for index in range(start, stop):
            yield from self.joined(index, index + 1)

    def ids(self, start: int, stop: int) -> Iterator[str]:
        """The id of each event of [start, stop)."""
        for index in range(start, stop):
            block, row = divmod(index, BLOCK)
            pieces = _pieces(self.seed, block, self.edits, self.revision)
            yield pieces[row * _PIECES + 1].decode()

    def truth(self, start: int, stop: int) -> dict[str, Any]:
        """What a complete copy of [start, stop) comes to, a microsecond or two per event.

        Both digests are SHA-256 over lines in time order, which is also the order of `timestamp`.
        """
        ids, payloads = sha256(), sha256()
        for name, row in zip(self.ids(start, stop), self.rows(start, stop), strict=True):
            ids.update(b"%b\n" % name.encode())
            payloads.update(b"%b\n" % row)
        return {
            "from": start,
            "to": stop,
            "count": max(0, stop - start),
            "idsSha256": ids.hexdigest(),
            "payloadsSha256": payloads.hexdigest(),
        }


def event_id(seed: int, index: int) -> str:
    """The id of event `index`."""
    return next(Events(seed).ids(index, index + 1))


def event_bytes(seed: int, index: int, *, edits: float = 0.0, revision: int = 0) -> bytes:
    """Event `index` as it is served, at a revision."""
    return next(Events(seed, edits, revision).rows(index, index + 1))
