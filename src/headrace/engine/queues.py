"""Putting work on DBOS's queues from inside any transaction, in plain SQL.

The engine's own function `dbos.enqueue_workflow` runs in the caller's transaction: rolled back with
it, visible with its commit. So landed rows and the work that follows from them are one commit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import psycopg

from headrace.crashpoints import PRETENDED
from headrace.engine.lanes import NUMBER, band
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

QUEUES: Final = (JOBS, STAGES, APART, NOTICES, INSIGHTS)

INTERNAL: Final = "_dbos_internal_queue"
"""The engine's own queue: of what is taken over and was on none."""

CHANNEL: Final = "headrace_work"
"""Where it is said that a queue has something, by the queue's name: see `engine.dispatch`. Said
twice in a transaction, it is heard once. What is delayed is found when it has come due."""

_ENQUEUE = f"""
SELECT dbos.enqueue_workflow(
  workflow_name => %(name)s, queue_name => %(queue)s, workflow_id => wanted.id,
  positional_args => ARRAY(SELECT json_array_elements(wanted.arguments)), priority => {NUMBER},
  queue_partition_key => wanted.owner, delay_until_epoch_ms => wanted.delay,
  app_version => %(version)s, application_name => %(application)s),
  CASE WHEN wanted.delay IS NULL THEN pg_notify(%(channel)s, %(queue)s) END
FROM (SELECT *, (row_number() OVER (PARTITION BY owner, first) - 1)::int AS nth
  FROM unnest(%(ids)s::text[], %(arguments)s::json[], %(owners)s::text[], %(firsts)s::int[],
    %(lasts)s::int[], %(delays)s::bigint[])
    AS given (id, arguments, owner, first, last, delay)) AS wanted
"""  # noqa: S608 - of this program's own words


class Work(msgspec.Struct, frozen=True):
    """One workflow to be enqueued: its id and arguments, and its place: see `engine.lanes`. The
    owner is a label on the row: these queues are not cut by it. It waits until `not_before`."""

    id: str
    arguments: Sequence[Any]
    owner: str | None = None
    priority: str = "medium"
    lane: str = "interactive"
    not_before: datetime | None = None


def enqueue(
    connection: Connection,
    workflow: str,
    workflow_id: str,
    *arguments: Any,
    queue: str,
    owner: str | None = None,
    priority: str = "medium",
    lane: str = "interactive",
    not_before: datetime | None = None,
) -> None:
    """Enqueue one workflow in the caller's transaction. The same id twice is one workflow."""
    one = Work(workflow_id, arguments, owner, priority, lane, not_before)
    enqueue_many(connection, workflow, [one], queue=queue)


def enqueue_many(
    connection: Connection,
    workflow: str,
    wanted: Sequence[Work],
    *,
    queue: str,
) -> None:
    """Enqueue one workflow many times at once."""
    places = [band(one.priority, one.lane) for one in wanted]
    values = {
        "name": workflow,
        "queue": queue,
        "ids": [one.id for one in wanted],
        "arguments": [json.dumps(list(one.arguments)) for one in wanted],
        "owners": [one.owner for one in wanted],
        "firsts": [first for first, _ in places],
        "lasts": [last for _, last in places],
        "delays": [_epoch_ms(one.not_before) for one in wanted],
        "version": VERSION,
        "application": APPLICATION,
        "channel": CHANNEL,
    }
    connection.execute(_ENQUEUE, values)


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
