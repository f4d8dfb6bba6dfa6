"""What an identity is called and when it was seen, made of what there is of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from headrace.people import graph

# Why a message is automated may speak of the message alone, or of who sent it: these do.
PROGRAMS = ["bot", "list", "no-reply", "resource"]

# Those whom something has been taken from are made of what there is of them.
_LOST = """
UPDATE headrace.contact_identities c
SET name = s.name, named_at = s.named_at, by_hand = s.by_hand, automated = s.automated,
    first_seen_at = s.first_seen_at, last_seen_at = s.last_seen_at,
    batch_id = coalesce(%(batch_id)s, c.batch_id)
FROM unnest(%(lost)s::uuid[]) AS l (identity_id) CROSS JOIN LATERAL (
  SELECT (array_agg(name ORDER BY occurred_at DESC NULLS LAST, name COLLATE "C" DESC)
      FILTER (WHERE name IS NOT NULL))[1] AS name,
    max(coalesce(occurred_at, '-infinity')) FILTER (WHERE name IS NOT NULL) AS named_at,
    bool_or(automated IS NULL AND role IN ('from', 'author')) AS by_hand,
    CASE WHEN NOT bool_or(automated IS NULL AND role IN ('from', 'author'))
      THEN min(automated) FILTER (WHERE automated = ANY(%(programs)s)) END AS automated,
    min(occurred_at) AS first_seen_at, max(occurred_at) AS last_seen_at
  FROM headrace.participants p
  WHERE p.tenant_id = %(tenant)s AND p.identity_id = l.identity_id HAVING count(*) > 0) s
WHERE c.tenant_id = %(tenant)s AND c.identity_id = l.identity_id
"""

_NOBODY = """
DELETE FROM headrace.contact_identities c
WHERE c.tenant_id = %(tenant)s AND c.identity_id = ANY(%(lost)s::uuid[])
  AND NOT EXISTS (SELECT FROM headrace.participants p
    WHERE p.tenant_id = c.tenant_id AND p.identity_id = c.identity_id)
RETURNING c.identity_id, c.contact_id
"""

_ALL = """
SELECT identity_id FROM headrace.contact_identities
WHERE tenant_id = %(tenant)s AND user_id = %(user)s
"""

_USERS = """
SELECT DISTINCT user_id FROM headrace.contact_identities
WHERE tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR user_id = %(user)s)
"""


def recount(connection: graph.Connection, keys: Mapping[str, Any], lost: Collection[UUID]) -> None:
    """Make these of what is left of them, from which something has been taken; whom nothing is left
    of is nobody. `keys` name the tenant, the user, and the batch that has taken it, or None."""
    values = {**keys, "lost": list(lost), "programs": PROGRAMS}
    connection.execute(_LOST, values)
    gone = connection.execute(_NOBODY, values).fetchall()
    ids = {row["identity_id"] for row in gone}
    changed = graph.regroup(connection, keys["tenant"], keys["user"], ids)
    graph.show(connection, keys["tenant"], changed | {row["contact_id"] for row in gone} - {None})


def rebuild(connection: graph.Connection, tenant: str, user: str | None) -> None:
    """Make all identities and contacts of a tenant, or of one user, anew from who took part in what
    and the links between them."""
    rows = connection.execute(_USERS, {"tenant": tenant, "user": user}).fetchall()
    for row in rows:
        keys = {"tenant": tenant, "user": row["user_id"], "batch_id": None}
        graph.alone(connection, tenant, row["user_id"])
        ids = [one["identity_id"] for one in connection.execute(_ALL, keys).fetchall()]
        recount(connection, keys, ids)
        graph.rebuild(connection, tenant, row["user_id"])
