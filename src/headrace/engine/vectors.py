"""The indexes of vectors: one for each model and kind of chunk, made once there is something to
index. Of a few documents among a great many messages a common one would hardly find any.

Filling an index that is there costs ten times what making it of rows that are there costs, so the
first one waits for the end of the first job; until then a search reads the vectors one by one.
"""

from __future__ import annotations

import hashlib

from psycopg import sql

from headrace.store.database import Connection, Database

LEAST = 2_000
"""Chunks below which reading all of them is as fast."""

_LOCK = 0x4852_5645_4300_0001

# Not of what an index outside of PostgreSQL is asked for.
_MODELS = """
SELECT k.model, k.kind, min(vector_dims(k.embedding)) AS dimensions FROM headrace.chunks k
WHERE k.embedding IS NOT NULL AND NOT EXISTS (SELECT FROM headrace.vector_indexes i
  WHERE i.tenant_id = k.tenant_id AND i.stream_id = k.stream_id AND i.model = k.model)
GROUP BY k.model, k.kind HAVING count(*) >= %s
"""

_STATE = """
SELECT i.indisvalid AS valid FROM pg_index i WHERE i.indexrelid = to_regclass(%s)
"""

_CREATE = sql.SQL(
    "CREATE INDEX CONCURRENTLY {} ON headrace.chunks"
    " USING hnsw ((embedding::halfvec({})) halfvec_ip_ops) WHERE model = {} AND kind = {}"
)


def tend(database: Database) -> int:
    """Make the indexes that are missing, while reading and writing go on; how many that were."""
    made = 0
    with database.connection() as connection:
        # Held by the session, for the index is not made inside of a transaction.
        mine = connection.execute("SELECT pg_try_advisory_lock(%s) AS mine", [_LOCK]).fetchone()
        if not (mine and mine["mine"]):
            return 0
        try:
            for row in connection.execute(_MODELS, [LEAST]).fetchall():
                made += _make(connection, row["model"], row["kind"], row["dimensions"])
        finally:
            connection.execute("RESET maintenance_work_mem")
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return made


def _make(connection: Connection, model: str, kind: str, dimensions: int) -> int:
    name = index_name(model, kind)
    state = connection.execute(_STATE, [f"headrace.{name}"]).fetchone()
    if state is not None and state["valid"]:
        return 0
    if state is not None:
        # Somebody died while making it.
        connection.execute(
            sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier("headrace", name))
        )
    connection.execute("SET maintenance_work_mem = '256MB'")
    connection.execute(
        _CREATE.format(
            sql.Identifier(name), sql.Literal(dimensions), sql.Literal(model), sql.Literal(kind)
        )
    )
    return 1


def index_name(model: str, kind: str = "documents") -> str:
    """What a model's index is called."""
    return f"chunks_of_{kind}_by_{hashlib.sha256(model.encode()).hexdigest()[:12]}"
