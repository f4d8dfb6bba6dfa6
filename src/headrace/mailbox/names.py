"""Stream names: made from file names, which are somebody else's words in no sure encoding."""

from __future__ import annotations

import hashlib
import re

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LONGEST = 200


def printable(name: str) -> str:
    """The name as text that PostgreSQL, a terminal and a log line can take, 200 characters at most.

    Names that differ stay different: what is cut off leaves a digest behind.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    text = _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    if len(text) > _LONGEST:
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
        text = f"{text[: _LONGEST - 13]}~{digest}"
    return text


def distinct(name: str, taken: set[str]) -> str:
    """The name, with a number behind it if it is taken (a zip may hold one name twice)."""
    result, number = name, 2
    while result in taken:
        result, number = f"{name} ({number})", number + 1
    taken.add(result)
    return result
