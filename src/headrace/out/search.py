"""Search over messages, calendars and events by their words, and over documents by their meaning
as well, on behalf of people.

    with database.people(tenant, user) as connection:
        hits = search(connection, 'invoice "last march" -draft')

Every word has to be found; where that gives too few hits, rows with only some of the words follow.
A search looks at some ten thousand rows of a table two or three times at the most, however large
the table is and whatever is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from headrace import telemetry
from headrace.errors import BadInput
from headrace.out import passages
from headrace.out.asked import parse
from headrace.out.look import Key, Look
from headrace.out.meant import Mode, meanings
from headrace.out.snippet import MARK, snippet
from headrace.out.terms import Terms, read, weigh
from headrace.settings import Settings
from headrace.store.database import Connection, as_owner
from headrace.store.sql import query

Kind = Literal["interactions", "calendar_events", "events", "documents"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What can be searched."""

MAX_HITS = 200

_HEADLINE = f"MaxWords=30, MinWords=12, MaxFragments=1, StartSel={MARK}, StopSel={MARK}"


class Citation(msgspec.Struct, kw_only=True):
    """Where in a document a passage stands: characters `start` to `end` of its text, on `page`
    (from 1, where it has pages), under `headings`. `text` is the whole passage."""

    page: int | None
    headings: list[str]
    start: int
    end: int
    text: str
    media_type: str


class Hit(msgspec.Struct, kw_only=True):
    """One row that was found. `kind`, `stream_id` and `source_id` say where it is.

    `score` is between 0 and 2: above 1, everything that was asked for is in it. `snippet` is plain
    text with the words that were found between two asterisks.
    """

    kind: Kind
    stream_id: int
    source_id: str
    stream: str
    connection_id: str
    connection: str
    title: str
    snippet: str
    occurred_at: datetime | None
    score: float
    citation: Citation | None = None


def search(
    connection: Connection,
    text: str,
    *,
    kinds: Sequence[Kind] = KINDS,
    limit: int = 20,
    since: datetime | None = None,
    until: datetime | None = None,
    source: str | None = None,
    type: str | None = None,  # noqa: A002 - the word that people filter by
    mode: Mode = "hybrid",
    settings: Settings | None = None,
    tell: Callable[[str], None] = telemetry.search_note,
) -> list[Hit]:
    """The best rows for what a person typed, best first; [] where there is no word in it.

    `connection` is one from `Database.people`: nothing of others is found. `since` is inclusive,
    `until` exclusive; with either, rows without a time are left out. `source` is the name or id of
    a connection, `type` the media type or ending of documents, `mode` how documents are searched.
    `settings` say what questions are embedded with; without them documents are found by their words
    only. `tell` is told, in a sentence, what could not be searched.
    """
    limit = max(0, min(limit, MAX_HITS))
    asked = parse(text)
    if not (asked.wanted and limit):
        return []
    scope = connection.execute(query("search", "scope")).fetchone()
    assert scope is not None, "a SELECT of one row answers"
    scope |= {"since": since, "until": until, "limit": limit, "type": type}
    if source is not None:
        scope["streams"] = _streams(connection, source)
    prose, labels = read(connection, asked)
    passages_ = []
    if "documents" in kinds:
        meant = meanings(connection, text, mode, scope, settings, tell)
        best_ = passages.find(connection, prose, scope, mode, meant)
        passages_ = [_hit(row) for row in passages.show(connection, best_, prose, scope, _HEADLINE)]
    tables = [kind for kind in dict.fromkeys(kinds) if kind != "documents" and type is None]
    by_kind = {kind: labels if kind == "events" else prose for kind in tables}
    with as_owner(connection):
        found = {kind: _find(connection, kind, by_kind[kind], scope) for kind in by_kind}
    ranked = [(score, kind, key) for kind in found for key, score in found[kind].items()]
    best = sorted(ranked, key=lambda one: -one[0])[:limit]
    shown = {
        kind: _show(connection, kind, by_kind[kind], scope, [k for _, of, k in best if of == kind])
        for kind in found
    }
    # A row that row-level security, or a deletion meanwhile, keeps from us is not shown.
    hits = [
        Hit(kind=kind, score=round(score, 4), **shown[kind][key])
        for score, kind, key in best
        if key in shown[kind]
    ]
    return sorted([*hits, *passages_], key=lambda hit: -hit.score)[:limit]


def _streams(connection: Connection, source: str) -> list[int]:
    """The streams of a connection that the caller may see. Raises BadInput for an unknown one."""
    rows = connection.execute(query("search", "streams_of"), {"named": source}).fetchall()
    if not rows:
        raise BadInput(
            f"There is no connection {source!r}.", hint="`headrace connections list` shows them."
        )
    return [row["stream_id"] for row in rows]


def _hit(row: dict[str, Any]) -> Hit:
    citation = Citation(
        page=row.pop("page"),
        headings=row.pop("headings"),
        start=row.pop("start_at"),
        end=row.pop("end_at"),
        text=row.pop("body"),
        media_type=row.pop("media_type"),
    )
    return Hit(kind="documents", citation=citation, score=round(row.pop("score"), 4), **row)


def _find(
    connection: Connection, kind: Kind, terms: Terms, scope: dict[str, Any]
) -> dict[Key, float]:
    if not terms.wanted:
        return {}
    look = Look(connection, kind, weigh(connection, kind, terms), scope)
    look.for_all()
    if not look.enough:
        look.for_any()
    return look.found


def _show(
    connection: Connection, kind: Kind, terms: Terms, scope: dict[str, Any], keys: list[Key]
) -> dict[Key, dict[str, Any]]:
    """What a hit says of each row that this session may see."""
    if not keys:
        return {}
    rows = connection.execute(
        query("search", f"show_{kind}"),
        {
            "tenant": scope["tenant"],
            "streams": [stream for stream, _ in keys],
            "sources": [source for _, source in keys],
            "query": " | ".join(f"({term.query})" for term in terms.wanted),
            "options": _HEADLINE,
        },
    ).fetchall()
    if kind == "events":
        words = {word for term in terms.wanted for one in term.readings for word in one}
        for row in rows:
            row["snippet"] = snippet(row.pop("document"), words)
    return {(row["stream_id"], row["source_id"]): row for row in rows}
