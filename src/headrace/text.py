"""Text that PostgreSQL accepts and that can be searched."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import struct
from collections.abc import Iterable
from functools import lru_cache

MAX_TERM = 64
"""Characters of one term; a longer word is cut."""
MAX_TERMS = 256
"""Different terms of one text; the first ones count."""

_READ = 20_000  # characters of one text that are looked at
LABEL = 256
"""Characters of a text that may be a label: such repeat, and are remembered; prose is not."""
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


def one_line(text: str, limit: int = 200) -> str:
    """Words of somebody else, fit for a message: printable, on one line, not too long."""
    text = " ".join(text[: 10 * limit].split())
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable())
    return f"{text[: limit - 3]}..." if len(text) > limit else text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What to do about a word that is none of those known: the nearest of them, or else all."""
    all_ = list(known)
    near = difflib.get_close_matches(word, all_, n=1)
    return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(all_)}."


def text_to_embed(subject: str | None, unquoted: str | None, body: str) -> str:
    """What is embedded of an interaction: its subject, and what of its body is its own. Where that
    is nothing, all of the body."""
    return f"{subject or ''}\n\n{unquoted or body}".strip()


def text_hash(text: str) -> bytes | None:
    """What texts are told apart by, SHA-256 of the trimmed, lower-cased text; None for a blank
    one."""
    text = text.strip().lower()
    return hashlib.sha256(text.encode()).digest() if text else None


def tokenize(text: str) -> frozenset[str]:
    """The words of a text, lower-cased: what a search for one of them finds."""
    if len(text) <= LABEL:
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

_COUNT = struct.Struct(">i").pack


def lexeme(word: str) -> bytes:
    """One word as it stands in PostgreSQL's binary tsvector, without positions."""
    return word.encode() + b"\0\0\0"


@lru_cache(maxsize=65_536)
def lexemes(text: str) -> frozenset[bytes]:
    """The lexemes of a label: they repeat so much that this is nearly always remembered."""
    return frozenset(map(lexeme, tokenize(text)))


def tsvector(words: frozenset[bytes]) -> bytes:
    """A binary tsvector of these lexemes; the server sorts them itself."""
    return _COUNT(len(words)) + b"".join(words)


EMPTY_TSVECTOR = tsvector(frozenset())

_ESCAPED = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a proper pair: kept
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"  # half of one
    rb"|\\u0000"
    rb"|\\[^u]"  # any other escape, so that \\u0000 is read as a backslash and five letters
)


def clean_json(document: bytes) -> bytes:
    """JSON text that PostgreSQL takes: without \\u0000, with U+FFFD for lone surrogates (R12)."""
    if b"\\u0000" not in document and b"\\ud" not in document and b"\\uD" not in document:
        return document
    return _ESCAPED.sub(_clean_escape, document)


def stored_json(value: object) -> str:
    """A value as JSON text that PostgreSQL takes."""
    return clean_json(json.dumps(value).encode()).decode()


def _clean_escape(found: re.Match[bytes]) -> bytes:
    escape = found[0]
    if len(escape) != 6:
        return escape
    return b"" if escape == b"\\u0000" else b"\\ufffd"
