"""What workers of another version have left: once none of them lives, it goes on in this one.

The engine gives a workflow only to processes of the version that began it, so two versions side by
side each end their own. When the last process of one has gone, nobody would ever take up what is on
its queues. Steps may differ between versions, so nothing is replayed: a job gets a new turn, which
reads the checkpoint and goes on there, and a stage a new attempt. What follows a job is one step
and can be done as it is. A worker of the old version that comes back meets turns that are over.
"""

from __future__ import annotations

from typing import Any

from headrace import telemetry
from headrace.engine.chain import enqueue_stage
from headrace.engine.lanes import BAND, bands
from headrace.engine.queues import APPLICATION, INTERNAL, QUEUES, VERSION
from headrace.engine.turns import dispatch
from headrace.plugins import stages
from headrace.store.database import Connection

AT_ONCE = 1000
"""Workflows that one sweep takes up; the next one goes on."""
_HEADS = 20
"""How many of each band are looked at."""

# On the queues only what is first of its band is looked at: what nobody serves comes to stand there
# when it is its turn, for nothing that is enqueued later goes before the head. So the look costs
# the same however much waits.
_VERSIONS = """
WITH seen AS (
  SELECT head.version, head.application_name, head.name
  FROM unnest(%(queues)s::text[]) AS q (queue)
  CROSS JOIN unnest(%(firsts)s::int[], %(lasts)s::int[]) AS b (first, last)
  CROSS JOIN LATERAL (SELECT application_version AS version, application_name, name
    FROM dbos.workflow_status w WHERE w.queue_name = q.queue AND w.status = 'ENQUEUED'
      AND w.priority BETWEEN b.first AND b.last
    ORDER BY w.priority, w.created_at LIMIT %(heads)s) head
  UNION ALL
  SELECT application_version, application_name, name FROM dbos.workflow_status
  WHERE status = 'PENDING'
  UNION ALL
  (SELECT application_version, application_name, name FROM dbos.workflow_status
  WHERE status = 'DELAYED' ORDER BY delay_until_epoch_ms LIMIT %(heads)s)
)
SELECT DISTINCT version FROM seen
WHERE application_name = %(application)s AND name LIKE 'headrace.%%' AND version <> %(version)s
  AND NOT EXISTS (SELECT FROM headrace.workers l
    WHERE l.dead_at IS NULL AND l.version = seen.version)
"""

_LEFT = """
SELECT workflow_uuid AS id, name FROM dbos.workflow_status
WHERE status IN ('ENQUEUED', 'DELAYED', 'PENDING') AND application_name = %(application)s
  AND name LIKE 'headrace.%%' AND application_version = %(left)s
ORDER BY priority, created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""

_CANCEL = """
UPDATE dbos.workflow_status SET status = 'CANCELLED', owner_xid = NULL, queue_name = NULL,
  completed_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  updated_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
WHERE workflow_uuid = ANY(%s)
"""

_ADOPT = """
UPDATE dbos.workflow_status SET application_version = %s, owner_xid = NULL,
  started_at_epoch_ms = NULL, status = CASE status WHEN 'DELAYED' THEN status ELSE 'ENQUEUED' END
WHERE workflow_uuid = ANY(%s)
"""

# No failure of its own: its attempts stay as they are, and so does the time it waits for.
_NEW_TURNS = """
UPDATE headrace.jobs SET status = 'PENDING', turn = turn + 1
WHERE status IN ('PENDING', 'RUNNING') AND landed_at IS NULL
  AND job_id || CASE WHEN turn = 1 THEN '' ELSE '/' || turn END = ANY(%s)
RETURNING *
"""


def take_over(connection: Connection) -> int:
    """Take up what the versions left of which no worker lives, in the caller's transaction; how
    many workflows that were."""
    own = {"application": APPLICATION, "version": VERSION}
    through = 0
    known = bands()
    heads = {
        "queues": [*QUEUES, INTERNAL],
        "firsts": [0, *known["firsts"]],  # what was moved up stands before all bands
        "lasts": [BAND - 1, *known["lasts"]],
        "heads": _HEADS,
    }
    for row in connection.execute(_VERSIONS, {**own, **heads}).fetchall():
        values = {**own, "left": row["version"], "limit": AT_ONCE}
        found = connection.execute(_LEFT, values).fetchall()
        of_jobs = [one["id"] for one in found if one["name"] == "headrace.job"]
        of_stages = [one["id"] for one in found if one["name"] == "headrace.stage"]
        others = [one["id"] for one in found if one["id"] not in {*of_jobs, *of_stages}]
        connection.execute(_CANCEL, [of_jobs + of_stages])
        dispatch(connection, *connection.execute(_NEW_TURNS, [of_jobs]).fetchall())
        for one in of_stages:
            _again(connection, one)
        connection.execute(_ADOPT, [VERSION, others])
        telemetry.replaced(row["version"], len(of_jobs), len(of_stages), len(others))
        through += len(found)
    return through


def _again(connection: Connection, workflow_id: str) -> None:
    """The next attempt of a stage, unless this version has no such stage, or another version of it:
    then the sweeper knows what the batch lacks."""
    _, name, version, batch_id, attempt = workflow_id.split(":")
    one: Any = stages().get(name)
    if one is not None and one.version == int(version):
        enqueue_stage(connection, one, int(batch_id), attempt=int(attempt) + 1)
