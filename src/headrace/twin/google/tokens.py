"""Opaque texts that lead back to something: page tokens, sync tokens, attachment ids.

Signed JSON in base64, so that nothing is remembered per walk. A token is good for one purpose only.
"""

from __future__ import annotations

import base64
from hashlib import blake2b
from typing import TypeVar

import msgspec

T = TypeVar("T")
_SIGNATURE_BYTES = 8


class Tokens:
    """Writes tokens, and reads them back; the signature follows from the seed."""

    def __init__(self, seed: int) -> None:
        self._key = (b"headrace google %d" % seed)[:64]
        self._fresh = 0

    def fresh(self) -> int:
        """Another number each time, for tokens that must differ."""
        self._fresh += 1
        return self._fresh

    def write(self, purpose: str, value: object) -> str:
        """A token for any JSON value."""
        content = msgspec.json.encode(value)
        return base64.urlsafe_b64encode(self._sign(purpose, content) + content).decode()

    def read(self, purpose: str, text: str, kind: type[T]) -> T | None:
        """What a token leads to, or None if it was never written for this purpose."""
        try:
            whole = base64.urlsafe_b64decode(text.encode("ascii", "replace"))
            content = whole[_SIGNATURE_BYTES:]
            if whole[:_SIGNATURE_BYTES] != self._sign(purpose, content):
                return None
            return msgspec.json.decode(content, type=kind)
        except (ValueError, msgspec.MsgspecError):
            return None

    def _sign(self, purpose: str, content: bytes) -> bytes:
        signed = purpose.encode() + b"\0" + content
        return blake2b(signed, key=self._key, digest_size=_SIGNATURE_BYTES).digest()
