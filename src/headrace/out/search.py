"""One search over everything, on behalf of people: events by their words; documents, messages and
meetings by their meaning as well.

    with database.people(tenant, user) as connection:
        hits = search(connection, 'invoice "last march" -draft')

Every word has to be found; where that gives too few hits, rows with only some of the words follow.
A search looks at some ten thousand rows of a table two or three times at the most, however large
the table is and whatever is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from headrace import telemetry
from headrace.errors import BadInput
from headrace.out import passages, said
from headrace.out.asked import parse
from headrace.out.look import Key, Look
from headrace.out.meant import Key as ChunkKey
from headrace.out.meant import Mode, meanings, of_interactions
from headrace.out.people import known
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
    """Where a passage stands: characters `start` to `end` of a document's text, on `page` (from 1,
    where it has pages), under `headings`; or of what is embedded of a message, its subject first.
    `text` is the whole passage."""

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
    person: str | None = None,
    type: str | None = None,  # noqa: A002 - the word that people filter by
    mode: Mode = "hybrid",
    settings: Settings | None = None,
    tell: Callable[[str], None] = telemetry.search_note,
) -> list[Hit]:
    """The best rows for what a person typed, best first; [] where there is no word in it.

    `connection` is one from `Database.people`: nothing of others is found. `since` is inclusive,
    `until` exclusive; with either, rows without a time are left out. `source` is the name or id of
    a connection; `person` whoever took part, as `headrace.out.people` understands it; `type` the
    media type or ending of documents. `mode` is how all but events are searched. `settings` say
    what questions are embedded with; without them everything is found by its words only. `tell` is
    told, in a sentence, what could not be searched.
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
    scope["identities"] = None if person is None else known(connection, person)
    prose, labels = read(connection, asked)
    vectors: dict[str, Any] = {}
    ask = (connection, text, mode, scope, settings, tell, vectors)
    passages_ = []
    if "documents" in kinds and person is None:
        best_ = passages.find(connection, prose, scope, mode, meanings(*ask))
        passages_ = [_hit(row) for row in passages.show(connection, best_, prose, scope, _HEADLINE)]
    left_out = {"documents", "events"} if person is not None else {"documents"}
    tables = [kind for kind in dict.fromkeys(kinds) if kind not in left_out and type is None]
    by_kind = {kind: labels if kind == "events" else prose for kind in tables}
    meant = of_interactions(*ask) if set(tables) & set(said.SAID) else None
    with as_owner(connection):
        found = {
            kind: {}
            if mode == "vector" and kind in said.SAID
            else _find(connection, kind, terms, scope)
            for kind, terms in by_kind.items()
        }
        near = said.near(connection, meant, prose, scope, tables) if meant else {}
    # Where the words stand is shown of what has them; of the rest, what is near.
    passage: dict[Kind, dict[Key, ChunkKey]] = {
        kind: {key: at for key, (_, at) in near[kind].items() if key not in found[kind]}
        for kind in near
    }
    found |= {kind: said.mixed(found[kind], near[kind]) for kind in near}
    ranked = [(score, kind, key) for kind in found for key, score in found[kind].items()]
    best = sorted(ranked, key=lambda one: -one[0])[:limit]
    shown = {
        kind: _show(
            connection,
            kind,
            by_kind[kind],
            scope,
            {k: passage.get(kind, {}).get(k) for _, of, k in best if of == kind},
        )
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
    connection: Connection,
    kind: Kind,
    terms: Terms,
    scope: dict[str, Any],
    keys: Mapping[Key, ChunkKey | None],
) -> dict[Key, dict[str, Any]]:
    """What a hit says of each row that this session may see; of some, by which of their chunks."""
    if not keys:
        return {}
    rows = connection.execute(
        query("search", f"show_{kind}"),
        {
            "tenant": scope["tenant"],
            "streams": [stream for stream, _ in keys],
            "sources": [source for _, source in keys],
            "hashes": [at[1] if at else None for at in keys.values()],
            "positions": [at[2] if at else None for at in keys.values()],
            "query": " | ".join(f"({term.query})" for term in terms.wanted),
            "options": _HEADLINE,
        },
    ).fetchall()
    if kind == "events":
        words = {word for term in terms.wanted for one in term.readings for word in one}
        for row in rows:
            row["snippet"] = snippet(row.pop("document"), words)
    if kind == "interactions":
        for row in rows:
            row["citation"] = _cited(row)
    return {(row["stream_id"], row["source_id"]): row for row in rows}


def _cited(row: dict[str, Any]) -> Citation | None:
    start, end, body = row.pop("start_at"), row.pop("end_at"), row.pop("body")
    if body is None:
        return None
    return Citation(
        page=None, headings=[], start=start, end=end, text=body, media_type="text/plain"
    )
