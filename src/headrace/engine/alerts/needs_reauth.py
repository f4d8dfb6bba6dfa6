"""A source whose owner has to give access again."""

from __future__ import annotations

from typing import Any

from headrace.engine.rule import Rule, asking
from headrace.settings import Settings
from headrace.store.incidents import Found

_TEXT = """
SELECT tenant_id, user_id, connection_id, name, health_reason, health_hint
FROM headrace.connections WHERE health = 'needs_reauth'
"""


def _wants(settings: Settings) -> bool:
    return settings.headrace_alert_needs_reauth


def _found(row: dict[str, Any]) -> Found:
    return Found(
        row["tenant_id"],
        row["user_id"],
        row["connection_id"],
        f"{row['name']} cannot be read any more: {row['health_reason'] or 'its access has ended.'}",
        row["health_hint"] or "Connect it again.",
        f"/sources/{row['connection_id']}",
    )


RULE = Rule("needs_reauth", "A source's access has ended", _wants, asking(_TEXT, _found))
