"""Who took part to who is who: identities that are new, or have changed, are held against those
that share something with them, and what they have in common is written down as links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from headrace.people import graph
from headrace.people.graph import Link, Pair
from headrace.people.keys import match_keys
from headrace.people.likeness import AUTOMATIC, Identity, Likeness, likeness, together
from headrace.rows import Contacts, Participants
from headrace.stage import Batch, Made, stage

CANDIDATES = 25
"""Identities that one is held against at the most: those it shares the most with."""

_NEW = """
SELECT identity_id, kind, value, canonical, name, own OR automated IS NOT NULL AS nobody
FROM headrace.contact_identities
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND batch_id = %(batch_id)s
"""

_KEYS = """
UPDATE headrace.contact_identities c SET match_keys = n.match_keys::bigint[], domain = n.domain
FROM unnest(%(ids)s::uuid[], %(match_keys)s::text[], %(domains)s::text[])
  AS n (identity_id, match_keys, domain)
WHERE c.tenant_id = %(tenant)s AND c.identity_id = n.identity_id
  AND (c.match_keys, c.domain) IS DISTINCT FROM (n.match_keys::bigint[], n.domain)
"""

_NO_SEQSCAN = "SELECT set_config('enable_seqscan', 'off', true)"
_SEQSCAN = "SELECT set_config('enable_seqscan', 'on', true)"

_CANDIDATES = """
SELECT m.identity_id AS one, c.identity_id AS other, c.kind, c.value, c.canonical, c.name
FROM unnest(%(ids)s::uuid[]) AS n (identity_id)
JOIN headrace.contact_identities m
  ON m.identity_id = n.identity_id AND m.tenant_id = %(tenant)s
CROSS JOIN LATERAL (
  SELECT * FROM headrace.contact_identities c
  WHERE c.match_keys && m.match_keys
    -- The owner is in the keys. Said so that no other index seems to serve.
    AND c.tenant_id IS NOT DISTINCT FROM %(tenant)s AND c.user_id IS NOT DISTINCT FROM %(user)s
    AND c.identity_id <> m.identity_id AND NOT c.own AND c.automated IS NULL
  ORDER BY (SELECT count(*) FROM unnest(c.match_keys) AS k (key) WHERE k.key = ANY(m.match_keys))
    DESC, c.identity_id
  LIMIT %(most)s) c
"""

# Whom else a record of the batch names as its writer, beside the one address that it names; and
# with how many addresses that one has been named by all records.
_TOGETHER = """
WITH beside AS (
  SELECT DISTINCT o.identity_id
  FROM headrace.participants o JOIN headrace.contact_identities i USING (tenant_id, identity_id)
  WHERE o.tenant_id = %(tenant)s AND o.batch_id = %(batch_id)s
    AND o.role IN ('from', 'author') AND i.kind <> 'email' AND NOT i.own AND i.automated IS NULL
)
SELECT b.identity_id AS one, i.kind, i.value, i.canonical, i.name, a.identity_id AS other,
  a.kind AS other_kind, a.value AS other_value, a.canonical AS other_canonical,
  a.name AS other_name, a.own,
  a.own OR a.automated IS NOT NULL AS nobody, s.records
FROM beside b
JOIN headrace.contact_identities i ON i.identity_id = b.identity_id AND i.tenant_id = %(tenant)s
CROSS JOIN LATERAL (
  SELECT e.identity_id, count(*) AS records
  FROM (SELECT * FROM headrace.participants p
    WHERE p.tenant_id = %(tenant)s AND p.identity_id = b.identity_id
    ORDER BY p.occurred_at DESC LIMIT %(records)s) p
  JOIN headrace.participants e
    ON e.stream_id = p.stream_id AND e.source_id = p.source_id AND e.tenant_id = p.tenant_id
      AND e.role = p.role AND e.identity_id <> p.identity_id
  JOIN headrace.contact_identities k
    ON k.identity_id = e.identity_id AND k.tenant_id = e.tenant_id AND k.kind = 'email'
  GROUP BY e.identity_id) s
