"""From one stage to the next: what is enqueued with a batch, and what when a stage is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.crashpoints import mark
from headrace.engine.lanes import of_batch
from headrace.engine.origin import Context, context
from headrace.engine.queues import APART, NOTICES, STAGES, enqueue, stage_workflow_id
from headrace.engine.settle import settle, stages_settle
from headrace.plugins import following, raw_stages, steps
from headrace.provider import BadRecord
from headrace.rows import Vectors
from headrace.stage import Stage
from headrace.store.database import Connection, Database
from headrace.store.landing import FollowUp, bury
from headrace.wiring import Step

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

_RUNS = """
SELECT stage, max(version) AS version FROM headrace.stage_runs
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s GROUP BY stage
"""


# The ids are those of `queues.stage_workflow_id`.
_ASKED = """
WITH RECURSIVE asked (attempt, status) AS (
  SELECT 0, ''
  UNION ALL
  SELECT a.attempt + 1, w.status FROM asked a JOIN dbos.workflow_status w
    ON w.workflow_uuid = %(id)s || a.attempt + 1)
SELECT max(attempt) AS attempts, bool_or(status IN ('ENQUEUED', 'DELAYED')) AS waits FROM asked
"""


def follow_up(content: str, *, priority: str | None = None) -> FollowUp:
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
    priority: str | None = None,
    lane: str | None = None,
    not_before: Any = None,
) -> None:
    """Enqueue a stage for a batch, in the caller's transaction; the same attempt only once. It goes
    in the lane of the job that landed the batch, unless another is named."""
    named = {"priority": priority, "lane": lane}
    place = of_batch(connection, batch_id) | {key: one for key, one in named.items() if one}
    enqueue(
        connection,
        "headrace.stage",
        stage_workflow_id(one.name, one.version, batch_id, attempt),
        one.name,
        batch_id,
        attempt,
        queue=APART if one.apart else STAGES,
        not_before=not_before,
        **place,
    )


def enqueue_again(
    connection: Connection, one: Stage, batch_id: int, *, not_before: Any = None, **place: str
) -> None:
    """Enqueue a stage for a batch that it may have been enqueued for before. One that waits on the
    queue is enough; one that is being run may have read what is old by now."""
    prefix = stage_workflow_id(one.name, one.version, batch_id, 0).removesuffix("0")
    asked = connection.execute(_ASKED, {"id": prefix}).fetchone()
    assert asked is not None, "an aggregate always answers"
    if not asked["waits"]:
        attempt = asked["attempts"] + 1
        enqueue_stage(connection, one, batch_id, attempt=attempt, not_before=not_before, **place)


class Done(msgspec.Struct):
    """What a stage did with a batch, for its row in `stage_runs`."""

    rows_in: int
    rows_out: int
    ms: int
    error: str | None = None


class Ran(msgspec.Struct):
    """How many rows a stage has written, and the content of its batch."""

    rows: int
    content: str


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
    further = undo(connection, one, origin, batch_id)
    if done.error:
        # They have nothing to work on, and must not be waited for.
        for after in further:
            lost = {"stage": after.stage.name, "version": after.stage.version, "dead": 0}
            connection.execute(_DONE, {**values, **lost})
    elif further:
        _set_apart(connection, one, further, batch_id)
    if one.apart and Vectors in one.writes and done.rows_out:
        # No job waits for it, whose end would see to the index of its vectors.
        enqueue(connection, "headrace.tend", f"tend:{one.name}:{batch_id}", queue=NOTICES)
    last = all(after.stage.apart for after in further)
    if (last or done.error) and stages_settle(origin.stream.provider):
        settle(connection, origin.tenant, origin.job_id)


def undo(connection: Connection, one: Stage, origin: Context, batch_id: int) -> list[Step]:
    """Have all that hangs on a stage run again, where it has run: what it was made of has changed.
    Returns what hangs on it. Whoever has changed that goes on with it, or the sweeper does."""
    further = following(origin.stream.content, one.name)
    if further:
        names = [after.stage.name for after in further]
        values = {"tenant": origin.tenant, "batch_id": batch_id, "stages": names}
        connection.execute(_UNDO, values)
    return further


def _set_apart(connection: Connection, one: Stage, further: Sequence[Step], batch_id: int) -> None:
    """Enqueue those that come right after `one` and stand apart; the others, the workflow runs."""
    for after in further:
        if after.stage.apart and one in after.before:
            enqueue_again(connection, after.stage, batch_id)


def ready(database: Database, name: str, batch_id: int) -> bool:
    """Whether all that a stage waits for has run on the batch, in this version or a newer one."""
    with database.connection() as connection:
        origin = context(connection, batch_id)
        found = [one for one in steps(origin.stream.content) if one.stage.name == name]
        before = [(one.name, one.version) for step in found for one in step.before]
        values = {**origin.keys(), "batch_id": batch_id}
        there = {row["stage"]: row["version"] for row in connection.execute(_RUNS, values)}
    return all(there.get(stage, 0) >= version for stage, version in before)
