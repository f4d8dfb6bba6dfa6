"""Encoded words in headers (RFC 2047): `=?utf-8?q?caf=C3=A9?=`. Tolerant, and linear in time."""

from __future__ import annotations

import binascii
import re

from headrace.mail.charsets import decode
from headrace.mail.transfer import from_base64

_WORD = re.compile(r"=\?([A-Za-z0-9._:+-]{1,40})(?:\*[A-Za-z0-9-]{0,20})?\?([bBqQ])\?([^?]*)\?=")


def decode_words(text: str) -> str:
    """The text with its encoded words decoded; what is no proper encoded word is left as it is.

    White space between two words vanishes, as the standard says; words in the same charset are
    put together before they are decoded, because some senders cut a character in two.
    """
    if "=?" not in text:
        return text
    result: list[str] = []
    pending, charset = b"", ""
    at = 0
    for word in _WORD.finditer(text):
        between = text[at : word.start()]
        if between.strip() or not at:
            if pending:
                result.append(decode(pending, charset))
                pending = b""
            result.append(between)
        named = word[1].lower()
        if pending and named != charset:
            result.append(decode(pending, charset))
            pending = b""
        charset = named
        pending += _bytes(word[2], word[3])
        at = word.end()
    if pending:
        result.append(decode(pending, charset))
    result.append(text[at:])
    return "".join(result)


def _bytes(encoding: str, encoded: str) -> bytes:
    raw = encoded.encode("utf-8", "surrogateescape")
    if encoding in "bB":
        return from_base64(raw)
    return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)
