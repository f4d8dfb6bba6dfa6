"""The order of work: what runs first, and how owners share what there is.

DBOS knows one number, and runs the lowest first. It is made here of three things: how pressing a
job was said to be, what it is (its lane), and how much its owner has waiting already.
"""

from __future__ import annotations

from typing import Any, Final

PRIORITIES: Final = {"urgent": 1, "high": 2, "medium": 3, "low": 4}
"""Lower runs first (A3.41)."""

LANES: Final = ("interactive", "incremental", "backfill", "reconcile")
"""Where nobody has said how pressing it is, this decides: somebody waits for it; it keeps what is
there up to date; it brings in what is old; it makes sure of what is there."""

SHORT: Final = ("interactive", "incremental")
"""Lanes of what is over soon. What is not is a backfill, whoever has asked for it."""

SHORT_BATCHES: Final = 20
"""The first batches of a job are worked through in its own lane; what follows is a backfill."""

FRONT: Final = 1
"""The number of what has waited too long: before everything else."""

BAND: Final = 100_000_000
"""Numbers of one priority and lane. Sixteen bands fit into what DBOS keeps a number in."""


def band(priority: str, lane: str) -> tuple[int, int]:
    """The first and the last number of work of this priority and lane."""
    at = 1 + len(LANES) * (PRIORITIES[priority] - 1) + LANES.index(lane)
    return at * BAND, (at + 1) * BAND - 1


def bands() -> dict[str, list[int]]:
    """All bands, as the arrays that queries unnest: `firsts` and `lasts`."""
    all_ = [band(priority, lane) for priority in PRIORITIES for lane in LANES]
    return {"firsts": [first for first, _ in all_], "lasts": [last for _, last in all_]}


# Start-time fair queueing. A number is one more than that of what its owner has waiting last, and
# not less than that of what is first of all: who has nothing waiting comes right after the head,
# and what is enqueued later never comes before what has waited its turn. Both looks are one place
# in an index each, however much is waiting; nothing is locked, and two that look at the same
# instant get the same number. What is older goes first then.
NUMBER: Final = """
least(wanted.last, greatest(wanted.first,
  (SELECT w.priority FROM dbos.workflow_status w
   WHERE w.queue_name = %(queue)s AND w.status = 'ENQUEUED'
     AND w.priority BETWEEN wanted.first AND wanted.last
   ORDER BY w.priority LIMIT 1),
  (SELECT w.priority + 1 FROM dbos.workflow_status w
   WHERE w.queue_name = %(queue)s AND w.status = 'ENQUEUED'
     AND w.queue_partition_key = wanted.owner
     AND w.priority BETWEEN wanted.first AND wanted.last
   ORDER BY w.priority DESC LIMIT 1)) + wanted.nth)
"""
"""The number of a row `wanted (owner, first, last, nth)`: its owner, its band, and how many of the
same owner and band come before it in the same statement."""


def owner(tenant: str, user: str) -> str:
    """Who shares with whom: one person of one tenant, as one word."""
    return f"{tenant}/{user}"


_OF_BATCH = """
SELECT b.tenant_id, b.user_id, coalesce(j.priority, 'medium') AS priority,
  CASE WHEN j.lane = ANY(%(short)s::text[]) AND %(most)s = (
      SELECT count(*) FROM (SELECT FROM headrace.batches e WHERE e.tenant_id = b.tenant_id
        AND e.job_id = b.job_id AND e.batch_id < b.batch_id LIMIT %(most)s) earlier)
    THEN 'backfill' ELSE coalesce(j.lane, 'interactive') END AS lane
FROM headrace.batches b LEFT JOIN headrace.jobs j USING (tenant_id, job_id)
WHERE b.batch_id = %(batch_id)s
"""


def of_batch(connection: Any, batch_id: int) -> dict[str, str]:
    """The place of stage work on a batch, as `queues.enqueue` takes it: its owner's, in the lane of
    the job that landed it."""
    values = {"short": list(SHORT), "most": SHORT_BATCHES, "batch_id": batch_id}
    row = connection.execute(_OF_BATCH, values).fetchone()
    if row is None:
        return {}
    whose = owner(row["tenant_id"], row["user_id"])
    return {"owner": whose, "priority": row["priority"], "lane": row["lane"]}


