"""The tables that stages write, and which of their rows a batch is behind: for comparing them."""

from __future__ import annotations

from typing import LiteralString

import msgspec

from headrace.rows import Chunks, Contacts, Participants, Texts
from headrace.stage import Row, Stage

RECORDS = """
SELECT r.source_id, r.content_hash FROM headrace.raw_events r
WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s AND NOT EXISTS (
  SELECT FROM headrace.raw_events l WHERE l.stream_id = r.stream_id AND l.source_id = r.source_id
    AND l.tenant_id = r.tenant_id AND l.version > r.version AND l.batch_id <> r.batch_id
    AND NOT EXISTS (SELECT FROM headrace.dead_letters d WHERE d.tenant_id = l.tenant_id
      AND d.stream_id = l.stream_id AND d.source_id = l.source_id AND d.version = l.version
      AND d.state <> 'retried'))
"""
"""What a batch is behind: not a record that a later batch has brought anew, unless the new version
was refused. The conditions below are given their ids as `records` and their hashes as `contents`:
as a list, because PostgreSQL, which knows little of tables that have just been filled, would look
for each row in all of them."""

_BY_RECORD = "t.stream_id = %(stream_id)s AND t.source_id = ANY(%(records)s::text[])"
_BY_CONTENT = "t.stream_id = %(stream_id)s AND t.content_hash = ANY(%(contents)s::bytea[])"
_TOOK_PART = """
SELECT p.identity_id FROM headrace.participants p WHERE p.tenant_id = %(tenant)s
  AND p.stream_id = %(stream_id)s AND p.source_id = ANY(%(records)s::text[])
"""
_OF_THEM = f"""
SELECT i.contact_id FROM headrace.contact_identities i WHERE i.tenant_id = %(tenant)s
  AND i.identity_id IN ({_TOOK_PART})
"""  # noqa: S608 - of nothing but constants


class Derived(msgspec.Struct, frozen=True):
    """A table: the columns that make one row, the condition under which a batch is behind it, and
    the columns that say nothing of what was derived. With `elsewhere` the rows of a batch are not
    told by the batch alone, but by what it has made as well: they are found by their one key."""

    name: LiteralString
    key: tuple[LiteralString, ...]
    of_batch: LiteralString
    unlike: tuple[str, ...] = ()
    elsewhere: LiteralString | None = None


_KNOWN: dict[type[object], tuple[Derived, ...]] = {
    Participants: (
        Derived("participants", ("source_id", "identity_id", "role"), _BY_RECORD),
        Derived(
            "contact_identities",
            ("identity_id",),
            f"t.identity_id IN ({_TOOK_PART})",
            ("batch_id", "contact_id"),
            "uuid[]",
        ),
    ),
    Contacts: (
        Derived("contacts", ("contact_id",), f"t.contact_id IN ({_OF_THEM})", (), "uuid[]"),
        Derived(
            "contact_links",
            ("first_id", "second_id", "decision", "rule"),
            "t.batch_id = %(batch_id)s",
            ("link_id", "created_at"),
        ),
    ),
    Texts: (
        Derived("texts", ("content_hash",), _BY_CONTENT),
        Derived("documents", ("source_id",), _BY_RECORD),
    ),
    Chunks: (Derived("chunks", ("content_hash", "position"), _BY_CONTENT),),
}


def derived(one: Stage) -> list[Derived]:
    """The tables that a stage writes."""
    found: list[Derived] = []
    for kind in one.writes:
        if issubclass(kind, Row):
            table: LiteralString = kind.table
            key: tuple[LiteralString, ...] = kind.key
            found.append(Derived(table, key, _BY_RECORD))
        found += _KNOWN.get(kind, ())
    return found
