"""Why a row is there: the record, version, batch, job and connection that it comes from."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.dashboard.page import Look, page
from headrace.errors import NotFound
from headrace.out import why as out
from headrace.store.database import Connection


@page("/why/{kind}/{name:path}", "why.html", lives=False)
def why(kind: str, name: str) -> Look:
    """What a row was made of, and what was made of it."""

    def look(session: Connection) -> dict[str, Any]:
        found = out.why(session, kind, name)
        if found is None:
            raise NotFound(f"There is no {kind} {name}.", hint="Search names what there is.")
        return {"why": msgspec.structs.asdict(found), "kind": kind, "name": name}

    return look
