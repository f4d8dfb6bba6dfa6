"""Making the rows of a batch anew: what stands there of its records goes before they are written.

So nothing stays that the code of today would not make, and what somebody has changed by hand is as
it was. Whoever does this holds the stream alone: see `store.forget.hold`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import sql

from headrace.store.database import Connection

# Of older versions, what there was of a record that is refused stays, as it does at first.
_CLEAR = sql.SQL(
    "DELETE FROM {} AS t USING headrace.raw_events r"
    " WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s"
    " AND r.source_id = ANY(%(ids)s::text[])"
    " AND t.tenant_id = r.tenant_id AND t.stream_id = r.stream_id AND t.source_id = r.source_id"
    " AND t.version = r.version"
)

_ORPHANS = sql.SQL(
    "DELETE FROM {} AS t USING headrace.raw_events r"
    " WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s"
    " AND t.tenant_id = r.tenant_id AND t.stream_id = r.stream_id AND t.source_id = r.source_id"
    " AND {}"
)
_LACKS = sql.SQL(
    "NOT EXISTS (SELECT FROM {} AS o WHERE o.tenant_id = t.tenant_id"
    " AND o.stream_id = t.stream_id AND o.source_id = t.source_id)"
)

# A later version that this stage has been through since, and of which it has made nothing: what it
# had deleted then must not come back. Asked record by record: of a join, where PostgreSQL knows
# nothing yet of tables that grow, it looks through all the ids once for every raw event.
_SUPERSEDED = sql.SQL(
    "DELETE FROM {} AS t WHERE t.tenant_id = %(tenant)s AND t.stream_id = %(stream_id)s"
    " AND t.source_id = ANY(%(ids)s::text[])"
    " AND (SELECT true FROM headrace.raw_events r"
    "  WHERE r.tenant_id = t.tenant_id AND r.stream_id = t.stream_id AND r.source_id = t.source_id"
    "  AND r.version > t.version AND r.batch_id <> %(batch_id)s"
    "  AND EXISTS (SELECT FROM headrace.stage_runs s WHERE s.tenant_id = r.tenant_id"
    "   AND s.batch_id = r.batch_id AND s.stage = %(stage)s AND s.error IS NULL"
    "   AND s.finished_at >= coalesce(%(since)s, '-infinity'::timestamptz))"
    "  AND NOT EXISTS (SELECT FROM headrace.dead_letters d WHERE d.tenant_id = r.tenant_id"
    "   AND d.stream_id = r.stream_id AND d.stage = %(stage)s AND d.source_id = r.source_id"
    "   AND d.version = r.version AND d.state <> 'retried') LIMIT 1)"
)

_RESOLVE = """
UPDATE headrace.dead_letters d SET state = 'retried', resolved_at = now()
WHERE d.tenant_id = %(tenant)s AND d.batch_id = %(batch_id)s AND d.stage = %(stage)s
  AND d.state = 'open' AND d.source_id <> ALL(%(refused)s::text[])
"""

_OTHER_VERSIONS = """
DELETE FROM headrace.stage_runs
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s AND stage = %(stage)s
  AND version > %(version)s
"""


def clear(
    connection: Connection,
    tables: Sequence[str],
    keys: dict[str, Any],
    batch_id: int,
    ids: Sequence[str],
) -> None:
    """Delete what was made of these records of the batch in the versions that it has of them."""
    values = {**keys, "batch_id": batch_id, "ids": list(ids)}
    for table in tables:
        connection.execute(_CLEAR.format(sql.Identifier("headrace", table)), values)


def forget_orphans(
    connection: Connection,
    tables: Sequence[str],
    keys: dict[str, Any],
    batch_id: int,
    made_of: Sequence[str],
) -> None:
    """Delete from `tables` what was made of rows of `made_of` that are no longer there, of the
    batch's records."""
    lacks = sql.SQL(" AND ").join(
        _LACKS.format(sql.Identifier("headrace", table)) for table in made_of
    )
    for table in tables if made_of else ():
        statement = _ORPHANS.format(sql.Identifier("headrace", table), lacks)
        connection.execute(statement, {**keys, "batch_id": batch_id})


def forget_superseded(
    connection: Connection,
    tables: Sequence[str],
    keys: dict[str, Any],
    batch_id: int,
    stage: str,
    ids: Sequence[str],
    since: datetime | None,
) -> None:
    """Delete of these records, just written, those of which a later version has been worked through
    after `since`: it would have taken their place, had anything been made of it."""
    values = {**keys, "batch_id": batch_id, "stage": stage, "ids": list(ids), "since": since}
    for table in tables:
        connection.execute(_SUPERSEDED.format(sql.Identifier("headrace", table)), values)


def settle_letters(
    connection: Connection,
    keys: dict[str, Any],
    batch_id: int,
    stage: str,
    version: int,
    refused: Sequence[str],
) -> None:
    """What the stage had refused of the batch, and refuses no more, is no dead letter any longer;
    that a newer version of its code had run before is no longer so."""
    values = {**keys, "batch_id": batch_id, "stage": stage, "refused": list(refused)}
    connection.execute(_RESOLVE, values)
    connection.execute(_OTHER_VERSIONS, {**values, "version": version})
