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
from headrace.engine.queues import APPLICATION, VERSION
from headrace.engine.turns import dispatch
from headrace.plugins import stages
from headrace.store.database import Connection

AT_ONCE = 1000
"""Workflows that one sweep takes up; the next one goes on."""

_VERSIONS = """
SELECT DISTINCT w.application_version AS version FROM dbos.workflow_status w
WHERE w.status IN ('ENQUEUED', 'DELAYED', 'PENDING') AND w.application_name = %(application)s
  AND w.name LIKE 'headrace.%%' AND w.application_version <> %(version)s
  AND NOT EXISTS (SELECT FROM headrace.workers l
    WHERE l.dead_at IS NULL AND l.version = w.application_version)
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
    for row in connection.execute(_VERSIONS, own).fetchall():
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
