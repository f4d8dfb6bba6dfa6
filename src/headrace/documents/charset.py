"""Bytes to text: what the file says of its charset, then what its bytes say."""

from __future__ import annotations

import codecs
import re

from headrace.errors import Skip

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""<meta[^>]{1,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})"""
    rb"""|<\?xml[^>]{1,200}?encoding\s*=\s*["']([\w.:-]{2,40})["']"""
    rb"""|\A\#[^\n]{0,200}coding[:=]\s*([\w.-]{2,40})""",
    re.IGNORECASE,
)
_LOOKED_AT = 4096
# Browsers read what is called these as the larger Windows set, and so do their authors.
_LARGER = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_CONTROLS_ALLOWED = 0.02
_JUDGED_BY = 1_000_000


def to_text(content: bytes) -> str:
    """The text of a file. Raises Skip when its bytes are no text in any charset known here."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            # Files are cut in the middle of a character more often than written wrong.
            return content[len(mark) :].decode(name, "replace")
    wide = _wide(content)
    if wide is not None:
        return content.decode(wide, "replace")
    # A declaration comes after UTF-8: text that is valid UTF-8 is nothing else, whatever it says.
    # Five bytes mean nothing in Windows-1252; latin-1 makes them controls, which are counted.
    charsets = ("utf-8", _declared(content) or "cp1252", "cp1252", "latin-1")
    text = next(text for name in charsets if (text := _strict(content, name)) is not None)
    if _is_noise(text):
        raise Skip(
            "The file is neither text nor a kind of document that is known here.",
            hint="Open it in the program that wrote it and save it as text or as a PDF.",
        )
    return text


def _strict(content: bytes, name: str) -> str | None:
    try:
        return content.decode(name)
    except UnicodeError:
        return None


def _wide(content: bytes) -> str | None:
    """UTF-16 without a mark: of Western text every other byte is NUL."""
    first = content[:_LOOKED_AT]
    half = len(first) // 2
    even, odd = first[0::2].count(0), first[1::2].count(0)
    if half < 2 or max(even, odd) < 0.4 * half or min(even, odd) > 0.05 * half:
        return None
    name = "utf-16-be" if even > odd else "utf-16-le"
    text = _strict(content[: len(content) & ~1], name)
    return None if text is None or _is_noise(text) else name


def _is_noise(text: str) -> bool:
    """Whether there are more control characters in it than in anybody's text."""
    text = text[:_JUDGED_BY]
    return len(_CONTROL.findall(text)) > _CONTROLS_ALLOWED * len(text)


def _declared(content: bytes) -> str | None:
    found = _DECLARED.search(content[:_LOOKED_AT])
    if found is None:
        return None
    try:
        codec = codecs.lookup(next(one for one in found.groups() if one).decode("ascii"))
    except (LookupError, ValueError):
        return None
    return _LARGER.get(codec.name, codec.name) if codec._is_text_encoding else None
