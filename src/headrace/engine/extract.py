"""Extracting contacts when somebody asks for it: a job over all batches where that is not done."""

from __future__ import annotations

import time

from headrace.engine import jobs, state
from headrace.engine.leaving import leaving
from headrace.engine.sync import Outcome
from headrace.engine.whole import run_whole
from headrace.plugins import stages
from headrace.store import jobs as rows
from headrace.store.database import Connection, Database
from headrace.store.jobs import JobRow
from headrace.store.sql import query

KIND = "extract_contacts"
_STAGES = (KIND, "extract_identities")
_LEG_SECONDS = 5.0


def submit(connection: Connection, tenant: str, user: str) -> JobRow:
    """The user's job, new or under way."""
    under_way = connection.execute(
        query("contacts", "extracting"), {"tenant": tenant, "user": user, "kind": KIND}
    ).fetchone()
    if under_way is not None:
        return under_way
    return jobs.submit(connection, tenant=tenant, user=user, kind=KIND, lane="backfill")[0]


def leg(database: Database, job_id: str, turn: int) -> Outcome:
    """Some seconds of it. What is done is seen in the tables, so it goes on wherever it stopped."""
    until = time.monotonic() + _LEG_SECONDS
    asked = state.current().settings.model_copy(update={"headrace_extract_contacts": "auto"})
    del turn  # a job of an old turn is not run
    with database.connection() as connection:
        own = rows.get(connection, job_id)
        if own is None:
            return Outcome("stop")
        whose = {"tenant": own["tenant_id"], "user": own["user_id"]}
        found = connection.execute(query("contacts", "to_extract"), whose).fetchall()
    for row in found:
        with database.connection() as connection:
            job = rows.get(connection, job_id)
        if job is None or job["status"] == "CANCELLED":
            return Outcome("stop")
        for name in _STAGES:
            run_whole(database, stages()[name], row["batch_id"], settings=asked)
        if (leaving() or time.monotonic() >= until) and row is not found[-1]:
            return Outcome("more")
    return Outcome("done")
