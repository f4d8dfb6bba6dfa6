"""From one stage to the next: what is enqueued with a batch, and what when a stage is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.crashpoints import mark
from headrace.engine.origin import Context
from headrace.engine.queues import STAGES, enqueue, stage_workflow_id
from headrace.engine.settle import settle, stages_settle
from headrace.plugins import following, raw_stages
from headrace.provider import BadRecord
from headrace.stage import Stage
from headrace.store.database import Connection
from headrace.store.landing import FollowUp, bury

_DONE = """
INSERT INTO headrace.stage_runs (tenant_id, user_id, batch_id, stage, version, rows_in, rows_out,
  dead_lettered, duration_ms, error)
VALUES (%(tenant)s, %(user)s, %(batch_id)s, %(stage)s, %(version)s, %(rows_in)s, %(rows_out)s,
  %(dead)s, %(ms)s, %(error)s)
ON CONFLICT (tenant_id, batch_id, stage, version) DO UPDATE
SET rows_in = excluded.rows_in, rows_out = excluded.rows_out, error = excluded.error,
    dead_lettered = excluded.dead_lettered, duration_ms = excluded.duration_ms,
    finished_at = now()
"""

_UNDO = """
DELETE FROM headrace.stage_runs
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s AND stage = ANY(%(stages)s::text[])
"""


def follow_up(content: str, *, priority: str = "medium") -> FollowUp:
    """What to enqueue with every batch of this content: its first stages."""
    first = raw_stages(content)

    def write_work(connection: Connection, batch_id: int) -> None:
        for one in first:
            enqueue_stage(connection, one, batch_id, priority=priority)

    return write_work


def enqueue_stage(
    connection: Connection,
    one: Stage,
    batch_id: int,
    *,
    attempt: int = 1,
    priority: str = "medium",
    not_before: Any = None,
) -> None:
    """Enqueue a stage for a batch, in the caller's transaction; the same attempt only once."""
    enqueue(
        connection,
        "headrace.stage",
        stage_workflow_id(one.name, one.version, batch_id, attempt),
        one.name,
        batch_id,
        attempt,
        queue=STAGES,
        priority=priority,
        not_before=not_before,
    )


class Done(msgspec.Struct):
    """What a stage did with a batch, for its row in `stage_runs`."""

    rows_in: int
    rows_out: int
    ms: int
    error: str | None = None


def finish(
    connection: Connection,
    one: Stage,
    origin: Context,
    batch_id: int,
    done: Done,
    bad: Sequence[BadRecord] = (),
    versions: Sequence[int] = (),
) -> None:
    """Say in the stage's own transaction that it is done; when it was the last there was to do for
    a job that waits for its stages, the job is over. What comes after it, the workflow knows."""
    if bad:
        bury(connection, origin.keys(), batch_id, one.name, bad, versions)
    mark("in-stage")
    values = {
        **origin.keys(),
        "batch_id": batch_id,
        "stage": one.name,
        "version": one.version,
        **msgspec.structs.asdict(done),
        "dead": len(bad),
    }
    connection.execute(_DONE, values)
    further = following(one.name)
    if further:
        # Where they have run before, they run again: what they were made of has changed.
        names = [after.name for after in further]
        connection.execute(_UNDO, {**values, "stages": names})
    if done.error:
        # They have nothing to work on, and must not be waited for.
        for after in further:
            lost = {**values, "stage": after.name, "version": after.version, "dead": 0}
            connection.execute(_DONE, lost)
    if (not further or done.error) and stages_settle(origin.stream.provider):
        settle(connection, origin.tenant, origin.job_id)
