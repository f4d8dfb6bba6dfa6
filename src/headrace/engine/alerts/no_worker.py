"""Work that waits while no worker runs. Other processes than workers look as well: else nobody
would be there to say so."""

from __future__ import annotations

from headrace.engine.alive import workers_alive
from headrace.engine.queues import QUEUES
from headrace.engine.rule import Rule
from headrace.settings import Settings
from headrace.store.database import Connection
from headrace.store.incidents import Found
from headrace.store.keys import TENANT

_NAME = "no_worker"

# Remembered from look to look: one worker that is started anew is no reason to wake anybody.
_SINCE = """
INSERT INTO headrace.alert_looks AS l (rule, subjects, since)
VALUES (%(rule)s, 0, CASE WHEN %(alive)s = 0 THEN now() END)
ON CONFLICT (tenant_id, rule) DO UPDATE
SET since = CASE WHEN %(alive)s = 0 THEN coalesce(l.since, now()) END
RETURNING since <= now() - make_interval(secs => %(seconds)s) AS long
"""

# What a dead worker was at waits as well.
_WAITS = """
SELECT FROM dbos.workflow_status w
WHERE w.queue_name = ANY(%(queues)s) AND (w.status = 'PENDING' OR w.status = 'ENQUEUED'
  AND greatest(w.created_at, w.updated_at, w.delay_until_epoch_ms)
    <= (extract(epoch FROM clock_timestamp()) - %(seconds)s) * 1000)
LIMIT 1
"""


def _wants(settings: Settings) -> bool:
    return settings.headrace_alert_no_worker_seconds > 0


def _find(connection: Connection, settings: Settings) -> list[Found]:
    seconds = settings.headrace_alert_no_worker_seconds
    alive = workers_alive(connection)
    asked = {"rule": _NAME, "alive": alive, "queues": list(QUEUES), "seconds": seconds}
    row = connection.execute(_SINCE, asked).fetchone()
    if alive or connection.execute(_WAITS, asked).fetchone() is None:
        return []
    return [
        Found(
            TENANT,
            "service",
            "workers",
            "Work waits, and no worker runs.",
            "Start one: headrace worker.",
            "/system",
            bool(row and row["long"]),
        )
    ]


RULE = Rule(_NAME, "No worker runs", _wants, _find)
