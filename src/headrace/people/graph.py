"""Contacts in the tables: links are added, and what they join is made anew around them.

Whoever changes who is who for a user holds `alone` first: all of it is one user's own, and small.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from headrace.people.groups import Decision, groups

Connection = psycopg.Connection[dict[str, Any]]

_ALONE = """
SELECT pg_advisory_xact_lock(hashtextextended(%(tenant)s || chr(31) || %(user)s, 1212371785))
"""

# Whoever has ever been linked with them, however far: more than what is joined now, never less.
_NEAR = """
WITH RECURSIVE near (identity_id) AS (
  SELECT unnest(%(ids)s::uuid[])
  UNION
  SELECT o.identity_id FROM near n CROSS JOIN LATERAL (
    SELECT l.second_id FROM headrace.contact_links l
    WHERE l.first_id = n.identity_id AND l.tenant_id = %(tenant)s AND l.decision = 'same'
    UNION ALL
    SELECT l.first_id FROM headrace.contact_links l
    WHERE l.second_id = n.identity_id AND l.tenant_id = %(tenant)s AND l.decision = 'same'
  ) o (identity_id)
)
SELECT n.identity_id, c.contact_id, coalesce(NOT c.own AND c.automated IS NULL, false) AS fit
FROM near n LEFT JOIN headrace.contact_identities c
  ON c.identity_id = n.identity_id AND c.tenant_id = %(tenant)s AND c.user_id = %(user)s
"""

# What is only suggested joins nobody and parts nobody, and there is much of it.
_DECISIONS = """
SELECT * FROM (
  SELECT DISTINCT ON (first_id, second_id) first_id, second_id, decision, score,
    decided_by <> 'rule' AS by_person
  FROM headrace.contact_links
  WHERE tenant_id = %(tenant)s AND user_id = %(user)s
    AND first_id = ANY(%(ids)s::uuid[]) AND second_id = ANY(%(ids)s::uuid[])
  ORDER BY first_id, second_id, decided_by <> 'rule' DESC, link_id DESC) newest
WHERE decision <> 'suggested'
"""

_PLACE = """
UPDATE headrace.contact_identities c SET contact_id = n.contact_id
FROM unnest(%(ids)s::uuid[], %(contacts)s::uuid[]) AS n (identity_id, contact_id)
WHERE c.identity_id = n.identity_id AND c.tenant_id = %(tenant)s
  AND c.contact_id IS DISTINCT FROM n.contact_id
"""

_GONE = """
DELETE FROM headrace.contacts c
WHERE c.tenant_id = %(tenant)s AND c.contact_id = ANY(%(ids)s::uuid[])
  AND NOT EXISTS (SELECT FROM headrace.contact_identities i
    WHERE i.contact_id = c.contact_id AND i.tenant_id = c.tenant_id)
"""

# A name of several words says more than one of one word, and a newer one more than an older.
_SHOW = """
INSERT INTO headrace.contacts AS now (tenant_id, contact_id, user_id, name, email, phone,
  organisation, identities, first_seen_at, last_seen_at)
SELECT tenant_id, contact_id, user_id,
  (array_agg(name ORDER BY (name LIKE '%% %%') DESC, named_at DESC NULLS LAST, name COLLATE "C")
    FILTER (WHERE name IS NOT NULL))[1],
  (array_agg(value ORDER BY last_seen_at DESC NULLS LAST, value)
    FILTER (WHERE kind = 'email'))[1],
  (array_agg(value ORDER BY last_seen_at DESC NULLS LAST, value)
    FILTER (WHERE kind = 'phone'))[1],
  (array_agg(domain ORDER BY last_seen_at DESC NULLS LAST, value)
    FILTER (WHERE domain IS NOT NULL))[1],
  count(*), min(first_seen_at), max(last_seen_at)
FROM headrace.contact_identities
WHERE tenant_id = %(tenant)s AND contact_id = ANY(%(ids)s::uuid[])
GROUP BY tenant_id, contact_id, user_id
ON CONFLICT (contact_id, tenant_id) DO UPDATE
SET name = excluded.name, email = excluded.email, phone = excluded.phone,
    organisation = excluded.organisation, identities = excluded.identities,
    first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at
WHERE (now.name, now.email, now.phone, now.organisation, now.identities, now.first_seen_at,
       now.last_seen_at)
  IS DISTINCT FROM (excluded.name, excluded.email, excluded.phone, excluded.organisation,
       excluded.identities, excluded.first_seen_at, excluded.last_seen_at)
"""

_RULED = """
INSERT INTO headrace.contact_links (tenant_id, user_id, first_id, second_id, decision, rule,
  decided_by, score, evidence, batch_id)
SELECT %(tenant)s, %(user)s, n.first_id, n.second_id, n.decision, n.rule, 'rule', n.score,
  n.evidence, %(batch_id)s
FROM unnest(%(firsts)s::uuid[], %(seconds)s::uuid[], %(decisions)s::text[], %(rules)s::text[],
    %(scores)s::real[], %(evidence)s::json[])
  AS n (first_id, second_id, decision, rule, score, evidence)
