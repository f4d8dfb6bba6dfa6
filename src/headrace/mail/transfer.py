"""Undoing transfer encodings, tolerantly: what is there is decoded, the rest is passed over."""

from __future__ import annotations

import binascii

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_NOT_BASE64 = bytes(
    byte
    for byte in range(256)
    if byte not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="
)


def from_base64(data: bytes) -> bytes:
    """Decode base64 in either alphabet (A1.40), with or without padding, line breaks or noise."""
    # What follows the padding is a footer that a mailing list stuck on.
    data = data.translate(_TO_STANDARD, _NOT_BASE64).partition(b"=")[0]
    if len(data) % 4 == 1:
        data = data[:-1]
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))


def undo(data: bytes, encoding: str) -> bytes:
    """Decode a body by its Content-Transfer-Encoding; an unknown one is taken as none."""
    encoding = encoding.strip().lower()
    if encoding == "base64":
        return from_base64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    return data
