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

_WAITS = """
SELECT FROM dbos.workflow_status w
WHERE w.queue_name = ANY(%(queues)s) AND w.status = 'ENQUEUED'
  AND greatest(w.created_at, w.delay_until_epoch_ms)
    < (extract(epoch FROM clock_timestamp()) - %(seconds)s) * 1000
LIMIT 1
"""


def _wants(settings: Settings) -> bool:
    return settings.headrace_alert_no_worker_seconds > 0


def _find(connection: Connection, settings: Settings) -> list[Found]:
    seconds = settings.headrace_alert_no_worker_seconds
    if workers_alive(connection):
        return []
    asked = {"queues": list(QUEUES), "seconds": seconds}
    if connection.execute(_WAITS, asked).fetchone() is None:
        return []
    said = "Work waits, and no worker runs."
    hint = "Start one: headrace worker."
    return [Found(TENANT, "service", "workers", said, hint, "/system")]


RULE = Rule("no_worker", "No worker runs", _wants, _find)
