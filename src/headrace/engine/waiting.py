"""How long work has waited on each queue, and saying so when that is too long.

Of each band the first ones are looked at, and not all: an owner's oldest is the first of its own,
and the owners' first ones stand side by side at the head of the band. So the look costs the same
with a million waiting. What waits for its time is not on the queue yet.
"""

from __future__ import annotations

import math

import msgspec

from headrace import telemetry
from headrace.engine.lanes import BAND, bands
from headrace.engine.queues import QUEUES
from headrace.store.database import Connection, Database

LOOK_SECONDS = 10.0

MOST = 10_000
"""Waiting work is counted up to here."""

_LOOK = """
SELECT q.queue, counted.waiting, oldest.seconds
FROM unnest(%(queues)s::text[]) WITH ORDINALITY AS q (queue, at)
CROSS JOIN LATERAL (SELECT count(*) AS waiting FROM (SELECT FROM dbos.workflow_status w
  WHERE w.queue_name = q.queue AND w.status = 'ENQUEUED' ORDER BY w.priority LIMIT %(most)s) few)
  counted
CROSS JOIN LATERAL (
  SELECT coalesce(max(extract(epoch FROM clock_timestamp()) - head.since / 1000.0), 0)::float
    AS seconds
  FROM unnest(%(firsts)s::int[], %(lasts)s::int[]) AS b (first, last)
  CROSS JOIN LATERAL (SELECT greatest(w.created_at, w.delay_until_epoch_ms) AS since
    FROM dbos.workflow_status w WHERE w.queue_name = q.queue AND w.status = 'ENQUEUED'
      AND w.priority BETWEEN b.first AND b.last
    ORDER BY w.priority, w.created_at LIMIT 200) head) oldest
ORDER BY q.at
"""


class Waiting(msgspec.Struct, frozen=True):
    """A queue: how much waits on it, counted to `MOST`, and for how many seconds the oldest has."""

    queue: str
    waiting: int
    oldest_seconds: float


def look(connection: Connection) -> list[Waiting]:
    """Every queue, in a fixed order."""
    known = bands()
    values = {
        "queues": list(QUEUES),
        "firsts": [0, *known["firsts"]],  # what was moved up stands before all bands
        "lasts": [BAND - 1, *known["lasts"]],
        "most": MOST,
    }
    rows = connection.execute(_LOOK, values).fetchall()
    return [Waiting(row["queue"], row["waiting"], max(0.0, row["seconds"])) for row in rows]


_SAY = """
INSERT INTO headrace.queue_alarms (queue) VALUES (%s) ON CONFLICT DO NOTHING RETURNING queue
"""

_OVER = """
DELETE FROM headrace.queue_alarms WHERE queue = ANY(%s)
RETURNING queue, extract(epoch FROM now() - said_at)::float AS seconds
"""


def watch(database: Database, patience: float) -> None:
    """Log once when work has waited on a queue for longer than `patience` seconds, and once when
    that is over. What has been said stands in a table: of many workers, one says it. A patience of
    0 has no end."""
    patience = patience or math.inf
    with database.connection() as connection:
        found = look(connection)
        for one in found:
            if one.oldest_seconds > patience and connection.execute(_SAY, [one.queue]).fetchone():
                telemetry.queued_too_long(one.queue, one.oldest_seconds)
        calm = [one.queue for one in found if one.oldest_seconds <= patience]
        for over in connection.execute(_OVER, [calm]).fetchall():
            telemetry.queued_no_longer(over["queue"], over["seconds"])
