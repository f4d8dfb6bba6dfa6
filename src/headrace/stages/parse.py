"""Files to texts: each content once, under however many paths it lies."""

from __future__ import annotations

import atexit
import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Json

from headrace.documents import ParserOptions, Parsers, Reading
from headrace.errors import Retry, Skip
from headrace.files.config import DocumentsConfig
from headrace.provider import DOCUMENT, BadRecord
from headrace.rows import Texts
from headrace.stage import Batch, Made, RawEvent, stage

# What the batch brought, with whether its content has been read before, in this stream, by this
# version of the stage.
_FILES = """
SELECT r.source_id, r.version, r.content_hash, r.content_hash = '' AS gone,
  EXISTS (SELECT FROM headrace.texts c WHERE c.tenant_id = r.tenant_id
    AND c.stream_id = r.stream_id AND c.content_hash = r.content_hash
    AND c.read_by >= %(version)s AND NOT %(anew)s) AS known
FROM headrace.raw_events r WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s
ORDER BY r.source_id, r.version
"""

_BYTES = """
SELECT source_id, content_hash, payload FROM headrace.raw_events
JOIN unnest(%(ids)s::text[], %(versions)s::int[]) AS w (source_id, version)
  USING (source_id, version)
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s
"""

# A text that is another one than an older version has read is to be cut again; until it has been,
# its old chunks are found.
_WRITE = """
WITH stale AS (
  UPDATE headrace.chunks k SET cut_by = 0
  FROM headrace.texts c
  WHERE c.tenant_id = %(tenant)s AND c.stream_id = %(stream_id)s AND c.content_hash = %(hash)s
    AND (c.read_by < %(version)s OR %(anew)s)
    AND (c.body, c.pages, c.headings::text) <> (%(body)s, %(pages)s::int[], %(headings)s::text)
    AND k.tenant_id = c.tenant_id AND k.stream_id = c.stream_id
    AND k.content_hash = c.content_hash
)
INSERT INTO headrace.texts AS t (tenant_id, stream_id, content_hash, user_id, batch_id, media_type,
  title, body, pages, headings, read_by)
VALUES (%(tenant)s, %(stream_id)s, %(hash)s, %(user)s, %(batch_id)s, %(media_type)s, %(title)s,
  %(body)s, %(pages)s, %(headings)s, %(version)s)
ON CONFLICT (stream_id, content_hash, tenant_id) DO UPDATE
SET media_type = excluded.media_type, title = excluded.title, body = excluded.body,
  pages = excluded.pages, headings = excluded.headings, read_by = excluded.read_by
WHERE t.read_by < excluded.read_by OR %(anew)s AND t.read_by = excluded.read_by
"""

# The newest version of each path that the batch brought, unless a newer one is there or it is gone.
# What could not be read has no content, and what was there of the path before stays to be found.
_PATHS = """
INSERT INTO headrace.documents AS d (tenant_id, stream_id, source_id, version, user_id, batch_id,
  content_hash, occurred_at, size)
SELECT DISTINCT ON (r.source_id) r.tenant_id, r.stream_id, r.source_id, r.version, r.user_id,
  r.batch_id, r.content_hash, r.occurred_at, length(r.payload)
FROM headrace.raw_events r
JOIN headrace.texts c USING (tenant_id, stream_id, content_hash)
WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s
  AND NOT EXISTS (SELECT FROM headrace.raw_events later WHERE later.stream_id = r.stream_id
    AND later.source_id = r.source_id AND later.version > r.version
    AND later.tenant_id = r.tenant_id AND later.content_hash = '')
ORDER BY r.source_id, r.version DESC
ON CONFLICT (stream_id, source_id, tenant_id) DO UPDATE
SET version = excluded.version, batch_id = excluded.batch_id, size = excluded.size,
    content_hash = excluded.content_hash, occurred_at = excluded.occurred_at
WHERE d.version <= excluded.version
"""

_GONE = """
DELETE FROM headrace.documents d USING headrace.raw_events r
WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s AND r.content_hash = ''
  AND d.tenant_id = r.tenant_id AND d.stream_id = r.stream_id AND d.source_id = r.source_id
  AND d.version <= r.version
"""

