"""The piece of an event that is shown: its properties in words, with what was found marked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

from headrace.provider import JSON
from headrace.text import MAX_TERM

MARK = "**"
"""Stands before and after a word that was found."""

_LENGTH = 200  # characters
_LEAD = 40  # characters before the first word that was found
_WORD = re.compile(r"\w+")


def snippet(document: str, words: Collection[str]) -> str:
    """About 200 characters of a JSON document around the first of the words; each is marked."""
    try:
        text = ", ".join(_said(msgspec.json.decode(document)))
    except (msgspec.DecodeError, RecursionError):
        text = document
    first = next((one.start() for one in _WORD.finditer(text) if _term(one[0]) in words), 0)
    start = 0 if first <= _LEAD else text.rfind(" ", 0, first - _LEAD) + 1
    piece = text[start : start + _LENGTH]
    return _WORD.sub(lambda one: _marked(one[0], words), piece)


def _said(value: JSON, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _said(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _said(inner, name)
    elif value is not None:
        yield f"{name}: {value}" if name else str(value)


def _marked(word: str, words: Collection[str]) -> str:
    return f"{MARK}{word}{MARK}" if _term(word) in words else word


def _term(word: str) -> str:
    return word.lower()[:MAX_TERM]
