"""What a batch brought is a reason for insights, where HEADRACE_INSIGHTS says so; and what it says
is gone takes those along that quote it.

None is made here: that somebody wants them is written down, and a job makes them in a few minutes
(ruling X7). So however slow a language model is, no batch waits for it.
"""

from __future__ import annotations

from typing import Any

import psycopg

from headrace.rows import Contacts, Insights
from headrace.stage import Batch, Made, stage

_WANT = """
INSERT INTO headrace.insights_wanted (tenant_id, user_id)
SELECT %(tenant)s, %(user)s WHERE EXISTS (SELECT FROM headrace.interactions
  WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s)
ON CONFLICT DO NOTHING
"""

# An insight that quotes a later version, of a record that has come back, stays.
_FORGET = """
DELETE FROM headrace.insights i USING headrace.raw_events r
WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s AND r.content_hash = ''
  AND i.tenant_id = r.tenant_id
  AND i.sources @> jsonb_build_array(
    jsonb_build_object('stream_id', r.stream_id, 'source_id', r.source_id))
  AND EXISTS (SELECT FROM jsonb_to_recordset(i.sources)
      AS s (stream_id bigint, source_id text, version integer)
    WHERE s.stream_id = r.stream_id AND s.source_id = r.source_id AND s.version < r.version)
"""


@stage(version=1, apart=True)
def insight(batch: Batch[Contacts]) -> Made[Insights]:
    """Want insights of what the batch brought, and delete those of what is gone."""

    def write(connection: psycopg.Connection[dict[str, Any]]) -> int:
        keys = batch.keys()
        gone = connection.execute(_FORGET, keys).rowcount
        if not batch.settings.headrace_insights.strip():
            return gone
        return gone + connection.execute(_WANT, keys).rowcount

    return Made(0, write)