_BACKFILL = """
SELECT j.lane <> ALL(%(short)s::text[]) OR %(most)s = (
    SELECT count(*) FROM (SELECT FROM headrace.batches b WHERE b.tenant_id = j.tenant_id
      AND b.job_id = j.job_id LIMIT %(most)s) landed) AS is_one
FROM headrace.jobs j WHERE j.tenant_id = %(tenant)s AND j.job_id = %(job)s
"""


def is_backfill(connection: Any, tenant: str, job_id: str) -> bool:
    """Whether what a job does from now on is a backfill, as that is of its batches."""
    values = {"short": list(SHORT), "most": SHORT_BATCHES, "tenant": tenant, "job": job_id}
    row = connection.execute(_BACKFILL, values).fetchone()
    return bool(row and row["is_one"])


# Only what has waited for a moment: a free worker would have taken anything else by now. Not since
# it was made: what a worker that leaves hands over is old, and came to the queue just now.
_WAITS = """
SELECT EXISTS (SELECT FROM dbos.workflow_status
  WHERE queue_name = %(queue)s AND status = 'ENQUEUED' AND priority < %(before)s
    AND updated_at < extract(epoch FROM clock_timestamp()) * 1000 - %(moment)s) AS waits
"""

SHARE_SECONDS: Final = 60.0
"""After so long a run gives its place up to its like as well: each turn costs a plan anew."""

_MOMENT_MS = 700


def gives_way(connection: Any, queue: str, priority: str, lane: str, ran: float) -> bool:
    """Whether a run that has gone on for `ran` seconds gives its place up, because something waits
    that goes before what is left of it."""
    first, last = band(priority, "backfill" if lane in SHORT else lane)
    before = first if ran < SHARE_SECONDS else last
    values = {"queue": queue, "before": before, "moment": _MOMENT_MS}
    row = connection.execute(_WAITS, values).fetchone()
    return bool(row and row["waits"])


# What is first of its band and still waits so long is not served: of those, the one that has
# waited longest, and one at a time, so that what is moved up delays nothing else by much.
_MOVE_UP = """
UPDATE dbos.workflow_status s SET priority = %(front)s
FROM (
  SELECT q.queue, first_of.workflow_uuid
  FROM unnest(%(queues)s::text[]) AS q (queue)
  CROSS JOIN LATERAL (
    SELECT head.* FROM unnest(%(firsts)s::int[], %(lasts)s::int[]) AS b (first, last)
    CROSS JOIN LATERAL (
      SELECT w.workflow_uuid, greatest(w.created_at, w.delay_until_epoch_ms) AS since
      FROM dbos.workflow_status w
      WHERE w.queue_name = q.queue AND w.status = 'ENQUEUED'
        AND w.priority BETWEEN b.first AND b.last
      ORDER BY w.priority, w.created_at LIMIT 1) head
    WHERE head.since < extract(epoch FROM clock_timestamp()) * 1000 - %(seconds)s * 1000
    ORDER BY head.since LIMIT 1) first_of
  WHERE NOT EXISTS (SELECT FROM dbos.workflow_status f WHERE f.queue_name = q.queue
    AND f.status = 'ENQUEUED' AND f.priority <= %(front)s)) late
WHERE s.workflow_uuid = late.workflow_uuid AND s.status = 'ENQUEUED'
"""

PATIENCE_SECONDS: Final = 300.0
"""How long the first of a band waits before it is moved up."""


def move_up(connection: Any, queues: list[str], patience: float = PATIENCE_SECONDS) -> int:
    """Let nothing starve: move up what waits while others always go before it. How many were."""
    values = {"queues": queues, **bands(), "front": FRONT, "seconds": patience}
    moved: int = connection.execute(_MOVE_UP, values).rowcount
    return moved
