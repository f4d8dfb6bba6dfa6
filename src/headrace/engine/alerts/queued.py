"""Work that has waited on a queue for too long, although somebody works."""

from __future__ import annotations

from headrace.engine.alive import workers_alive
from headrace.engine.rule import Rule
from headrace.engine.waiting import look
from headrace.settings import Settings
from headrace.store.database import Connection
from headrace.store.incidents import Found
from headrace.store.keys import TENANT


def _wants(settings: Settings) -> bool:
    return settings.headrace_queue_alert_seconds > 0


def _find(connection: Connection, settings: Settings) -> list[Found]:
    patience = settings.headrace_queue_alert_seconds
    late = [one for one in look(connection) if one.oldest_seconds > patience]
    # Where nobody works, `no_worker` says so.
    raises = bool(late) and workers_alive(connection) > 0
    return [
        Found(
            TENANT,
            "service",
            one.queue,
            f"Work on the queue {one.queue.removeprefix('headrace_')} has waited for"
            f" {one.oldest_seconds / 60:.0f} minutes.",
            "Start more workers: headrace worker. The jobs page shows what they are at.",
            "/system",
            raises,
        )
        for one in late
    ]


RULE = Rule("queued", "Work waits too long", _wants, _find)
