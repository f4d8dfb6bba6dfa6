"""Structured header values: `text/plain; charset="utf-8"; name*=utf-8''caf%C3%A9.txt`."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from headrace.mail.charsets import decode
from headrace.mail.words import decode_words

_LONGEST = 8_192
_MOST = 50
_PARAMETER = re.compile(
    r';\s*+([^\s=;"]{1,80})\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^;]*+))', re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*?)\Z")


def parse_value(value: str) -> tuple[str, dict[str, str]]:
    """The value before the first semicolon, lower-cased, and its parameters, names lower-cased.

    Understands RFC 2231 (charsets, and values cut into numbered sections) and, because so many
    senders write them there, encoded words. Of a parameter given twice the first counts.
    """
    value = value[:_LONGEST]
    main = value.partition(";")[0].strip().lower()
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for number, found in enumerate(_PARAMETER.finditer(value)):
        if number == _MOST:
            break
        text = _ESCAPE.sub(r"\1", found[2]) if found[2] is not None else found[3].strip()
        name = _SECTION.match(found[1].lower())
        if name is None or (not name[2] and not name[3]):
            plain.setdefault(found[1].lower(), decode_words(text))
        else:
            sections.setdefault(name[1], {}).setdefault(int(name[2] or 0), (text, bool(name[3])))
    for key, parts in sections.items():
        plain[key] = _joined(parts)
    return main, plain


def _joined(parts: dict[int, tuple[str, bool]]) -> str:
    """Put the sections of a value together; the first of them may name the charset."""
    charset, data = "", b""
    for number, (text, encoded) in sorted(parts.items()):
        if number == 0 and encoded and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if encoded else text.encode("utf-8", "surrogatepass")
    return decode(data, charset or "utf-8")
