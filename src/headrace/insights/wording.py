"""Sentences that matter: what was asked, and what was promised."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from headrace.chunking.sentences import sentences

_LONGEST = 400
_SHORTEST = 10
_LINK = re.compile(r"https?://|www\.")
_ASKS = re.compile(r"[?\uff1f][\"'\u201d\u2019)\]]*\Z")
# English only. Whoever writes "I would" or "if I ..." has not promised anything.
_PROMISES = re.compile(
    r"\b(?:I|we)(?:['\u2019]ll| will| shall|['\u2019]m going to| am going to)"
    r"\s+(?!not\b|never\b)\w",
    re.IGNORECASE,
)
_PERHAPS = re.compile(r"\b(?:if|unless|maybe|perhaps|I hope|I guess)\b", re.IGNORECASE)


def told(text: str) -> Iterator[str]:
    """The sentences of a text, word for word, that are neither too long nor an address."""
    for start, end in sentences(text):
        said = text[start:end]
        if _SHORTEST <= len(said) <= _LONGEST and not _LINK.search(said):
            yield said


def questions(text: str) -> list[str]:
    """Its sentences that end with a question mark, in whatever language."""
    return [said for said in told(text) if _ASKS.search(said)]


def promises(text: str) -> list[str]:
    """Its sentences in which the writer says, in English, that they will do something."""
    return [
        said
        for said in told(text)
        if _PROMISES.search(said) and not _ASKS.search(said) and not _PERHAPS.search(said)
    ]


def flat(text: str, limit: int = 160) -> str:
    """A sentence on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 3].rstrip()}..."


def day(time: datetime | str | None) -> str:
    """9 November 2026; of a day in UTC."""
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    return "an unknown day" if time is None else f"{time.day} {time:%B %Y}"


def count(number: int, one: str, many: str | None = None) -> str:
    """1 message, 2 messages."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Ann, Bob and 3 others."""
    shown = list(names[:most])
    if len(names) > most:
        shown = [*names[: most - 1], f"{len(names) - most + 1} others"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
