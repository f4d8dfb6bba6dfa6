"""JSON records that have come to look otherwise. Some of each new batch are looked at: what a field
is expected to be is learned from them, see `engine.shape`. What is otherwise for a week is taken
for what the source sends now."""

from __future__ import annotations

from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from headrace.engine.rule import Rule, asking
from headrace.engine.shape import Shape
from headrace.settings import Settings
from headrace.store.database import Connection
from headrace.store.incidents import Found

CONTENT = "application/json"
STREAMS, RECORDS = 10, 20
"""How many streams a look looks at, and how many records of each."""

# Of the newest batches: it is enough to see some.
_NEW = """
SELECT s.tenant_id, s.user_id, s.stream_id, max(n.batch_id) AS batch_id, h.shape,
  h.drifted_at < now() - interval '7 days' AS accepted
FROM (SELECT tenant_id, stream_id, batch_id FROM headrace.batches WHERE inserted > 0
  ORDER BY batch_id DESC LIMIT 200) n
JOIN headrace.streams s ON s.tenant_id = n.tenant_id AND s.stream_id = n.stream_id
  AND s.content = %(content)s
LEFT JOIN headrace.stream_shapes h ON h.tenant_id = s.tenant_id AND h.stream_id = s.stream_id
WHERE n.batch_id > coalesce(h.batch_id, 0)
GROUP BY s.tenant_id, s.stream_id, h.tenant_id, h.stream_id
ORDER BY h.looked_at NULLS FIRST LIMIT %(streams)s
"""

_SAMPLES = """
SELECT b.batch_id, r.payload FROM unnest(%(batches)s::bigint[]) AS b (batch_id)
CROSS JOIN LATERAL (SELECT payload FROM headrace.raw_events r WHERE r.batch_id = b.batch_id
  AND octet_length(r.payload) BETWEEN 2 AND 65536 LIMIT %(records)s) r
"""

_NOTE = """
INSERT INTO headrace.stream_shapes AS h (tenant_id, user_id, stream_id, shape, batch_id, drift,
  drifted_at)
SELECT tenant, owner, stream, shape, batch, drift, CASE WHEN drift IS NOT NULL THEN now() END
FROM unnest(%(tenants)s::text[], %(users)s::text[], %(streams)s::bigint[], %(shapes)s::jsonb[],
  %(batches)s::bigint[], %(drifts)s::jsonb[]) AS n (tenant, owner, stream, shape, batch, drift)
ON CONFLICT (tenant_id, stream_id) DO UPDATE SET shape = excluded.shape,
  batch_id = excluded.batch_id, drift = excluded.drift, looked_at = now(),
  drifted_at = CASE WHEN excluded.drift IS NOT NULL THEN coalesce(h.drifted_at, now()) END
"""

_DRIFTED = """
SELECT h.tenant_id, h.user_id, h.stream_id, h.drift, s.name AS stream, c.name, c.connection_id
FROM headrace.stream_shapes h
JOIN headrace.streams s ON s.tenant_id = h.tenant_id AND s.stream_id = h.stream_id
JOIN headrace.connections c ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
WHERE h.drift IS NOT NULL
"""


def _wants(settings: Settings) -> bool:
    return settings.headrace_alert_drift


def _found(row: dict[str, Any]) -> Found:
    fields = [f"{name} ({how})" for name, how in row["drift"].items()]
    more = f" and {len(fields) - 3} more" if len(fields) > 3 else ""
    return Found(
        row["tenant_id"],
        row["user_id"],
        f"stream {row['stream_id']}",
        f"Records of {row['name']}, {row['stream']}, look otherwise than before:"
        f" {', '.join(fields[:3])}{more}.",
        "See whether its source has changed its API, and correct the spec's `project`; then replay"
        " what came in meanwhile. After a week the new shape is taken for the usual one.",
        f"/sources/{row['connection_id']}",
    )


_ask = asking(_DRIFTED, _found)


def _find(connection: Connection, settings: Settings) -> list[Found]:
    _look(connection)
    return list(_ask(connection, settings))


def _look(connection: Connection) -> None:
    asked = {"content": CONTENT, "streams": STREAMS}
    rows = connection.execute(_NEW, asked).fetchall()
    if not rows:
        return
    batches = [row["batch_id"] for row in rows]
    shapes = {}
    for row in rows:
        shape = msgspec.convert(row["shape"], Shape) if row["shape"] else Shape()
        if row["accepted"]:
            shape.accept()
        shapes[row["batch_id"]] = shape
    for sample in connection.execute(_SAMPLES, {"batches": batches, "records": RECORDS}):
        shapes[sample["batch_id"]].see(sample["payload"])
    drifts = [shapes[batch].drifted() for batch in batches]
    values = {
        "tenants": [row["tenant_id"] for row in rows],
        "users": [row["user_id"] for row in rows],
        "streams": [row["stream_id"] for row in rows],
        "shapes": [Jsonb(msgspec.to_builtins(shapes[batch])) for batch in batches],
        "batches": batches,
        "drifts": [Jsonb(one) if one else None for one in drifts],
    }
    connection.execute(_NOTE, values)


RULE = Rule("drift", "Records look otherwise than before", _wants, _find)
