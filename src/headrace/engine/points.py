"""Indexes of vectors outside of PostgreSQL, after a job: the points of chunks that are gone are
deleted there, and an index that has lost some is filled again from PostgreSQL, which has all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from headrace.engine.queues import NOTICES, enqueue
from headrace.errors import HeadraceError, Retry
from headrace.settings import Settings
from headrace.stages.points import POINTS, floats
from headrace.store.database import Connection, Database
from headrace.vault import Vault
from headrace.vectordb import IndexAt, Point, VectorIndex, open_index

_PAGE = 1_000
"""Points deleted or read at a time."""

Opened = tuple[dict[str, Any], VectorIndex]

_ANY = "SELECT EXISTS (SELECT FROM headrace.vector_indexes WHERE connection_id = %s) AS any"

# With the credential of now, where the connection still says that its vectors are there.
_INDEXES = """
SELECT i.tenant_id, i.user_id, i.stream_id, i.vector_db, i.url, i.collection, i.model,
  i.connection_id, coalesce(c.trusted, i.trusted) AS trusted,
  CASE WHEN c.connection_id IS NULL THEN i.credential ELSE c.credential END AS credential
FROM headrace.vector_indexes i
LEFT JOIN headrace.connections c ON c.tenant_id = i.tenant_id
  AND c.connection_id = i.connection_id AND c.config -> 'vector_db' ->> 'url' = i.url
WHERE i.connection_id = %s ORDER BY i.stream_id
"""

_GONE = """
SELECT g.gone_id, g.content_hash, g.position, EXISTS (SELECT FROM headrace.chunks k
  WHERE k.tenant_id = g.tenant_id AND k.stream_id = g.stream_id
    AND k.content_hash = g.content_hash AND k.position = g.position) AS there
FROM headrace.vectors_gone g
WHERE g.tenant_id = %(tenant_id)s AND g.stream_id = %(stream_id)s
ORDER BY g.gone_id LIMIT %(page)s
"""

_STRIKE = """
DELETE FROM headrace.vectors_gone WHERE tenant_id = %(tenant_id)s AND gone_id = ANY(%(ids)s)
"""

# A stream of which there is nothing any more has nothing there either.
_LEAVE = """
DELETE FROM headrace.vector_indexes i
WHERE i.tenant_id = %(tenant_id)s AND i.stream_id = %(stream_id)s
  AND NOT EXISTS (SELECT FROM headrace.chunks k
    WHERE k.tenant_id = i.tenant_id AND k.stream_id = i.stream_id)
"""

_COUNT = """
SELECT count(*) AS n FROM headrace.chunks WHERE tenant_id = %(tenant_id)s
  AND stream_id = %(stream_id)s AND model = %(model)s AND embedding IS NOT NULL
"""

_CHUNKS = """
SELECT content_hash, position, chunk_hash, halfvec_send(embedding) AS vector
FROM headrace.chunks WHERE tenant_id = %(tenant_id)s AND stream_id = %(stream_id)s
  AND model = %(model)s AND embedding IS NOT NULL
  AND (content_hash, position) > (%(content)s, %(position)s)
ORDER BY content_hash, position LIMIT %(page)s
"""


def dispatch(connection: Connection, connection_id: str, after: str, attempt: int = 1) -> None:
    """Enqueue the tending of a connection's indexes in the caller's transaction, if it has any;
    `after` names the job's turn. Another attempt waits, five minutes at the most."""
    if attempt == 1 and not (connection.execute(_ANY, [connection_id]).fetchone() or {})["any"]:
        return
    wait = timedelta(seconds=min(300, 2**attempt))
    enqueue(
        connection,
        "headrace.points",
        f"points:{after}:{attempt}",
        connection_id,
        after,
        attempt,
        queue=NOTICES,
        not_before=None if attempt == 1 else datetime.now(UTC) + wait,
    )


def tend(database: Database, settings: Settings, vault: Vault, connection_id: str) -> None:
    """Bring the connection's indexes in line with its chunks. Raises Retry when one is away or
    being written, NeedsHuman when a person has to act."""
    with database.connection() as connection:
        rows = connection.execute(_INDEXES, [connection_id]).fetchall()
    failed: list[HeadraceError] = []
    for stream, of_stream in groupby(rows, key=itemgetter("stream_id")):
        try:
            _tend(database, stream, [(row, _open(row, settings, vault)) for row in of_stream])
        except HeadraceError as error:
            failed.append(error)  # an index that was left for another keeps none from that one
    if failed:
        raise min(failed, key=lambda one: not isinstance(one, Retry))


def _tend(database: Database, stream: int, indexes: list[Opened]) -> None:
    with database.alone(POINTS, stream) as connection:
        if connection is None:
            raise Retry("The index is in use: vectors are being put into it, or taken out.")
        _delete(connection, indexes)
    with database.holding(POINTS, stream) as connection:
        for row, index in indexes:
            _fill(connection, row, index)


def _open(row: dict[str, Any], settings: Settings, vault: Vault) -> VectorIndex:
    secret = row["credential"] and vault.open(
        row["credential"], tenant=row["tenant_id"], connection=row["connection_id"]
    )
    at = IndexAt(row["vector_db"], row["url"], row["collection"], row["model"])
    private_hosts = row["trusted"] or settings.headrace_private_hosts
    return open_index(at, secret, private_hosts=private_hosts)


def _delete(connection: Connection, indexes: list[Opened]) -> None:
    """Delete the points of a stream's chunks that are gone, and not there again."""
    stream = {**indexes[0][0], "page": _PAGE}
    while gone := connection.execute(_GONE, stream).fetchall():
        keys = [
            (stream["stream_id"], one["content_hash"], one["position"])
            for one in gone
            if not one["there"]
        ]
        for _, index in indexes:
            index.forget(stream["tenant_id"], keys)
        connection.execute(_STRIKE, {**stream, "ids": [one["gone_id"] for one in gone]})
    connection.execute(_LEAVE, stream)


def _fill(connection: Connection, row: dict[str, Any], index: VectorIndex) -> None:
    """Put all of a stream's points once more if some are missing."""
    wanted = (connection.execute(_COUNT, row).fetchone() or {})["n"]
    if not wanted or index.count(row["tenant_id"], row["stream_id"]) >= wanted:
        return
    for points in _points(connection, row):
        index.put(row["tenant_id"], row["user_id"], points)


def _points(connection: Connection, row: dict[str, Any]) -> Iterator[list[Point]]:
    after = {"content": b"", "position": 0, "page": _PAGE}
    while chunks := connection.execute(_CHUNKS, {**row, **after}).fetchall():
        yield [
            Point(
                (row["stream_id"], one["content_hash"], one["position"]),
                one["chunk_hash"],
                floats(one["vector"]),
            )
            for one in chunks
        ]
        after["content"], after["position"] = chunks[-1]["content_hash"], chunks[-1]["position"]
