"""Jobs that are over only when the stages are through with what they have landed.

Two sides may be the last: the walk that ends, or a stage. Both take the job's lock first and look
then, so the second of them sees what the first has committed, and the job always ends.
"""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from headrace.engine import points
from headrace.engine.needs import ended as over
from headrace.engine.queues import NOTICES, enqueue
from headrace.plugins import providers, sync_kinds, wiring
from headrace.store import connections, jobs
from headrace.store.database import Connection
from headrace.store.sql import query

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0x48524a42))"


def settles(kind: str) -> bool:
    """Whether jobs of this kind wait for their stages."""
    one = sync_kinds().get(kind)
    return one is not None and one.settles


def stages_settle(provider: str) -> bool:
    """Whether the stages of this provider's batches may be what its job waits for."""
    one = providers().get(provider)
    return one is not None and one.settles


def lock(connection: Connection, job_id: str) -> None:
    """Take the job's lock until the transaction ends; before looking at its stages."""
    connection.execute(_LOCK, [job_id])


def lacks_stages(connection: Connection, tenant: str, job_id: str) -> bool:
    """Whether a stage has still something of the job before it."""
    values = {"tenant": tenant, "job_id": job_id, **wiring(apart=False)}
    found = connection.execute(query("jobs", "lacks_stages"), values).fetchone()
    return bool(found and found["lacks"])


def stages(connection: Connection, tenant: str, job_id: str) -> list[dict[str, Any]]:
    """How far each stage is with a job, in the order they run: `name`, `batches` done `of` those
    there are, `rows_in`, `rows_out` and `dead_lettered` so far."""
    values = {"tenant": tenant, "job_id": job_id, **wiring()}
    return connection.execute(query("jobs", "stage_progress"), values).fetchall()


def settle(connection: Connection, tenant: str, job_id: str) -> None:
    """End the job if it has landed everything and this was the last stage that it waited for."""
    lock(connection, job_id)
    row = connection.execute(query("jobs", "landed"), {"job_id": job_id}).fetchone()
    if row is None or lacks_stages(connection, tenant, job_id):
        return
    totals = jobs.totals(connection, tenant, job_id)
    summary = {**(row["summary"] or {}), **totals, **outcome(connection, tenant, job_id)}
    values = {"job_id": job_id, "summary": Jsonb(summary)}
    ended = connection.execute(query("jobs", "settle"), values).fetchone()
    if ended is not None:
        if ended["connection_id"] is not None:
            connections.health(connection, ended["connection_id"], "active")
            connections.show(connection, ended["connection_id"], job_id)
            points.dispatch(connection, ended["connection_id"], f"{job_id}:{ended['turn']}")
        enqueue(connection, "headrace.tend", f"tend:{job_id}:{ended['turn']}", queue=NOTICES)
        over(connection, [ended])


def outcome(connection: Connection, tenant: str, job_id: str) -> dict[str, Any]:
    """What the stages have done for a job: rows in, rows out and dead letters of each."""
    counts = ("rows_in", "rows_out", "dead_lettered")
    found = stages(connection, tenant, job_id)
    return {"stages": {one["name"]: {name: one[name] for name in counts} for one in found}}
