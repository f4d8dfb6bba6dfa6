"""The insight contract: something worth knowing, and the words it stands on.

A kind of insight is one file in `headrace/insights/`. It says what it is about (its subjects),
reads a bounded part of the tables about one of them, and makes an insight of that by rules. The
same input can be put to a language model, with the kind's prompt. Whoever makes it, it has to quote
its sources word for word; one that does not is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from headrace.errors import BadInput
from headrace.text import clean_text, one_line

RULES: Final = "rules 1"
"""Who made an insight that no model did. The number grows when rules say something else."""

MOST_SUBJECTS: Final = 50
"""Subjects of one kind that a job looks at when it is not told which."""
MOST_GIVEN: Final = 12
MOST_CHARACTERS: Final = 1500
"""Texts that an insight may quote, and characters of each that are read."""
SHORTEST_QUOTE: Final = 10
"""Characters of a quote; a shorter one must be a whole line of its source."""
_LONGEST_SUBJECT = 1000

Priority = Literal["low", "medium", "high", "urgent"]

# A model that was talked into it by a mail could send somebody to a page, with what it has read in
# the address. An insight needs no addresses: its sources have them.
_LINK = re.compile(r"://|\bwww\.|\]\(|\bjavascript:|\bdata:\w+/", re.IGNORECASE)


class Given(msgspec.Struct, frozen=True):
    """A text that may be quoted: what one version of an interaction or of a calendar's event says.
    `direction` is outbound where the owner wrote it."""

    stream_id: int
    source_id: str
    version: int
    occurred_at: datetime | None
    who: str | None
    direction: str | None
    text: str


class Gathered(msgspec.Struct, frozen=True):
    """All that is known of a subject, and all that an insight is made of: the same again makes the
    same insight. Facts name texts by their place in `given`, counted from 1."""

    subject: str
    facts: Mapping[str, Any]
    given: Sequence[Given]


class Quoting(msgspec.Struct, forbid_unknown_fields=True):
    """Words of a given text, and its place among them, counted from 1."""

    source: int
    quote: Annotated[str, Meta(min_length=1, max_length=500)]


class Told(msgspec.Struct, forbid_unknown_fields=True):
    """What rules or a model say. Actions are sentences for a person; nothing carries them out."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    summary: Annotated[str, Meta(min_length=1, max_length=2000)]
    confidence: Annotated[float, Meta(ge=0, le=1)]
    priority: Priority
    actions: Annotated[list[Annotated[str, Meta(min_length=1, max_length=300)]], Meta(max_length=5)]
    sources: Annotated[list[Quoting], Meta(min_length=1, max_length=MOST_GIVEN)]


class Quote(msgspec.Struct):
    """Words, and where they stand."""

    stream_id: int
    source_id: str
    version: int
    quote: str
    occurred_at: datetime | None


class Refused(ValueError):
    """Why what somebody said is no insight, in words that could be put to them."""


class Reader:
    """Asks the tables for one user's rows: every query names `%(tenant)s` and `%(user)s`."""

    def __init__(
        self,
        ask: Callable[[str, dict[str, Any]], list[dict[str, Any]]],
        tenant: str,
        user: str,
        now: datetime,
    ) -> None:
        self._ask = ask
        self._keys = {"tenant": tenant, "user": user}
        self.now = now

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """What a query answers."""
        return self._ask(statement, {**self._keys, **values})


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of insight.

    `form` is what its subjects look like, as a regular expression, with `example` for people;
    `there` whether a caller's subject is known; `subjects` gives those it would look at by itself,
    the most urgent first. `gather` reads about one, None where there is nothing to say; `rules`
    make an insight of it. It is made by itself when there is `news`, or every week.
    """

    name: str
    form: str
    example: str
    when: Literal["news", "week"] = "news"
    there: Callable[[Reader, str], bool]
    subjects: Callable[[Reader, int], list[str]]
    gather: Callable[[Reader, str], Gathered | None]
    rules: Callable[[Gathered], Told]
    prompt: str

    def check_subject(self, subject: str) -> None:
        """Raises BadInput for what is no subject of this kind."""
        fits = re.fullmatch(self.form, subject, re.DOTALL) and len(subject) <= _LONGEST_SUBJECT
        if not fits or clean_text(subject) != subject:
            raise BadInput(
                f"{one_line(subject)!r} is no subject of {self.name}.",
                hint=f"It is written like {self.example}; without one, {self.name} looks itself.",
            )


def quotes(told: Told, given: Sequence[Given]) -> list[Quote]:
    """The quotes of an insight, each found in its source. Raises Refused where one is not."""
    found: list[Quote] = []
    for one in told.sources:
        if not 1 <= one.source <= len(given):
            raise Refused(f"There is no source {one.source}; they are numbered 1 to {len(given)}.")
        source = given[one.source - 1]
        if not _stands_in(one.quote, source.text):
            raise Refused(
                f"The quote {one_line(one.quote, 80)!r} does not stand in source {one.source} word"
                f" for word, with at least {SHORTEST_QUOTE} characters."
            )
        quote = Quote(
            source.stream_id, source.source_id, source.version, one.quote, source.occurred_at
        )
        if quote not in found:
            found.append(quote)
    return found


def _stands_in(quote: str, text: str) -> bool:
    if not quote.strip() or quote not in text:
        return False
    return len(quote) >= SHORTEST_QUOTE or quote in map(str.strip, text.splitlines())


def read_told(answer: str) -> Told:
    """What a model said, if it has the form that was asked for. Raises Refused."""
    try:
        told = msgspec.json.decode(answer.encode("utf-8", "replace"), type=Told)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Refused(f"The answer does not fit the schema: {one_line(str(error))}.") from None
    if any(_LINK.search(text) for text in (told.title, told.summary, *told.actions)):
        raise Refused("The title, the summary and the actions must hold no links.")
    return told


def plain(told: Told) -> Told:
    """The same in text that is fit to be kept and shown: a title and actions of one line each."""
    return Told(
        title=one_line(clean_text(told.title)) or "-",
        summary=clean_text(told.summary).strip() or "-",
        confidence=told.confidence,
        priority=told.priority,
        actions=[line for one in told.actions if (line := one_line(clean_text(one), 300))],
        sources=told.sources,
    )


def input_hash(kind: str, gathered: Gathered) -> bytes:
    """SHA-256 of all that an insight is made of."""
    said = msgspec.json.encode([kind, gathered], order="sorted", enc_hook=str)
    return hashlib.sha256(said).digest()


def made_by(who: str) -> str:
    """A sentence for people on who made an insight."""
    if who.startswith("rules "):
        return "Made by rules, not by a language model."
    return f"Written by a language model ({who}): its quotes were checked, its words were not."
