"""Who may write a slice, and from where it goes on."""

from __future__ import annotations

from typing import Any

import msgspec
from psycopg.types.json import Json

from headrace.errors import HeadraceError
from headrace.provider import JSON
from headrace.store.database import Connection, Database
from headrace.store.sql import query

_HASH = 8


class Fenced(HeadraceError):
    """Someone else has taken the slice: this writer stops, nothing of its commit remains."""


class Cancelled(HeadraceError):
    """The job was cancelled: nothing more of it is committed."""


class Claim(msgspec.Struct):
    """The right to write one slice, until somebody claims it anew. `done` says that this job has
    walked it to its end already: whoever takes over the job has nothing left to do here."""

    tenant: str
    user: str
    stream_id: int
    slice: str
    job_id: str
    epoch: int
    walk: int
    restarts: int
    cursor: JSON
    done: bool = False

    def keys(self) -> dict[str, Any]:
        """The parameters that name this slice in every query."""
        return {
            "tenant": self.tenant,
            "user": self.user,
            "stream_id": self.stream_id,
            "slice": self.slice,
            "job_id": self.job_id,
            "epoch": self.epoch,
            "walk": self.walk,
        }


def as_json(cursor: JSON) -> Json | None:
    """A cursor for a `json` column; no cursor is SQL's NULL."""
    return None if cursor is None else Json(cursor)


def claim(
    connection: Connection, *, tenant: str, user: str, stream_id: int, slice_: str, job_id: str
) -> Claim:
    """Take a slice. Whoever held it can no longer commit."""
    row = connection.execute(
        query("landing", "claim"), {"tenant": tenant, "stream_id": stream_id, "slice": slice_}
    ).fetchone()
    if row is None:
        raise HeadraceError(f"There is no slice {slice_!r} of stream {stream_id}.")
    return Claim(
        tenant=tenant,
        user=user,
        stream_id=stream_id,
        slice=slice_,
        job_id=job_id,
        epoch=row["epoch"],
        walk=row["walk"],
        restarts=row["restarts"],
        cursor=row["cursor"],
        done=row["done_by"] == job_id,
    )


def seen_cursors(connection: Connection, claimed: Claim) -> set[bytes]:
    """The hashes of every cursor committed in the walk under way."""
    row = connection.execute(query("landing", "seen_cursors"), claimed.keys()).fetchone()
    hashes: bytes = row["hashes"] if row else b""
    return {hashes[at : at + _HASH] for at in range(0, len(hashes), _HASH)}


def restart_walk(database: Database, claimed: Claim, cursor: JSON = None) -> None:
    """Begin the slice's walk again. Raises Fenced when the slice has been taken meanwhile."""
    with database.transaction() as connection:
        row = connection.execute(
            query("landing", "restart_walk"), {**claimed.keys(), "cursor": as_json(cursor)}
        ).fetchone()
    if row is None:
        raise Fenced("Another worker has taken over this stream.")
    claimed.cursor, claimed.walk, claimed.restarts = cursor, row["walk"], row["restarts"]
