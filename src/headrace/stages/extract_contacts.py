"""Interactions to who took part in them: a few statements for a whole batch, whatever its size.

Identities are shared by all batches of a user. Each is the same whatever order batches come in: its
name is that of its newest sighting, and whoever has written by hand once is no program.
"""

from __future__ import annotations

from typing import Any

import psycopg

from headrace.mail.direction import canonical
from headrace.people import graph, identities
from headrace.rows import InteractionRow, Participants
from headrace.stage import Batch, Made, stage

_COUNT = """
SELECT count(*) AS n FROM headrace.interactions
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s
"""

_STAGED = """
CREATE TEMP TABLE IF NOT EXISTS sighted (source_id text COLLATE "C", role text COLLATE "C",
  identity_id uuid, kind text, value text, provider text, canonical text, version int,
  occurred_at timestamptz, name text, automated text, by_hand boolean) ON COMMIT DELETE ROWS
"""

# The canonical form of an address is that of headrace.mail.direction. `program` is what a value
# says of itself, whatever else is seen of it.
_SIGHT = """
INSERT INTO sighted
SELECT DISTINCT ON (i.source_id, n.identity_id, p.role) i.source_id, p.role, n.identity_id, p.kind,
  v.value, v.provider, c.canonical, i.version, i.occurred_at, nullif(btrim(p.name), ''),
  coalesce(b.nobody, g.program, CASE WHEN w.writes THEN i.automated END),
  w.writes AND coalesce(b.nobody, g.program, i.automated) IS NULL
FROM headrace.interactions i
CROSS JOIN LATERAL json_to_recordset(i.people) AS p
  (role text, kind text, value text, name text, automated text)
CROSS JOIN LATERAL (SELECT left(lower(btrim(p.value)), 320),
  CASE p.kind WHEN 'github' THEN 'github' ELSE '' END) AS v (value, provider)
CROSS JOIN LATERAL (SELECT substring(v.value FROM '^(.*)@[^@]*$'),
  substring(v.value FROM '@([^@]*)$')) AS a (local, host)
CROSS JOIN LATERAL (SELECT CASE
  WHEN p.kind <> 'email' OR a.local IS NULL THEN v.value
  WHEN a.host IN ('gmail.com', 'googlemail.com') THEN
    replace(coalesce(nullif(split_part(a.local, '+', 1), ''), a.local), '.', '') || '@gmail.com'
  ELSE coalesce(nullif(split_part(a.local, '+', 1), ''), a.local) || '@' || a.host
  END) AS c (canonical)
CROSS JOIN LATERAL (SELECT CASE
  WHEN p.kind = 'github' AND v.value LIKE '%%[bot]' THEN 'bot'
  WHEN p.kind <> 'email' OR a.host = 'users.noreply.github.com' THEN NULL
  WHEN a.host ~ '^(group|resource|import)\\.calendar\\.google\\.com$' THEN 'resource'
  WHEN a.local ~ ('^(no[-._]?reply|do[-._]?not[-._]?reply|mailer[-._]?daemon|postmaster|bounces?'
    || '|notifications?|reply)([-+._=]|$)') THEN 'no-reply' END) AS g (program)
CROSS JOIN LATERAL (SELECT CASE WHEN p.automated IN ('calendar', 'room') THEN 'resource'
  ELSE p.automated END) AS b (nobody)
CROSS JOIN LATERAL (SELECT md5(md5(%(tenant)s) || md5(%(user)s) || p.kind || ':' || v.provider
  || ':' || v.value)::uuid) AS n (identity_id)
CROSS JOIN LATERAL (SELECT p.role IN ('from', 'author')) AS w (writes)
WHERE i.tenant_id = %(tenant)s AND i.batch_id = %(batch_id)s
  AND p.role IS NOT NULL AND p.kind IN ('email', 'phone', 'github') AND v.value <> ''
ORDER BY i.source_id, n.identity_id, p.role, p.name
"""

