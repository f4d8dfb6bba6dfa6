"""A source that should be synced by itself, and has not been for long."""

from __future__ import annotations

from typing import Any

from headrace.engine.rule import Rule, asking
from headrace.settings import Settings
from headrace.store.incidents import Found

# It is overdue from when the sync after the last one should have been. What moves is not stale
# however long it takes; and nothing is raised of what is being brought up to date just now.
_TEXT = """
SELECT c.tenant_id, c.user_id, c.connection_id, c.name,
  extract(epoch FROM now() - fresh.at)::float AS seconds,
  NOT EXISTS (SELECT FROM headrace.jobs j WHERE j.tenant_id = c.tenant_id
    AND j.connection_id = c.connection_id AND j.status IN ('PENDING', 'RUNNING') AND NOT j.waits
    AND j.created_at > now() - %(late)s::interval) AS raises
FROM headrace.connections c
JOIN headrace.schedules h ON h.tenant_id = c.tenant_id AND h.connection_id = c.connection_id
  AND NOT h.paused
CROSS JOIN LATERAL (SELECT %(late)s::interval + coalesce(make_interval(secs => h.every_seconds),
  greatest(h.next_at - coalesce(h.last_at, h.created_at), interval '0')) AS most) patience
CROSS JOIN LATERAL (SELECT greatest(c.synced_at, c.created_at, max(p.updated_at)) AS at
  FROM headrace.streams s JOIN headrace.checkpoints p USING (tenant_id, stream_id)
  WHERE s.tenant_id = c.tenant_id AND s.connection_id = c.connection_id
    AND greatest(c.synced_at, c.created_at) + patience.most < now()) fresh
WHERE c.health = 'active' AND greatest(c.synced_at, c.created_at) + patience.most < now()
  AND fresh.at + patience.most < now()
"""


def _wants(settings: Settings) -> bool:
    return settings.headrace_alert_stale_hours > 0


def _values(settings: Settings) -> dict[str, Any]:
    return {"late": f"{settings.headrace_alert_stale_hours * 3600} seconds"}


def _found(row: dict[str, Any]) -> Found:
    hours = row["seconds"] / 3600
    since = f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
    return Found(
        row["tenant_id"],
        row["user_id"],
        row["connection_id"],
        f"{row['name']} has not been brought up to date for {since}.",
        "Sync it now, and look what its last job says; see that a worker runs.",
        f"/sources/{row['connection_id']}",
        row["raises"],
    )


RULE = Rule("stale", "A source is stale", _wants, asking(_TEXT, _found, _values))
