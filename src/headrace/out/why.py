"""Why a row is there: what it was made of, by what, and when; and what was made of a raw event.

    with database.people(tenant, user) as connection:
        answer = why(connection, "interaction", "12:<a@example.org>")

A row is named by its kind and `STREAM:SOURCE_ID`, as listings and searches tell them; contacts and
identities by their id; a chunk by `STREAM:HASH:POSITION`.
"""

from __future__ import annotations

import uuid
from typing import Any, Final, LiteralString

import msgspec
from psycopg.sql import SQL, Identifier

from headrace.errors import BadInput
from headrace.plugins import steps
from headrace.store.database import Connection
from headrace.store.reland import JOB_ID, MEND_ID
from headrace.store.sql import query
from headrace.text import did_you_mean

MOST = 20
"""Rows of a kind that are told of; counts are of all."""

_TOLD: Final[dict[str, LiteralString]] = {
    "interactions": "subject",
    "calendar_events": "title",
    "events": "name",
    "timeline_events": "sentence",
    "documents": "source_id",
}
"""The tables with a row for each record, and the column that people know it by."""

_KINDS: Final = {
    "interaction": "interactions",
    "calendar_event": "calendar_events",
    "event": "events",
    "timeline": "timeline_events",
    "timeline_event": "timeline_events",
    "document": "documents",
}
OTHERS: Final = ("chunk", "contact", "identity", "raw")


class Record(msgspec.Struct, kw_only=True):
    """A record: every version that was landed, newest first, each with its batch; the jobs that
    brought them; which stages have been through those batches; and what was refused on the way.
    `removed` says what of this retention has removed, in words."""

    stream_id: int
    source_id: str
    source: dict[str, Any]
    versions: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    stage_runs: list[dict[str, Any]]
    dead_letters: list[dict[str, Any]]
    removed: list[str] = []


class Why(msgspec.Struct, kw_only=True):
    """An answer. `row` is what was asked about, `records` what it was made of. Of a contact, also
    its `identities`, the `links` that join them with their evidence, and the newest
    `interactions`; of a raw event `made`, everything that there is of it, by table."""

    kind: str
    row: dict[str, Any]
    stages: list[str] = []
    records: list[Record] = []
    identities: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    interactions: list[dict[str, Any]] = []
    made: dict[str, list[dict[str, Any]]] = {}


def why(connection: Connection, kind: str, name: str) -> Why | None:
    """What is known of a row; None where there is none that the caller may see. Raises BadInput for
    a kind that is not one, or a name that names nothing."""
    wanted = kind if kind in OTHERS else _KINDS.get(kind.replace("-", "_").removesuffix("s"))
    if wanted is None:
        raise BadInput(
            f"There is no kind of row called {kind!r}.",
            hint=did_you_mean(kind, [*_KINDS, *OTHERS]),
        )
    if wanted in ("contact", "identity"):
        return _contact(connection, wanted, name)
    stream_id, source_id = _place(name)
    if wanted == "chunk":
        return _chunk(connection, stream_id, source_id)
    if wanted == "raw":
        return _impact(connection, stream_id, source_id)
    row = _row(connection, wanted, stream_id, source_id)
    if row is None:
        return None
    record = _record(connection, stream_id, source_id)
    records = [] if record is None else [record]
    return Why(kind=kind, row=row, stages=_makers(record, wanted), records=records)


def named(table: str, stream_id: int, source_id: str) -> str:
    """What a row of this table is called here: `interaction:12:abc`."""
    kind = next(kind for kind, there in _KINDS.items() if there == table)
    return f"{kind}:{stream_id}:{source_id}"


def split(named: str) -> tuple[str, str]:
    """`interaction:12:abc` as a kind and a name. Raises BadInput."""
    kind, found, name = named.partition(":")
    if not found or not name:
        raise BadInput(
            f"{named!r} names no row.", hint="Name it as KIND:STREAM:ID, such as event:1:e-42."
        )
    return kind, name


def _place(name: str) -> tuple[int, str]:
    """The stream and the rest of a name, with a colon or a slash between them."""
    number = name[: len(name) - len(name.lstrip("0123456789"))]
    rest = name[len(number) :]
    if not number or rest[:1] not in (":", "/") or len(rest) < 2 or len(number) > 18:
        raise BadInput(
            f"{name!r} names no row.", hint="After its kind come stream and id: 12:abc, or 12/abc."
        )
    return int(number), rest[1:]


def _row(
    connection: Connection, table: str, stream_id: int, source_id: str
) -> dict[str, Any] | None:
    statement = SQL(query("why", "made")).format(
        table=Identifier("headrace", table), told=Identifier(_TOLD[table])
    )
    keys = {"stream_id": stream_id, "source_id": source_id}
    row = connection.execute(statement, keys).fetchone()
    return None if row is None else {"table": table, **keys, **row}


