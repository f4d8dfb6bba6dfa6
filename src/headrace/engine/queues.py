"""Putting work on DBOS's queues from inside any transaction, in plain SQL.

The engine's own function `dbos.enqueue_workflow` runs in the caller's transaction: rolled back with
it, visible with its commit. So landed rows and the work that follows from them are one commit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from headrace.crashpoints import PRETENDED
from headrace.store.database import Connection

APPLICATION: Final = "headrace"
VERSION: Final = PRETENDED or "headrace-1"
"""DBOS runs a workflow only in processes of the same version. It changes when the steps of the
workflows do, not with every release, so that any peer can take over any job. In a database that
applications share, each of them needs versions of its own."""

JOBS: Final = "headrace_jobs"
STAGES: Final = "headrace_stages"
APART: Final = "headrace_apart"
"""Stages that stand apart, one at a time in a process: however much there is of their work, it
takes no place from the others."""
NOTICES: Final = "headrace_notices"
INSIGHTS: Final = "headrace_insights"
"""Language models are slow: whoever waits for one takes no place from what brings data in."""

CHANNEL: Final = "headrace_work"
"""Where it is said that a queue has something, by the queue's name: see `engine.dispatch`. Said
twice in a transaction, it is heard once. What is delayed is found when it has come due."""

PRIORITIES: Final = {"urgent": 1, "high": 2, "medium": 3, "low": 4}
"""Lower runs first (A3.41)."""

_ENQUEUE = """
SELECT dbos.enqueue_workflow(
  workflow_name => %(name)s, queue_name => %(queue)s, workflow_id => %(id)s,
  positional_args => %(arguments)s::json[], priority => %(priority)s,
  app_version => %(version)s, application_name => %(application)s,
  delay_until_epoch_ms => %(delay)s),
  CASE WHEN %(delay)s::bigint IS NULL THEN pg_notify(%(channel)s, %(queue)s) END
"""

_ENQUEUE_MANY = """
SELECT dbos.enqueue_workflow(
  workflow_name => %(name)s, queue_name => %(queue)s, workflow_id => id,
  positional_args => ARRAY(SELECT json_array_elements(arguments)), priority => rank,
  app_version => %(version)s, application_name => %(application)s, delay_until_epoch_ms => delay)
FROM unnest(%(ids)s::text[], %(arguments)s::json[], %(priorities)s::int[], %(delays)s::bigint[])
  AS wanted (id, arguments, rank, delay),
  pg_notify(%(channel)s, %(queue)s)
"""


def enqueue(
    connection: Connection,
    workflow: str,
    workflow_id: str,
    *arguments: Any,
    queue: str,
    priority: str = "medium",
    not_before: datetime | None = None,
) -> None:
    """Enqueue one workflow in the caller's transaction. The same id twice is one workflow."""
    connection.execute(
        _ENQUEUE,
        {
            "name": workflow,
            "queue": queue,
            "id": workflow_id,
            "arguments": [json.dumps(one) for one in arguments],
            "priority": PRIORITIES[priority],
            "version": VERSION,
            "application": APPLICATION,
            "channel": CHANNEL,
            "delay": _epoch_ms(not_before),
        },
    )


def enqueue_many(
    connection: Connection,
    workflow: str,
    wanted: Sequence[tuple[str, Sequence[Any], str]],
    *,
    queue: str,
    not_before: Sequence[datetime | None] | None = None,
) -> None:
    """Enqueue one workflow many times at once: by id, arguments and priority of each."""
    values = {
        "name": workflow,
        "queue": queue,
        "ids": [id_ for id_, _, _ in wanted],
        "arguments": [json.dumps(arguments) for _, arguments, _ in wanted],
        "priorities": [PRIORITIES[priority] for _, _, priority in wanted],
        "delays": [_epoch_ms(moment) for moment in not_before or [None] * len(wanted)],
        "version": VERSION,
        "application": APPLICATION,
        "channel": CHANNEL,
    }
    connection.execute(_ENQUEUE_MANY, values)


def _epoch_ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def wake(connection: psycopg.Connection[Any]) -> None:
    """Have every worker look at once for what there is to do."""
    connection.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def queue_of(kind: str) -> str:
    """Which queue jobs of a kind wait on."""
    return INSIGHTS if kind == "insight" else JOBS


def workflow_id(job_id: str, turn: int) -> str:
    """A job's id is the id of its first workflow; later turns are numbered."""
    return job_id if turn == 1 else f"{job_id}/{turn}"


def stage_workflow_id(stage: str, version: int, batch_id: int, attempt: int) -> str:
    """One id a piece of stage work: asking for it twice does it once."""
    return f"stage:{stage}:{version}:{batch_id}:{attempt}"


def is_stage(workflow_id: str) -> bool:
    """Whether this is an id of stage work."""
    return workflow_id.startswith("stage:")