WHERE NOT EXISTS (SELECT FROM headrace.contact_links l WHERE l.tenant_id = %(tenant)s
  AND l.first_id = n.first_id AND l.second_id = n.second_id AND l.decided_by = 'rule'
  AND l.decision IN (n.decision, 'same'))
ORDER BY n.first_id, n.second_id
"""

_DECIDED = """
INSERT INTO headrace.contact_links (tenant_id, user_id, first_id, second_id, decision, rule,
  decided_by, score, evidence)
SELECT %(tenant)s, %(user)s, n.first_id, n.second_id, %(decision)s, %(rule)s, %(by)s, 1, '{}'
FROM unnest(%(firsts)s::uuid[], %(seconds)s::uuid[]) AS n (first_id, second_id)
ORDER BY n.first_id, n.second_id
"""

_ALL = """
SELECT identity_id FROM headrace.contact_identities
WHERE tenant_id = %(tenant)s AND user_id = %(user)s
"""
_NOBODY = """
UPDATE headrace.contact_identities SET contact_id = NULL
WHERE tenant_id = %(tenant)s AND user_id = %(user)s
"""
_NO_CONTACTS = "DELETE FROM headrace.contacts WHERE tenant_id = %(tenant)s AND user_id = %(user)s"

Pair = tuple[UUID, UUID]


class Link(msgspec.Struct):
    """What a rule says of a pair, first the lesser id."""

    pair: Pair
    decision: str
    rule: str
    score: float
    evidence: dict[str, Any]


def pair(one: UUID, other: UUID) -> Pair:
    """Two ids in the order in which links name them."""
    return (one, other) if one < other else (other, one)


def alone(connection: Connection, tenant: str, user: str) -> None:
    """Change who is who for this user alone, until the transaction ends."""
    connection.execute(_ALONE, {"tenant": tenant, "user": user})


def regroup(connection: Connection, tenant: str, user: str, ids: Collection[UUID]) -> set[UUID]:
    """Make the contacts of these identities anew, and of all whom links reach from them. Returns
    the contacts that there may have been a change in; `show` writes them."""
    if not ids:
        return set()
    keys: dict[str, Any] = {"tenant": tenant, "user": user, "ids": list(ids)}
    near = connection.execute(_NEAR, keys).fetchall()
    keys["ids"] = [row["identity_id"] for row in near]
    found = decisions(connection, keys)
    placed = groups([row["identity_id"] for row in near if row["fit"]], found)
    keys["contacts"] = [placed.get(one) for one in keys["ids"]]
    connection.execute(_PLACE, keys)
    before = {row["contact_id"] for row in near} - {None}
    # Of an identity that is gone, the contact may have had the id.
    return before | set(keys["ids"])


def decisions(connection: Connection, keys: dict[str, Any]) -> list[Decision]:
    """What counts between any two of `ids`: that they are the same, or that they are not."""
    return [Decision(**row) for row in connection.execute(_DECISIONS, keys).fetchall()]


def show(connection: Connection, tenant: str, ids: Collection[UUID]) -> int:
    """Write these contacts as their identities make them. Returns how many have changed."""
    keys = {"tenant": tenant, "ids": list(ids)}
    gone = connection.execute(_GONE, keys).rowcount
    return gone + connection.execute(_SHOW, keys).rowcount


def rebuild(connection: Connection, tenant: str, user: str) -> int:
    """Make all contacts of a user anew from their identities and the links between them. Returns
    how many there are."""
    alone(connection, tenant, user)
    keys = {"tenant": tenant, "user": user}
    connection.execute(_NOBODY, keys)
    connection.execute(_NO_CONTACTS, keys)
    ids = [row["identity_id"] for row in connection.execute(_ALL, keys).fetchall()]
    return show(connection, tenant, regroup(connection, tenant, user, ids))


def rule(
    connection: Connection, tenant: str, user: str, batch_id: int, links: Sequence[Link]
) -> int:
    """Add what rules say. The same is said once, and nothing less than before. Returns how many
    links are new."""
    if not links:
        return 0
    values = {
        "tenant": tenant,
        "user": user,
        "batch_id": batch_id,
        "firsts": [one.pair[0] for one in links],
        "seconds": [one.pair[1] for one in links],
        "decisions": [one.decision for one in links],
        "rules": [one.rule for one in links],
        "scores": [one.score for one in links],
        "evidence": [msgspec.json.encode(one.evidence).decode() for one in links],
    }
    return connection.execute(_RULED, values).rowcount


def decide(
    connection: Connection,
    tenant: str,
    user: str,
    pairs: Collection[Pair],
    decision: str,
    rule: str,
    by: str,
) -> None:
    """Add what a person says of pairs, and make the contacts anew around them."""
    values = {
        "tenant": tenant,
        "user": user,
        "firsts": [first for first, _ in pairs],
        "seconds": [second for _, second in pairs],
        "decision": decision,
        "rule": rule,
        "by": f"person:{by}",
    }
    connection.execute(_DECIDED, values)
    ids = {one for both in pairs for one in both}
    show(connection, tenant, regroup(connection, tenant, user, ids))