# Contents of the batch that are shown or are going to be. Those that a later version of their paths
# has replaced, or taken away, have been swept.
_WANTED = """
SELECT DISTINCT r.content_hash FROM headrace.raw_events r
LEFT JOIN headrace.documents d ON d.tenant_id = r.tenant_id AND d.stream_id = r.stream_id
  AND d.source_id = r.source_id
WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s
  AND (d.indexed_hash = r.content_hash OR (d.version IS NULL OR d.version <= r.version)
    AND NOT EXISTS (SELECT FROM headrace.raw_events later WHERE later.stream_id = r.stream_id
      AND later.source_id = r.source_id AND later.version > r.version
      AND later.tenant_id = r.tenant_id AND later.content_hash = ''))
"""

# See `embed`: contents without a path are swept when nobody writes paths.
PATHS = 0x48525041
_HOLD = "SELECT pg_advisory_xact_lock_shared(%(lock)s, %(stream_id)s::int)"
_THERE = """
SELECT count(*) AS n FROM headrace.texts
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND content_hash = ANY(%(hashes)s)
"""

_AT_ONCE = 2
"""Files read side by side: one for each child process."""


@stage(version=1, content=DOCUMENT)
def parse(batch: Batch[RawEvent]) -> Made[Texts]:
    """Read every content that has not been read; a file that cannot be read is buried alone."""
    files = batch.read(_FILES, batch.keys())
    config = DocumentsConfig.model_validate_json(batch.stream.config)
    options = ParserOptions(tool=config.parser.tool, ocr=config.parser.ocr)
    to_read = {one["content_hash"]: one for one in files if not one["gone"] and not one["known"]}
    read: dict[bytes, Reading] = {}
    failed: dict[bytes, Skip] = {}

    def one(file: Mapping[str, Any]) -> None:
        hash_, name = file["content_hash"], os.path.basename(file["source_id"])  # noqa: PTH119
        try:
            read[hash_] = _parsers().read(name, file["payload"], options)
        except Skip as skip:
            failed[hash_] = skip

    with ThreadPoolExecutor(_AT_ONCE) as readers:
        for done in [readers.submit(one, file) for file in _payloads(batch, to_read.values())]:
            done.result()

    bad, versions = [], []
    for file in files:
        skip = failed.get(file["content_hash"])
        if skip is not None:
            bad.append(BadRecord(b"", skip.message, skip.hint, file["source_id"]))
            versions.append(file["version"])

    known = {one["content_hash"] for one in files if one["known"]}
    keys = {**batch.keys(), "lock": PATHS, "hashes": list(known)}

    def write(connection: psycopg.Connection[dict[str, Any]]) -> int:
        connection.execute(_HOLD, keys)
        wanted = {row["content_hash"] for row in connection.execute(_WANTED, batch.keys())}
        with connection.cursor() as cursor:
            rows = [_row(batch, *item) for item in sorted(read.items()) if item[0] in wanted]
            cursor.executemany(_WRITE, rows)
        connection.execute(_PATHS, batch.keys())
        connection.execute(_GONE, batch.keys())
        there = connection.execute(_THERE, keys).fetchone()
        if there is None or there["n"] != len(known):
            raise Retry("A content was swept while it was wanted again; it is read anew.", after=1)
        return len(read)

    return Made(len([one for one in files if not one["gone"]]), write, bad, versions)


def _payloads(batch: Batch[Any], files: Collection[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The files' bytes, all at once: a batch has a page's worth of them."""
    ids = [file["source_id"] for file in files]
    versions = [file["version"] for file in files]
    return batch.read(_BYTES, {**batch.keys(), "ids": ids, "versions": versions}) if ids else []


def _row(batch: Batch[Any], hash_: bytes, reading: Reading) -> dict[str, Any]:
    return {
        **batch.keys(),
        "hash": hash_,
        "media_type": reading.media_type,
        "title": reading.title,
        "body": reading.text,
        "pages": reading.pages,
        "headings": Json([msgspec.structs.astuple(one) for one in reading.headings]),
    }


@cache
def _parsers() -> Parsers:
    """The process's own children; they end with it."""
    parsers = Parsers(processes=_AT_ONCE)
    atexit.register(parsers.close)
    return parsers
