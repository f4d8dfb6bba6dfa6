"""Extracting contacts when somebody asks for it: a job over all batches where that is not done."""

from __future__ import annotations

import time

import msgspec

from headrace.engine import jobs, state
from headrace.engine.leaving import leaving
from headrace.engine.sync import LEG_SECONDS, Outcome
from headrace.engine.whole import run_whole
from headrace.plugins import stages
from headrace.store.database import Connection, Database
from headrace.store.jobs import JobRow, note, under_way
from headrace.store.sql import query

KIND = "extract_contacts"
_STAGES = (KIND, "extract_identities")
_AT_ONCE = 1000
"""Batches between two looks for those that are left."""


class Standing(msgspec.Struct):
    """How far a job is, kept in its `summary`: through with `batches`, the last of them `at`."""

    batches: int = 0
    at: int = 0


def submit(connection: Connection, tenant: str, user: str) -> JobRow:
    """The user's job, new or under way."""
    under_way = connection.execute(
        query("contacts", "extracting"), {"tenant": tenant, "user": user, "kind": KIND}
    ).fetchone()
    if under_way is not None:
        return under_way
    return jobs.submit(connection, tenant=tenant, user=user, kind=KIND, lane="backfill")[0]


def leg(database: Database, job_id: str, turn: int) -> Outcome:
    """Some seconds of it: what one durable step covers."""
    until = time.monotonic() + LEG_SECONDS
    asked = state.current().settings.model_copy(update={"headrace_extract_contacts": "auto"})
    with database.connection() as connection:
        row = under_way(connection, job_id, turn)
        if row is None:
            return Outcome("stop")
        standing = msgspec.convert(row["summary"] or {}, Standing)
        whose = {"tenant": row["tenant_id"], "user": row["user_id"]}
        values = {**whose, "after": standing.at, "limit": _AT_ONCE}
        found = connection.execute(query("contacts", "to_extract"), values).fetchall()
    for through, batch in enumerate(found, start=1):
        for name in _STAGES:
            run_whole(database, stages()[name], batch["batch_id"], settings=asked)
        standing.at = batch["batch_id"]
        standing.batches += 1
        with database.transaction() as connection:
            if not note(connection, job_id, turn, standing):
                return Outcome("stop")
        if leaving() or time.monotonic() >= until:
            return Outcome("more", inserted=through)
    return Outcome("more" if len(found) == _AT_ONCE else "done", inserted=len(found))
