"""Telling whoever waits for a job that it is over: one message to a DBOS workflow, exactly once.

The message is written by DBOS's own function, under an id made of the job, its turn and the waiter:
sent twice, it is there once. A waiter that starts to listen later finds it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from headrace import telemetry
from headrace.engine import job_letters
from headrace.engine.queues import NOTICES, enqueue
from headrace.errors import HeadraceError
from headrace.settings import Settings
from headrace.store import jobs, outbox, redis
from headrace.store.database import Connection, Database, connect

_SEND = """
SELECT dbos.send_message(destination_id => %(to)s, message => %(message)s::json,
  topic => %(topic)s, message_id => %(id)s)
"""

_JOIN = """
UPDATE headrace.jobs SET payload = jsonb_set(payload, '{also}',
  coalesce(payload -> 'also', '[]') || CASE
    WHEN payload -> 'metadata' = %(caller)s -> 0 OR payload -> 'also' @> %(caller)s THEN '[]'
    ELSE %(caller)s END)
WHERE job_id = %(job_id)s AND status IN ('PENDING', 'RUNNING')
RETURNING job_id
"""

_EVENTS = {"SUCCEEDED": outbox.JOB_SUCCEEDED, "FAILED": outbox.JOB_FAILED}

ATTEMPTS = 10
"""Times that a message is tried for which there is no workflow: for an hour and a half in all."""


def notify(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """What follows from the end of jobs, in the transaction that ended them: the message, enqueued,
    where anybody waits for it, and a dead letter. A Redis that workers stand at is told of every
    end, and webhooks of those that nobody has called off."""
    redis.note_completions(connection, rows)
    outbox.tell_all(connection, [news(row) for row in rows if row["status"] in _EVENTS])
    for row in rows:
        job_letters.keep(connection, row)
        if waiters(row):
            dispatch(connection, row["job_id"], row["turn"], 1)


def dispatch(connection: Connection, job_id: str, turn: int, attempt: int) -> None:
    """Enqueue one attempt; those after the first wait, each twice as long as the one before."""
    later = None if attempt == 1 else datetime.now(UTC) + timedelta(seconds=5 * 2 ** (attempt - 2))
    enqueue(
        connection,
        "headrace.notify",
        f"notify:{job_id}:{turn}:{attempt}",
        job_id,
        turn,
        attempt,
        queue=NOTICES,
        not_before=later,
    )


def waiters(row: dict[str, Any]) -> list[tuple[str, str]]:
    """The workflows and topics that wait for a job: that of its caller, and those of callers who
    asked for the same while it was under way."""
    payload = row["payload"] or {}
    also = payload.get("also")
    named = [payload.get("metadata"), *(also if isinstance(also, list) else [])]
    # A payload may be anything that a program has sent.
    meant = [one for one in named if isinstance(one, dict)]
    found = [(one.get("dbos_workflow_id"), one.get("callback_topic")) for one in meant]
    return list(dict.fromkeys((str(to), str(topic)) for to, topic in found if to and topic))


def join(connection: Connection, job_id: str, metadata: dict[str, Any]) -> bool:
    """Have one more caller told of a job's end. False when it is over: both this and its end are
    updates of its row, so whichever comes second sees the first."""
    values = {"job_id": job_id, "caller": Jsonb([metadata])}
    return connection.execute(_JOIN, values).fetchone() is not None


def result_summary(row: dict[str, Any]) -> dict[str, int]:
    """What a job has done, in seed 004's words (A4.6). What went otherwise than it should, or was
    not needed, is added only where there was any of it: a clean job says exactly three things."""
    summary = row["summary"] or {}
    stages = summary.get("stages") or {}
    said = {
        "files_processed": _count(stages, "parse", "rows_in"),
        "chunks_created": _count(stages, "chunk", "rows_out"),
        "embeddings_generated": _count(stages, "embed", "rows_out"),
    }
    more = {
        "files_unchanged": summary.get("unchanged", 0),
        "dead_lettered": summary.get("dead_lettered", 0)
        + sum(_count(stages, name, "dead_lettered") for name in stages),
    }
    return said | {name: count for name, count in more.items() if count}


def _count(stages: dict[str, dict[str, int]], stage: str, what: str) -> int:
    return int((stages.get(stage) or {}).get(what, 0))


def event(row: dict[str, Any]) -> dict[str, Any]:
    """What is sent (REQUIREMENTS, facts about seed 004): the result, or the error."""
    said = {"job_id": row["job_id"], "status": row["status"]}
    if row["status"] == "SUCCEEDED":
        return {**said, "result_summary": result_summary(row)}
    reason = row["last_error"] or "The job was cancelled."
    return {**said, "error_message": f"{reason} {row['hint'] or ''}".strip()}


def news(row: dict[str, Any]) -> outbox.News:
    """What webhooks are told of a job's end."""
    said = {
        "job_id": row["job_id"],
        "kind": row["kind"],
        "status": row["status"],
        "connection_id": row["connection_id"],
        "user_id": row["user_id"],
        "turn": row["turn"],
        "summary": row["summary"] or {},
        "error": row["last_error"],
        "hint": row["hint"],
    }
    return outbox.News(
        row["tenant_id"], row["user_id"], _EVENTS[row["status"]], f"job/{row['job_id']}", said
    )


def send(database: Database, settings: Settings, job_id: str, turn: int) -> None:
    """Send the message of a job's end. Raises HeadraceError when there is no such workflow."""
    with database.connection() as connection:
        row = jobs.get(connection, job_id)
    if row is None or row["turn"] != turn or row["completed_at"] is None:
        return  # it was taken up again meanwhile: the end of that will be told
    message = json.dumps(event(row))
    where = settings.dbos_database_url
    if where == settings.database_url:
        where = None
    missing = []
    with connect(where) if where else database.connection() as connection:
        for number, (to, topic) in enumerate(waiters(row)):
            values = {
                "to": to,
                "topic": topic,
                "message": message,
                "id": f"headrace:{job_id}:{turn}:{number}",
            }
            try:
                connection.execute(_SEND, values)
            except psycopg.errors.ForeignKeyViolation:
                missing.append(to)
            else:
                telemetry.notified(job_id, to, topic)
    if missing:
        raise HeadraceError(
            f"Nobody waits for job {job_id}: there is no workflow {', '.join(missing)}.",
            hint="DBOS_DATABASE_URL must name the database of the caller's DBOS.",
        )
