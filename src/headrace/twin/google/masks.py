"""The `fields` parameter: only these parts of an answer, such as `nextPageToken,messages(id)`."""

from __future__ import annotations

import re
from typing import Any

from headrace.twin.google.problem import bad_parameter

Mask = dict[str, Any]
_WORD = re.compile(r"[A-Za-z*][A-Za-z0-9]*|[/,()]")


def masked(value: Any, text: str) -> Any:
    """The parts of a JSON value that `text` names. Raises Problem (400) if it is no mask."""
    words = _WORD.findall(text)
    if "".join(words) != text:
        raise bad_parameter("fields", f"Invalid field selection {text}")
    mask, left = _read(words, text)
    if left or not mask:
        raise bad_parameter("fields", f"Invalid field selection {text}")
    return _cut(value, mask)


def _read(words: list[str], text: str) -> tuple[Mask, list[str]]:
    """A list of fields up to its closing bracket, and the words after it."""
    mask: Mask = {}
    while words and words[0] != ")":
        if words[0] in "/,(":
            raise bad_parameter("fields", f"Invalid field selection {text}")
        inner, words = mask.setdefault(words[0], {}), words[1:]
        while words and words[0] == "/":
            if len(words) == 1:
                raise bad_parameter("fields", f"Invalid field selection {text}")
            inner, words = inner.setdefault(words[1], {}), words[2:]
        if words and words[0] == "(":
            below, words = _read(words[1:], text)
            inner.update(below)
            if not words:
                raise bad_parameter("fields", f"Invalid field selection {text}")
            words = words[1:]
        if words and words[0] == ",":
            words = words[1:]
    return mask, words


def _cut(value: Any, mask: Mask) -> Any:
    if not mask:
        return value
    if isinstance(value, list):
        return [_cut(one, mask) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _cut(inner, mask[name] if name in mask else mask["*"])
        for name, inner in value.items()
        if name in mask or "*" in mask
    }