def _record(connection: Connection, stream_id: int, source_id: str) -> Record | None:
    keys: dict[str, Any] = {"stream_id": stream_id, "source_id": source_id, "limit": MOST}
    source = connection.execute(query("why", "source"), keys).fetchone()
    versions = connection.execute(query("why", "raw"), keys).fetchall()
    if source is None or not versions:
        return None
    batch_ids = sorted({row["batch_id"] for row in versions})
    job_ids = sorted({row["job_id"] for row in versions if row["job_id"]})
    more = {**keys, "batch_ids": batch_ids, "job_ids": job_ids}
    jobs = connection.execute(query("why", "jobs"), more).fetchall()
    return Record(
        stream_id=stream_id,
        source_id=source_id,
        source=source,
        versions=versions,
        jobs=jobs,
        stage_runs=connection.execute(query("why", "stage_runs"), more).fetchall(),
        dead_letters=connection.execute(query("why", "letters"), more).fetchall(),
        removed=_removed(versions, set(job_ids) - {row["job_id"] for row in jobs}),
    )


def _removed(versions: list[dict[str, Any]], jobs: set[str]) -> list[str]:
    """What retention has removed. Versions are counted without a gap when they are landed."""
    oldest = versions[-1]["version"] if len(versions) < MOST else None
    whole = versions[0]["version"] - (0 if oldest is not None else versions[-1]["version"] - 1)
    told = []
    if gone := whole - len(versions):
        told.append(f"{gone} older version{'s' if gone > 1 else ''} of it, by retention")
    if gone := len(jobs - {JOB_ID, MEND_ID}):
        told.append(f"{gone} of the jobs that brought it, by retention")
    return told


def _makers(record: Record | None, table: str) -> list[str]:
    """The stages that lead to a table, in their order."""
    if record is None:
        return []
    leading = [
        step
        for step in steps(record.source["content"])
        if any(getattr(one, "table", None) == table for one in step.stage.writes)
        or (table == "documents" and step.stage.name == "parse")
        or (table == "chunks" and any(one.__name__ == "Vectors" for one in step.stage.writes))
    ]
    return list(dict.fromkeys(one.name for step in leading for one in step.lineage))


def _chunk(connection: Connection, stream_id: int, name: str) -> Why | None:
    hex_, _, position = name.partition(":")
    try:
        keys = {
            "stream_id": stream_id,
            "content_hash": bytes.fromhex(hex_),
            "position": int(position or 0),
            "limit": MOST,
        }
    except ValueError:
        raise BadInput(
            f"{name!r} names no chunk.", hint="Name it as chunk:STREAM:HASH:POSITION."
        ) from None
    row = connection.execute(query("why", "chunk"), keys).fetchone()
    if row is None:
        return None
    row["content_hash"] = hex_
    of = connection.execute(query("why", "documents_of"), keys).fetchall()
    of += connection.execute(query("why", "interactions_of_text"), keys).fetchall()
    found = [_record(connection, stream_id, one["source_id"]) for one in of]
    records = [one for one in found if one is not None]
    stages = _makers(records[0], "chunks") if records else []
    return Why(kind="chunk", row={"table": "chunks", **row}, stages=stages, records=records)


def _contact(connection: Connection, kind: str, name: str) -> Why | None:
    try:
        keys: dict[str, Any] = {"id": uuid.UUID(name), "limit": MOST}
    except ValueError:
        raise BadInput(
            f"{name!r} is no id of a contact.", hint="It looks like 0b6f2f0e-...-4c1d."
        ) from None
    row = connection.execute(query("why", kind), keys).fetchone()
    if row is None:
        return None
    if kind == "contact":
        keys["id"] = row["contact_id"]
        identities = connection.execute(query("why", "identities"), keys).fetchall()
    else:
        identities = [row]
    keys["ids"] = [one["identity_id"] for one in identities]
    counted = connection.execute(query("why", "taken_part"), keys).fetchone() or {}
    interactions = connection.execute(query("why", "interactions_with"), keys).fetchall()
    newest = [_record(connection, one["stream_id"], one["source_id"]) for one in interactions[:3]]
    records = [one for one in newest if one is not None]
    return Why(
        kind=kind,
        row={**row, **counted},
        stages=_makers(records[0], "participants") if records else [],
        records=records,
        identities=identities,
        links=connection.execute(query("why", "links"), keys).fetchall(),
        interactions=interactions,
    )


def _impact(connection: Connection, stream_id: int, source_id: str) -> Why | None:
    """What was made of a raw event."""
    record = _record(connection, stream_id, source_id)
    if record is None:
        return None
    keys = {"stream_id": stream_id, "source_id": source_id, "limit": MOST}
    made: dict[str, list[dict[str, Any]]] = {}
    for table in _TOLD:
        row = _row(connection, table, stream_id, source_id)
        if row is not None:
            made[table] = [row]
    for table in ("participants", "chunks"):
        found = connection.execute(query("why", f"{table}_of"), keys).fetchall()
        if found:
            made[table] = found
    row = {"table": "raw_events", "stream_id": stream_id, "source_id": source_id}
    return Why(kind="raw", row=row, records=[record], made=made)
