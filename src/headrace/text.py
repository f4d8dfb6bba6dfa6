"""Text that PostgreSQL accepts and that can be searched."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_TERM = 64
"""Characters of one term; a longer word is cut."""
MAX_TERMS = 256
"""Different terms of one text; the first ones count."""

_READ = 20_000  # characters of one text that are looked at
_REMEMBERED = 256  # characters: labels and names repeat, long prose does not
_WORD = re.compile(r"\w+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NOTHING: frozenset[str] = frozenset()


def clean_text(text: str) -> str:
    """The text without NUL, and with U+FFFD for lone surrogates: PostgreSQL refuses both (R12)."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    return _LONE_SURROGATE.sub("\ufffd", text)


def tokenize(text: str) -> frozenset[str]:
    """The words of a text, lower-cased: what a search for one of them finds."""
    if len(text) <= _REMEMBERED:
        return _tokens_of_short(text)
    return _tokens(text[:_READ])


def _tokens(text: str) -> frozenset[str]:
    words = _WORD.findall(text.lower())
    if not words:
        return _NOTHING
    if len(words) > MAX_TERMS:
        words = list(dict.fromkeys(words))[:MAX_TERMS]
    return frozenset([word[:MAX_TERM] for word in words])


_tokens_of_short = lru_cache(maxsize=65_536)(_tokens)
