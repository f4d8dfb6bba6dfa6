"""What the engine has done of a job, step by step, and when: read from its own tables.

A turn is a workflow of its own, see `queues.workflow_id`. The steps of one that is over are there
until retention removes it. A contract test holds the names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from headrace.engine.queues import workflow_id
from headrace.store.database import Connection, as_owner

MOST = 60
"""Steps that are told: a long job has thousands, and the newest say where it is."""

_STEPS = """
SELECT o.workflow_uuid AS workflow, o.function_name AS name,
  to_timestamp(o.started_at_epoch_ms / 1000.0) AS began,
  to_timestamp(o.completed_at_epoch_ms / 1000.0) AS ended, o.error IS NOT NULL AS failed
FROM unnest(%(ids)s::text[]) AS t (id)
JOIN dbos.operation_outputs o ON o.workflow_uuid = t.id COLLATE "default"
ORDER BY o.started_at_epoch_ms DESC NULLS LAST, o.function_id DESC LIMIT %(limit)s
"""

_TURNS = """
SELECT w.workflow_uuid AS workflow, w.status, w.executor_id AS worker,
  to_timestamp(w.created_at / 1000.0) AS asked,
  to_timestamp(w.started_at_epoch_ms / 1000.0) AS began,
  to_timestamp(w.completed_at / 1000.0) AS ended
FROM unnest(%(ids)s::text[]) AS t (id)
JOIN dbos.workflow_status w ON w.workflow_uuid = t.id COLLATE "default"
"""


class Step(msgspec.Struct):
    """One step of a turn."""

    turn: int
    name: str
    began: datetime | None
    ended: datetime | None
    failed: bool

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.began is None or self.ended is None:
            return None
        return (self.ended - self.began).total_seconds()


class Turn(msgspec.Struct):
    """One turn of a job: when it was put on the queue, taken from it and over, and who has it."""

    turn: int
    status: str
    worker: str | None
    asked: datetime
    began: datetime | None
    ended: datetime | None

    @property
    def waited(self) -> float | None:
        """Seconds on the queue."""
        return (self.began - self.asked).total_seconds() if self.began else None


def turns(connection: Connection, job_id: str, turn: int, most: int = 20) -> list[Turn]:
    """The newest turns of a job, of which this is the last; the newest first. Whose job it is, the
    caller has looked at."""
    rows = _asked(connection, _TURNS, job_id, turn, most)
    found = [Turn(_turn(row.pop("workflow")), **row) for row in rows]
    return sorted(found, key=lambda one: one.turn, reverse=True)


def steps(connection: Connection, job_id: str, turn: int, most: int = MOST) -> list[Step]:
    """The newest steps of a job's newest turns, the newest first."""
    rows = _asked(connection, _STEPS, job_id, turn, most)
    return [Step(_turn(row.pop("workflow")), **row) for row in rows]


def _asked(
    connection: Connection, text: str, job_id: str, turn: int, most: int
) -> list[dict[str, Any]]:
    first = max(1, turn - most + 1)
    ids = [workflow_id(job_id, one) for one in range(first, turn + 1)]
    with as_owner(connection):
        return connection.execute(text.encode(), {"ids": ids, "limit": most}).fetchall()


def _turn(workflow: str) -> int:
    return int(workflow.partition("/")[2] or 1)