# What is said no more of the batch's records. Those that a later batch has brought anew are its.
_STALE = """
DELETE FROM headrace.participants p USING headrace.raw_events r
WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s
  AND p.tenant_id = r.tenant_id AND p.stream_id = r.stream_id AND p.source_id = r.source_id
  AND NOT EXISTS (SELECT FROM sighted s
    WHERE s.source_id = p.source_id AND s.identity_id = p.identity_id AND s.role = p.role
      AND (s.name, s.automated, s.occurred_at)
        IS NOT DISTINCT FROM (p.name, p.automated, p.occurred_at))
  AND NOT EXISTS (SELECT FROM headrace.interactions i
    WHERE i.tenant_id = p.tenant_id AND i.stream_id = p.stream_id AND i.source_id = p.source_id
      AND i.batch_id <> %(batch_id)s)
RETURNING p.identity_id
"""

_TAKE_PART = """
INSERT INTO headrace.participants AS now (tenant_id, user_id, stream_id, source_id, role,
  identity_id, version, batch_id, occurred_at, name, automated)
SELECT %(tenant)s, %(user)s, %(stream_id)s, source_id, role, identity_id, version, %(batch_id)s,
  occurred_at, name, automated
FROM sighted ORDER BY source_id, identity_id, role
ON CONFLICT (stream_id, source_id, identity_id, role, tenant_id) DO UPDATE
SET version = excluded.version, batch_id = excluded.batch_id
WHERE (now.version, now.batch_id) IS DISTINCT FROM (excluded.version, excluded.batch_id)
"""

_IDENTIFY = """
INSERT INTO headrace.contact_identities AS now (tenant_id, user_id, identity_id, kind, value,
  provider, canonical, name, named_at, automated, by_hand, own, first_seen_at, last_seen_at,
  batch_id)
SELECT %(tenant)s, %(user)s, identity_id, kind, value, provider, canonical,
  (array_agg(name ORDER BY occurred_at DESC NULLS LAST, name COLLATE "C" DESC)
    FILTER (WHERE name IS NOT NULL))[1],
  max(coalesce(occurred_at, '-infinity')) FILTER (WHERE name IS NOT NULL),
  CASE WHEN NOT bool_or(by_hand)
    THEN min(automated) FILTER (WHERE automated = ANY(%(programs)s)) END,
  bool_or(by_hand), canonical = ANY(%(own)s::text[]), min(occurred_at), max(occurred_at),
  %(batch_id)s
FROM sighted GROUP BY identity_id, kind, value, provider, canonical ORDER BY identity_id
ON CONFLICT (identity_id, tenant_id) DO UPDATE
SET (name, named_at) = (SELECT n.name, n.named_at
      FROM (VALUES (now.name, now.named_at), (excluded.name, excluded.named_at))
        AS n (name, named_at)
      ORDER BY n.named_at DESC NULLS LAST, n.name COLLATE "C" DESC LIMIT 1),
    by_hand = now.by_hand OR excluded.by_hand,
    automated = CASE WHEN NOT (now.by_hand OR excluded.by_hand)
      THEN least(now.automated, excluded.automated) END,
    own = now.own OR excluded.own,
    first_seen_at = least(now.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(now.last_seen_at, excluded.last_seen_at),
    -- Who might be whom may have changed: this batch's next stage looks at it.
    batch_id = CASE WHEN (excluded.name IS NOT NULL AND excluded.name IS DISTINCT FROM now.name)
        OR (excluded.by_hand AND now.automated IS NOT NULL) OR excluded.own > now.own
        OR (excluded.automated IS NOT NULL AND now.automated IS NULL AND NOT now.by_hand)
      THEN excluded.batch_id ELSE now.batch_id END
"""


@stage(version=1)
def extract_contacts(batch: Batch[InteractionRow]) -> Made[Participants]:
    """Write down who took part. Where the settings say so, only when a person asks (ruling X6)."""
    if batch.settings.headrace_extract_contacts == "manual":
        return Made(0, lambda _: 0)
    own = sorted({canonical(one) for one in batch.stream.addresses})
    keys = {**batch.keys(), "own": own, "programs": identities.PROGRAMS}
    [found] = batch.read(_COUNT, keys)

    def write(connection: psycopg.Connection[dict[str, Any]]) -> int:
        graph.alone(connection, batch.tenant, batch.user)
        for statement in (_STAGED, _SIGHT, "ANALYZE sighted"):
            connection.execute(statement, keys)
        lost = {row["identity_id"] for row in connection.execute(_STALE, keys)}
        written = connection.execute(_TAKE_PART, keys).rowcount
        connection.execute(_IDENTIFY, keys)
        if lost:
            identities.recount(connection, keys, lost)
        return written

    return Made(found["n"], write)