JOIN headrace.contact_identities a ON a.identity_id = s.identity_id AND a.tenant_id = %(tenant)s
ORDER BY one, other
"""

_OWN = """
UPDATE headrace.contact_identities SET own = true, match_keys = '{}'
WHERE tenant_id = %(tenant)s AND identity_id = ANY(%(ids)s::uuid[])
"""

_SEEN = """
SELECT DISTINCT i.contact_id FROM headrace.participants p
JOIN headrace.contact_identities i USING (tenant_id, identity_id)
WHERE p.tenant_id = %(tenant)s AND p.batch_id = %(batch_id)s AND i.contact_id IS NOT NULL
"""

_RECORDS = 200
"""Records that are looked at for one telephone number or login."""


@stage(version=1)
def extract_identities(batch: Batch[Participants]) -> Made[Contacts]:
    """Link the batch's identities to the user's others, and make the contacts anew around them."""
    keys = batch.keys()

    def write(connection: psycopg.Connection[dict[str, Any]]) -> int:
        # All of it alone: two batches that bring the same person would not see one another.
        graph.alone(connection, batch.tenant, batch.user)
        rows = connection.execute(_NEW, keys).fetchall()
        new = {row["identity_id"]: _identity(row) for row in rows if not row["nobody"]}
        _write_keys(connection, batch, rows, new)
        beside = _beside(connection, keys)
        owned = _owned(connection, keys, beside)
        found = _alike(connection, keys, new) | _together(beside)
        links = [
            Link(pair, _decision(one), one.rule, round(one.score, 3), one.evidence)
            for pair, one in sorted(found.items())
        ]
        made = graph.rule(connection, batch.tenant, batch.user, batch.batch_id, links)
        ids = {row["identity_id"] for row in rows} | {one for link in links for one in link.pair}
        ids |= owned
        changed = graph.regroup(connection, batch.tenant, batch.user, ids)
        changed |= {row["contact_id"] for row in connection.execute(_SEEN, keys)}
        return made + graph.show(connection, batch.tenant, changed)

    [counted] = batch.read(
        "SELECT count(*) AS n FROM headrace.participants"
        " WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s",
        keys,
    )
    return Made(counted["n"], write)


def _decision(found: Likeness) -> str:
    return "same" if found.score >= AUTOMATIC else "suggested"


def _identity(row: dict[str, Any], prefix: str = "") -> Identity:
    fields = ("kind", "value", "canonical", "name")
    return Identity(**{field: row[f"{prefix}{field}"] for field in fields})


def _write_keys(
    connection: psycopg.Connection[dict[str, Any]],
    batch: Batch[Any],
    rows: Sequence[dict[str, Any]],
    new: dict[UUID, Identity],
) -> None:
    """Who is nobody's has none, and is found by nobody."""
    ids = [row["identity_id"] for row in rows]
    known = [new.get(one) for one in ids]
    hashes = [match_keys(batch.tenant, batch.user, one) if one else [] for one in known]
    values = {
        "tenant": batch.tenant,
        "ids": ids,
        "match_keys": ["{" + ",".join(map(str, one)) + "}" for one in hashes],
        "domains": [one.domain if one else None for one in known],
    }
    connection.execute(_KEYS, values)


def _alike(
    connection: psycopg.Connection[dict[str, Any]], keys: dict[str, Any], new: dict[UUID, Identity]
) -> dict[Pair, Likeness]:
    """Of each new identity and those that share a key with it."""
    if not new:
        return {}
    # Where the planner knows nothing yet it would read the whole table for each of them.
    connection.execute(_NO_SEQSCAN)
    values = {**keys, "ids": list(new), "most": CANDIDATES}
    rows = connection.execute(_CANDIDATES, values).fetchall()
    connection.execute(_SEQSCAN)
    # Somebody whom many are held against is read once.
    known = dict(new)
    seen: set[Pair] = set()
    found: dict[Pair, Likeness] = {}
    for row in rows:
        pair = graph.pair(row["one"], row["other"])
        if pair in seen:
            continue
        seen.add(pair)
        if row["other"] not in known:
            known[row["other"]] = _identity(row)
        first, second = pair
        if alike := likeness(known[first], known[second]):
            found[pair] = alike
    return found


Beside = dict[UUID, list[dict[str, Any]]]
"""Telephone numbers and logins, each with the addresses whose records name it."""


def _beside(connection: psycopg.Connection[dict[str, Any]], keys: dict[str, Any]) -> Beside:
    rows = connection.execute(_TOGETHER, {**keys, "records": _RECORDS}).fetchall()
    found: Beside = defaultdict(list)
    for row in rows:
        found[row["one"]].append(row)
    return found


def _owned(
    connection: psycopg.Connection[dict[str, Any]], keys: dict[str, Any], beside: Beside
) -> set[UUID]:
    """What only the owner writes with is the owner's."""
    ids = {one for one, all_ in beside.items() if all(row["own"] for row in all_)}
    if ids:
        connection.execute(_OWN, {**keys, "ids": list(ids)})
    return ids


def _together(beside: Beside) -> dict[Pair, Likeness]:
    """Of a telephone number or login and the one person whose records name it. What several people
    sign with is a switchboard's."""
    found: dict[Pair, Likeness] = {}
    for identity_id, all_ in beside.items():
        writers = [_identity(row, "other_") for row in all_]
        if any(row["nobody"] for row in all_) or not _one_person(writers):
            continue
        for row, writer in zip(all_, writers, strict=True):
            alike = together(writer, _identity(row), row["records"])
            if alike is not None:
                found[graph.pair(identity_id, row["other"])] = alike
    return found


def _one_person(writers: Sequence[Identity]) -> bool:
    """Whether their addresses are one person's by name, or there is only one."""
    first = writers[0]
    return all(
        first.certain == one.certain
        or (
            first.called.full
            and first.called.key == one.called.key
            and first.called.generation == one.called.generation
        )
        for one in writers[1:]
    )
