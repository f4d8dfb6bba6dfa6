"""The opaque cursor: signed, dated JSON in base64, so that nothing is remembered per walk.

The signature follows from the seed. A cursor thus outlives a restart of the twin, as it would the
original, but not its own expiry.
"""

from __future__ import annotations

import base64
import time
from hashlib import blake2b

import msgspec

from headrace.twin.message import Refused


class Walk(msgspec.Struct, frozen=True):
    """Where a walk over the events of [start, stop) stands: `at` is the next event's index."""

    start: int
    stop: int
    at: int

    @property
    def total(self) -> int:
        """How many events the whole walk holds."""
        return self.stop - self.start

    def moved(self, at: int) -> Walk:
        """The same walk, further on."""
        return Walk(self.start, self.stop, at)


class _Cursor(msgspec.Struct):
    walk: Walk
    expires_ms: int | None
    signature: str = ""


class Cursors:
    """Writes cursors that are good for `ttl_s` seconds (None: for ever), and reads them back."""

    def __init__(self, seed: int, ttl_s: float | None) -> None:
        self._key = (b"headrace cursors %d" % seed)[:64]  # the longest key BLAKE2b takes
        self._ttl_s = ttl_s

    def write(self, walk: Walk) -> str:
        """The cursor that leads to `walk.at`."""
        expires_ms = None if self._ttl_s is None else int((time.time() + self._ttl_s) * 1_000)
        cursor = _Cursor(walk, expires_ms)
        cursor.signature = self._sign(cursor)
        return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()

    def read(self, text: str) -> Walk:
        """What a cursor leads to. Raises Refused (400) if it has expired or is not one of ours."""
        try:
            cursor = msgspec.json.decode(base64.urlsafe_b64decode(text), type=_Cursor)
        except (ValueError, msgspec.MsgspecError):
            raise _refusal("The cursor is not valid.") from None
        if cursor.signature != self._sign(cursor):
            raise _refusal("The cursor is not valid.")
        if cursor.expires_ms is not None and cursor.expires_ms < time.time() * 1_000:
            raise _refusal("The cursor has expired.")
        return cursor.walk

    def _sign(self, cursor: _Cursor) -> str:
        signed = msgspec.json.encode((cursor.walk, cursor.expires_ms))
        return blake2b(signed, key=self._key, digest_size=8).hexdigest()


def _refusal(message: str) -> Refused:
    # The original makes no difference between a cursor too old and one it never wrote.
    return Refused(400, message, code="CURSOR_EXPIRED")
