"""Search reads a bounded number of rows, however many there are and whatever is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.search.conftest import Shelf

from headrace.out.search import search
from headrace.store.database import Connection, Database

ROWS = 60_000

# Every row has `everywhere` and either `even` or `odd`; `w7` is in one of 50 rows, `rare7` in 12,
# `id7` in one.
_FILL = f"""
INSERT INTO headrace.events (tenant_id, user_id, stream_id, source_id, version, batch_id,
  occurred_at, properties, search)
SELECT 'acme', CASE WHEN n % 3000 = 0 THEN 'bob' ELSE 'ann' END,
  CASE WHEN n % 3000 = 0 THEN 2 ELSE 1 END, 'e' || n, 1, 1,
  '2026-01-01'::timestamptz + n * interval '1 second', '{{}}',
  array_to_tsvector(ARRAY['everywhere', CASE n % 2 WHEN 0 THEN 'even' ELSE 'odd' END,
    'w' || n % 50, 'rare' || n % 5000, 'id' || n])
FROM generate_series(1, {ROWS}) AS n
"""
_STREAMS = """
INSERT INTO headrace.connections (tenant_id, user_id, connection_id, provider, name, config)
VALUES ('acme', 'ann', 'a', 'rest', 'a', '{}'), ('acme', 'bob', 'b', 'rest', 'b', '{}');
INSERT INTO headrace.streams (tenant_id, user_id, connection_id, name, content)
VALUES ('acme', 'ann', 'a', 's', 'x'), ('acme', 'bob', 'b', 's', 'x');
"""
_READ = """
SELECT seq_tup_read + idx_tup_fetch AS rows FROM pg_stat_xact_user_tables
WHERE schemaname = 'headrace' AND relname = 'events'
"""

MOST = 3 * 10_000 + 1_000
"""Three looks into one table, of 10,000 rows each; and the rows that are shown."""


def rows_read(session: Connection) -> int:
    """Rows of the table that this session has been given by PostgreSQL's scans."""
    row = session.execute(_READ).fetchone()
    return 0 if row is None else int(row["rows"])


@pytest.fixture(scope="module")
def many(cluster: str, template_db: str) -> Iterator[Shelf]:
    """Sixty thousand events."""
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE search_many TEMPLATE {template_db}".encode())
    store = Database(urlsplit(cluster)._replace(path="/search_many").geturl()).open()
    with store.connection() as session:
        session.execute(_STREAMS)
        session.execute(_FILL.encode())
        session.execute("VACUUM ANALYZE headrace.events")
    yield Shelf(store)
    store.close()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("everywhere", True),
        ("even odd", True),
        ("even -odd", True),
        ("even -everywhere", False),
        ("everywhere w7", True),
        ("w7 w8", True),
        ("rare7 everywhere", True),
        ("id77", True),
        ("id77 everywhere odd", True),
        ("nowhere", False),
        ("nowhere everywhere", True),
        ('"even odd"', False),
        (" ".join(f"w{n}" for n in range(50)), True),
    ],
)
@pytest.mark.parametrize("who", [("acme", None), ("acme", "ann"), ("acme", "bob")])
def test_it_reads_no_more_than_it_says(
    many: Shelf, words: str, found: bool, who: tuple[str, str | None]
) -> None:
    with many.store.people(*who) as session:
        before = rows_read(session)
        began = time.perf_counter()
        hits = search(session, words, kinds=["events"])
        took = time.perf_counter() - began
        read = rows_read(session) - before
    assert bool(hits) == found or who[1] == "bob"
    assert read <= MOST, (words, who)
    assert took < 2, "milliseconds are for the benchmark; this is for a plan gone wrong"


def test_common_words_are_answered_with_the_newest(many: Shelf) -> None:
    found = many.ids("everywhere even", ("acme", None))
    assert found[0] == f"e{ROWS}"
    assert len(found) == 20


def test_one_user_among_many_is_found_by_common_words(many: Shelf) -> None:
    """Bob has one row in three thousand, and every one of them is even."""
    assert len(many.ids("everywhere even", ("acme", "bob"))) == 20


def test_it_works_before_the_first_analyze(many: Shelf, cluster: str, template_db: str) -> None:
    """No statistics yet: then words are taken to be rare, and the limits hold."""
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE search_new TEMPLATE {template_db}".encode())
    store = Database(urlsplit(cluster)._replace(path="/search_new").geturl()).open()
    try:
        with store.connection() as session:
            session.execute("ALTER TABLE headrace.events SET (autovacuum_enabled = false)")
            session.execute(_STREAMS)
            session.execute(_FILL.replace(str(ROWS), "20000").encode())
        with store.people("acme", None) as session:
            before = rows_read(session)
            assert len(search(session, "everywhere even", kinds=["events"])) == 20
            assert rows_read(session) - before <= MOST
            assert [hit.source_id for hit in search(session, "id77")] == ["e77"]
    finally:
        store.close()
