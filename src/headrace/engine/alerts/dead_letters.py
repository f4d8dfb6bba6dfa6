"""Dead letters of one source that grow: many new ones within a while. It is over when they are less
than half as many, so that it does not come and go."""

from __future__ import annotations

from typing import Any

from headrace.engine.rule import Rule, asking
from headrace.settings import Settings
from headrace.store.incidents import Found

# Each stream's are counted up to what is many, by an index that has the open ones only: a stream's
# number is nobody else's, so that the rows themselves are not read.
_TEXT = """
SELECT c.tenant_id, c.user_id, c.connection_id, c.name, sum(few.letters)::int AS letters,
  sum(few.letters) >= %(many)s AS raises
FROM headrace.streams s
CROSS JOIN LATERAL (SELECT count(*) AS letters FROM (SELECT FROM headrace.dead_letters d
  WHERE d.stream_id = s.stream_id AND d.state = 'open'
    AND d.created_at > now() - make_interval(secs => %(seconds)s) LIMIT %(many)s) new) few
JOIN headrace.connections c ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
WHERE few.letters > 0
GROUP BY c.tenant_id, c.connection_id HAVING sum(few.letters) * 2 >= %(many)s
"""


def _wants(settings: Settings) -> bool:
    return settings.headrace_alert_dead_letters > 0


def _values(settings: Settings) -> dict[str, Any]:
    many = settings.headrace_alert_dead_letters
    return {"many": many, "seconds": settings.headrace_alert_dead_letter_minutes * 60}


def _found(row: dict[str, Any]) -> Found:
    return Found(
        row["tenant_id"],
        row["user_id"],
        row["connection_id"],
        f"{row['letters']} or more records of {row['name']} were refused a short while ago.",
        "Look at the reasons: mend what they name, then retry the dead letters, or drop them.",
        "/dead-letters",
        row["raises"],
    )


RULE = Rule("dead_letters", "Dead letters grow", _wants, asking(_TEXT, _found, _values))
