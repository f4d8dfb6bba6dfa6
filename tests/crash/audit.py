"""Holds PostgreSQL against the source: every record once, byte for byte, and every count right."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import psycopg

Versions = dict[str, list[bytes]]
"""What a source has said of each id, version by version."""

_BOOKS = """
SELECT
  (SELECT count(*) FROM headrace.batches b WHERE b.inserted <> (SELECT count(*)
     FROM headrace.raw_events r WHERE r.batch_id = b.batch_id)) AS wrong_batches,
  (SELECT count(*) FROM headrace.batches
     WHERE fetched <> inserted + unchanged + dead_lettered) AS unbalanced,
  (SELECT coalesce(sum(inserted), 0)::bigint FROM headrace.batches) AS inserted,
  (SELECT count(*) FROM headrace.raw_events) AS raw,
  (SELECT count(*) FROM headrace.batches b WHERE b.inserted > 0 AND NOT EXISTS (SELECT 1
     FROM headrace.stage_runs s WHERE s.batch_id = b.batch_id AND s.rows_in = b.inserted
     AND s.rows_out + s.dead_lettered >= s.rows_in AND s.error IS NULL)) AS unstaged,
  (SELECT count(*) FROM headrace.jobs WHERE status <> 'SUCCEEDED') AS unfinished_jobs,
  (SELECT count(*) FROM headrace.jobs j WHERE (j.summary ->> 'fetched')::bigint <>
     (SELECT coalesce(sum(fetched), 0) FROM headrace.batches b WHERE b.job_id = j.job_id))
     AS wrong_summaries,
  (SELECT count(*) FROM headrace.checkpoints WHERE done_by IS NULL) AS undone_slices,
  (SELECT count(*) FROM dbos.workflow_status
     WHERE status IN ('ERROR', 'CANCELLED')) AS broken_workflows
"""


class Findings(msgspec.Struct):
    """What differs from the source. All zero, or the suite fails."""

    lost: int
    doubled: int
    foreign: int
    altered: int


def landed(database: str) -> tuple[int, int]:
    """Pages and records committed so far."""
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(pages), 0)::int, coalesce(sum(fetched), 0)::int"
            " FROM headrace.batches"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def audit(database: str, wanted: Versions, *, table: str = "events") -> Findings:
    """Compare, and fail on any difference: raw records, their projection, and the books."""
    with psycopg.connect(database, row_factory=psycopg.rows.dict_row) as connection:
        books = connection.execute(_BOOKS).fetchone()
        raw = connection.execute(
            "SELECT source_id, version, payload FROM headrace.raw_events ORDER BY 1, 2"
        ).fetchall()
        shown = connection.execute(f"SELECT * FROM headrace.{table}").fetchall()
        letters = connection.execute("SELECT reason FROM headrace.dead_letters").fetchall()
    assert books is not None
    findings = _compare(raw, wanted)
    assert findings == Findings(0, 0, 0, 0), findings
    assert books.pop("inserted") == books.pop("raw") == sum(map(len, wanted.values()))
    assert not any(books.values()), (books, _runs(database))
    assert not letters, letters[:3]
    _projected(shown, wanted)
    return findings


def _compare(raw: list[dict[str, Any]], wanted: Versions) -> Findings:
    found = Counter((row["source_id"], row["version"]) for row in raw)
    expected = {
        (source_id, number): payload
        for source_id, versions in wanted.items()
        for number, payload in enumerate(versions, start=1)
    }
    return Findings(
        lost=len(expected.keys() - found.keys()),
        doubled=found.total()
        - len(found)
        + sum(key not in expected and key[0] in wanted for key in found),
        foreign=sum(source_id not in wanted for source_id, _ in found),
        altered=sum(
            expected.get((row["source_id"], row["version"]), row["payload"]) != row["payload"]
            for row in raw
        ),
    )


def _projected(shown: list[dict[str, Any]], wanted: Versions) -> None:
    """Every id is shown once, in its newest version, with what that version says."""
    assert Counter(row["source_id"] for row in shown) == Counter(wanted.keys())
    for row in shown:
        versions = wanted[row["source_id"]]
        assert row["version"] == len(versions), row
        if "properties" in row:
            said = msgspec.json.decode(versions[-1])
            assert row["properties"] == said["properties"]
            assert (row["type"], row["session_id"]) == (said["type"], said["sessionId"])


def _runs(database: str) -> list[Any]:
    """What each stage says of each batch, and the workflows that are broken, to see by what the
    books are wrong."""
    with psycopg.connect(database) as connection:
        return connection.execute(
            "SELECT batch_id, inserted, stage, rows_in, rows_out, r.dead_lettered, error"
            " FROM headrace.batches b LEFT JOIN headrace.stage_runs r USING (tenant_id, batch_id)"
            " WHERE b.inserted IS DISTINCT FROM r.rows_in OR r.error IS NOT NULL"
            " OR r.rows_out + r.dead_lettered < r.rows_in"
            " UNION ALL SELECT NULL, NULL, w.workflow_uuid, NULL, NULL, NULL, w.status || ': '"
            " || w.name || ' ' || coalesce(o.error, w.error, '') FROM dbos.workflow_status w"
            " LEFT JOIN dbos.workflow_output o USING (workflow_uuid)"
            " WHERE w.status IN ('ERROR', 'CANCELLED')"
        ).fetchall()
