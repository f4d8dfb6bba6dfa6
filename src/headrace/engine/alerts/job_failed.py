"""A job that failed for good: of a source, until one of its jobs succeeds; of those without a
source, one alert for all of a user's, until their dead letters are retried or dropped."""

from __future__ import annotations

from typing import Any

from headrace.engine.rule import Rule, asking
from headrace.settings import Settings
from headrace.store.incidents import Found

# A source keeps its health until a job of it succeeds, whoever retries it meanwhile.
_TEXT = """
SELECT tenant_id, user_id, connection_id, name, health_reason AS reason, health_hint AS hint,
  1 AS jobs
FROM headrace.connections WHERE health = 'error'
UNION ALL
SELECT d.tenant_id, d.user_id, NULL, NULL, d.reason, d.hint, last.jobs
FROM (SELECT tenant_id, user_id, max(dead_letter_id) AS dead_letter_id, count(*) AS jobs
  FROM headrace.dead_letters
  WHERE state = 'open' AND stage = 'job' AND source_id LIKE 'job/%%'
  GROUP BY tenant_id, user_id) last
JOIN headrace.dead_letters d USING (tenant_id, dead_letter_id)
"""


def _wants(settings: Settings) -> bool:
    return settings.headrace_alert_job_failed


def _found(row: dict[str, Any]) -> Found:
    reason = row["reason"] or "It failed without saying why."
    if row["connection_id"] is not None:
        said = f"{row['name']} could not be brought up to date: {reason}"
        subject, link = row["connection_id"], f"/sources/{row['connection_id']}"
    else:
        many = "A job has" if row["jobs"] == 1 else f"{row['jobs']} jobs have"
        said = f"{many} failed for good; the last one said: {reason}"
        subject, link = f"jobs of {row['user_id']}", "/dead-letters?stage=job"
    return Found(row["tenant_id"], row["user_id"], subject, said, row["hint"] or "Retry it.", link)


RULE = Rule("job_failed", "A job failed for good", _wants, asking(_TEXT, _found))
