"""Bytes to text, whatever the message claims about them."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}")
# Text codecs of Python that are no charsets of mail. Some take quadratic time.
_REFUSED = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
)
_FOREIGN = re.compile("[^\x00-\x7f\ufffd]")
_MISNAMED = {
    "ansi": "cp1252",
    "cp-850": "cp850",
    "default": "utf-8",
    # Mail marked with these uses the larger sets that browsers also read them as.
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "x-unknown": "utf-8",
    "unknown-8bit": "utf-8",
}


def decode(data: bytes, charset: str | None) -> str:
    """The text of `data`. Tries the named charset, then UTF-8, then Windows-1252; never fails.

    Where a charset fits all but a few bytes (a text cut in the middle of a character) those few
    become U+FFFD.
    """
    codec = _codec(charset.strip().lower()) if charset else None
    for name in (codec, "utf-8"):
        if name is not None:
            try:
                return data.decode(name)
            except (UnicodeDecodeError, UnicodeError):
                continue
    text = data.decode(codec if codec not in (None, "cp1252") else "utf-8", "replace")
    good, bad = len(_FOREIGN.findall(text)), text.count("\ufffd")
    return text if good >= bad else data.decode("cp1252", "replace")


@lru_cache(maxsize=512)
def _codec(charset: str) -> str | None:
    """Python's name for a charset; None for one that is unknown, or no charset at all."""
    charset = _MISNAMED.get(charset, charset)
    if _NAME.fullmatch(charset) is None:
        return None
    try:
        found = codecs.lookup(charset)
    except (LookupError, ValueError):
        return None
    if found.name.replace("-", "_") in _REFUSED or not found._is_text_encoding:
        return None
    return found.name
