"""Search over everything that has been brought in."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from fastapi import Query, Request

from headrace.dashboard.asked import day, day_after
from headrace.dashboard.entry import Looking
from headrace.dashboard.page import Look, page
from headrace.dashboard.paging import with_asked
from headrace.dashboard.record import address
from headrace.out import search as out
from headrace.out.meant import Mode
from headrace.out.search import KINDS, Kind
from headrace.store.database import Connection

HITS = 30

MODES: dict[Mode, str] = {"hybrid": "words and meaning", "text": "words", "vector": "meaning"}

_Kind = Annotated[Literal["", "interactions", "calendar_events", "events", "documents"], Query()]
_Text = Annotated[str, Query(max_length=1000)]


@page("/search", "search.html", lives=False)
def search(
    request: Request,
    visitor: Looking,
    q: _Text = "",
    kind: _Kind = "",
    person: Annotated[str, Query(max_length=320)] = "",
    since: str = "",
    until: str = "",
    mode: Mode = "hybrid",
) -> Look:
    """What is found for these words; nothing for none."""
    kinds: list[Kind] = [kind] if kind else list(KINDS)
    first, last = day(since), day_after(until)

    def look(session: Connection) -> dict[str, Any]:
        began, notes = time.perf_counter(), list[str]()
        hits = []
        if q.strip():
            hits = out.search(
                session,
                q,
                kinds=kinds,
                limit=HITS,
                since=first,
                until=last,
                person=person or None,
                mode=mode,
                settings=visitor.settings,
                tell=notes.append,
            )
        return {
            "q": q,
            "kind": kind,
            "kinds": KINDS,
            "person": person,
            "since": since,
            "until": until,
            "mode": mode,
            "notes": notes,
            "modes": MODES,
            "places": {one: with_asked(request, kind=one or None) for one in ("", *KINDS)},
            "anywhere": with_asked(request, kind=None, person=None, since=None, until=None),
            "most": HITS,
            "hits": [(hit, _address(hit)) for hit in hits],
            "took": time.perf_counter() - began,
        }

    return look


def _address(hit: out.Hit) -> str:
    at = hit.citation.start if hit.citation else None
    return address(hit.kind, hit.stream_id, hit.source_id, at)
