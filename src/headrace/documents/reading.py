"""What reading a file gives, and how much it may cost."""

from __future__ import annotations

import re

import msgspec

from headrace.text import clean_text

_MARK = re.compile(r"^ {0,3}(#+|`{3,}|~{3,})(.*)$", re.MULTILINE)
MOST_HEADINGS = 100_000
"""More than these are not told of; the text has them all."""
LONGEST_TITLE = 500
"""Characters of a title; the rest is only in the text."""
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class Heading(msgspec.Struct):
    """A heading: `offset` is where its line (of a PDF: its page) begins in the text, in
    characters; `level` is 1 to 6."""

    offset: int
    level: int
    title: str


class Reading(msgspec.Struct):
    """The text of one file, fit for PostgreSQL.

    `text` is Markdown where the format has structure. `pages` are the offsets in it, in characters,
    where each page begins; empty when the format has no pages.
    """

    media_type: str
    title: str | None
    text: str
    pages: list[int]
    headings: list[Heading]


class ParserOptions(msgspec.Struct, frozen=True):
    """How to read, and the most that one file may cost.

    `tool` is "auto" or one of `headrace.documents.TOOLS`; `ocr` reads pictures of text. `seconds`
    are wall time, `memory` is bytes of address space beyond what the libraries take themselves,
    `characters` is the length of the text.
    """

    tool: str = "auto"
    ocr: bool = False
    seconds: float = 30.0
    memory: int = 2 << 30
    characters: int = 20_000_000


def plain_reading(media_type: str, text: str) -> Reading:
    """Text that has neither pages nor headings."""
    return Reading(media_type, None, tidy(text), [], [])


def markdown_reading(media_type: str, text: str, title: str | None) -> Reading:
    """Text in Markdown; without a title of its own, its first heading of level 1 is the title."""
    text = tidy(text)
    headings = headings_of(text)
    title = tidy(title or "").strip()[:LONGEST_TITLE] or None
    if title is None:
        title = next((one.title for one in headings if one.level == 1 and one.title), None)
    return Reading(media_type, title, text, [], headings)


def tidy(text: str) -> str:
    """The text with one kind of line end, and without what PostgreSQL refuses."""
    return clean_text(text.replace("\r\n", "\n").replace("\r", "\n"))


def headings_of(markdown: str) -> list[Heading]:
    """The `#` lines of a Markdown text outside its fenced code."""
    found: list[Heading] = []
    fence = ""
    for mark in _MARK.finditer(markdown):
        signs, rest = mark[1], mark[2]
        if fence:
            # Only a bare run of the same sign, at least as long, ends a fence.
            if signs.startswith(fence) and not rest.strip():
                fence = ""
        elif signs[0] != "#":
            fence = "" if signs[0] == "`" and "`" in rest else signs
        elif len(signs) <= 6 and (not rest or rest[0] in " \t"):
            title = _ESCAPED.sub(r"\1", _without_closing(rest.strip()))
            found.append(Heading(mark.start(), len(signs), title[:LONGEST_TITLE]))
            if len(found) == MOST_HEADINGS:
                break
    return found


def _without_closing(title: str) -> str:
    """The title without the signs that may follow it: "Weirs ##" is "Weirs", "C#" is "C#"."""
    bare = title.rstrip("#")
    return bare.rstrip() if not bare or bare[-1].isspace() else title
