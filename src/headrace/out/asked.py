"""What a person typed into a search box: words, "quoted phrases", and -what is not wanted."""

from __future__ import annotations

import re

import msgspec

from headrace.text import clean_text

MAX_CHARACTERS = 1_000
"""Characters of a query that are read; a pasted page is searched by its first words."""
MAX_PARTS = 48
"""Words and phrases of a query that count; the first ones."""

# A minus excludes only in front of a word: "e-mail" is one. A quote left open reaches the end.
_PART = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_SOLID = re.compile(r"\w")


class Part(msgspec.Struct, frozen=True):
    """One word or phrase of a query, as typed."""

    text: str
    phrase: bool


class Asked(msgspec.Struct, frozen=True):
    """A query taken apart: `wanted` ought all to be found, nothing of `unwanted` may be."""

    wanted: tuple[Part, ...]
    unwanted: tuple[Part, ...]


def parse(text: str) -> Asked:
    """Take a query apart. Never fails: what is no word in any language is left out."""
    wanted: dict[Part, None] = {}
    unwanted: dict[Part, None] = {}
    for found in _PART.finditer(clean_text(text[:MAX_CHARACTERS]).lower()):
        part = Part(found["phrase"] or found["word"] or "", found["phrase"] is not None)
        if not _SOLID.search(part.text):
            continue
        (unwanted if found["minus"] else wanted)[part] = None
        if len(wanted) + len(unwanted) == MAX_PARTS:
            break
    return Asked(tuple(wanted), tuple(unwanted))
