"""Interactions to vectors, so that a search finds by meaning what people have written.

It stands apart: nothing and nobody waits for it. A batch may have hours of work in it, so each few
texts are committed as soon as they have their vectors, and whoever takes it up again finds those
done. Nothing that the tenant has had embedded is embedded again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import psycopg

from headrace.chunking import chunk as cut
from headrace.crashpoints import mark
from headrace.embedding import Embedder
from headrace.errors import NeedsHuman, Retry, Unavailable
from headrace.files.config import EmbedderConfig
from headrace.mail.unsent import unsent
from headrace.rows import InteractionRow, Vectors
from headrace.settings import Settings
from headrace.stage import Batch, Made, stage
from headrace.stages.embed import binary, open_embedder
from headrace.text import text_to_embed

LONGEST: Final = 20_000
"""Characters of one text that are embedded: some thirty chunks."""

_AT_ONCE = 64
"""Texts between two commits: about a second's work."""

_AGAIN_SECONDS = 300.0

# What the batch has to be embedded, and whether it is.
_WANTED = """
SELECT i.text_hash, i.labels, i.kind, EXISTS (SELECT FROM headrace.chunks k
  WHERE k.tenant_id = i.tenant_id AND k.stream_id = i.stream_id AND k.content_hash = i.text_hash
    AND k.model = %(model)s) AS done
FROM headrace.interactions i
WHERE i.tenant_id = %(tenant)s AND i.batch_id = %(batch_id)s AND i.text_hash IS NOT NULL
  AND (%(all)s OR i.automated IS NULL)
ORDER BY i.text_hash
"""

_TEXTS = """
SELECT DISTINCT ON (text_hash) text_hash, subject, unquoted, body FROM headrace.interactions
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s AND text_hash = ANY(%(hashes)s)
ORDER BY text_hash
"""

_KNOWN = """
SELECT DISTINCT ON (chunk_hash) chunk_hash, halfvec_send(embedding) AS vector FROM headrace.chunks
WHERE tenant_id = %(tenant)s AND chunk_hash = ANY(%(hashes)s) AND model = %(model)s
  AND embedding IS NOT NULL
ORDER BY chunk_hash
"""

_OF_ANOTHER_MODEL = """
DELETE FROM headrace.chunks WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s
  AND content_hash = ANY(%(hashes)s) AND model <> %(model)s
"""

_COPY = """
COPY headrace.chunks (tenant_id, stream_id, content_hash, position, user_id, batch_id, start_at,
  end_at, headings, body, chunk_hash, model, kind, embedding) FROM STDIN (FORMAT binary)
"""
_TYPES = ("text", "int8", "bytea", "int4", "text", "int8", "int4", "int4", "text[]", "text",
          "bytea", "text", "text", "bytea")  # fmt: skip

# Texts that no interaction has any more are swept by batches that change any. Whoever has found a
# text embedded looks again with the lock, shared: it may have been swept meanwhile.
_LOCKS = {
    True: "SELECT pg_advisory_xact_lock(%(lock)s, %(stream_id)s::int)",
    False: "SELECT pg_advisory_xact_lock_shared(%(lock)s, %(stream_id)s::int)",
}
_TEXT_LOCK = 0x48525458
_OPEN = 0x48524549  # nobody takes this one alone

_CHANGED = """
SELECT EXISTS (SELECT FROM headrace.raw_events
  WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s AND version > 1) AS changed
"""
_SWEEP = """
DELETE FROM headrace.chunks k
WHERE k.tenant_id = %(tenant)s AND k.stream_id = %(stream_id)s AND k.kind = 'interactions'
  AND NOT EXISTS (SELECT FROM headrace.interactions i
    WHERE i.stream_id = k.stream_id AND i.text_hash = k.content_hash AND i.tenant_id = k.tenant_id)
"""
_THERE = """
SELECT count(DISTINCT content_hash) AS n FROM headrace.chunks
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND content_hash = ANY(%(hashes)s)
  AND model = %(model)s
"""


class _Passage(msgspec.Struct):
    """A chunk of a text."""

    text_hash: bytes
    position: int
    start: int
    end: int
    body: str
    hash: bytes


@stage(version=1, apart=True)
def embed_interactions(batch: Batch[InteractionRow]) -> Made[Vectors]:
    """Embed what people have said. Raises Retry while there is nothing to embed with."""
    keys = {**batch.keys(), "lock": _TEXT_LOCK, "all": _wants(batch.settings) == "all"}
    found, model, written = {}, None, 0
    if _wants(batch.settings) != "none":
        model = _model(batch.settings)
        keys["model"] = model.model
        rows = batch.read(_WANTED, keys)
        found = {row["text_hash"]: row["done"] for row in rows if not _unsent(batch, row)}
    todo = [hash_ for hash_, done in found.items() if not done]
    if model is not None and todo:
        connection = batch.hold(_OPEN)
        for at in range(0, len(todo), _AT_ONCE):
            written += _embed(batch, connection, model, todo[at : at + _AT_ONCE], found)
            mark("texts-embedded")

    def write(connection: psycopg.Connection[dict[str, Any]]) -> int:
        changes = bool((connection.execute(_CHANGED, keys).fetchone() or {})["changed"])
        connection.execute(_LOCKS[changes], keys)
        if changes:
            connection.execute(_SWEEP, keys)
        if found:
            there = connection.execute(_THERE, {**keys, "hashes": list(found)}).fetchone()
            if there is None or there["n"] != len(found):
                raise Retry("A text was swept while it was wanted again.", after=1)
        return written

    return Made(len(found), write)


def _wants(settings: Settings) -> str:
    return settings.headrace_embed_interactions


def _model(settings: Settings) -> Embedder:
    """The local model, whatever documents are embedded with: mail is sent nowhere. Raises Retry."""
    try:
        return open_embedder(EmbedderConfig(), settings)
    except (NeedsHuman, Unavailable) as error:
        raise Retry(error.message, hint=error.hint, after=_AGAIN_SECONDS) from error


def _unsent(batch: Batch[Any], row: Mapping[str, Any]) -> bool:
    kind = str(row["kind"])
    return kind == "email_draft" or (
        kind.startswith("email") and unsent(row["labels"], batch.stream.stream)
    )


def _embed(
    batch: Batch[Any],
    connection: psycopg.Connection[dict[str, Any]],
    model: Embedder,
    hashes: Sequence[bytes],
    found: dict[bytes, bool],
) -> int:
    """Embed some texts and commit them; how many chunks they have. A text that has gone meanwhile
    is taken out of `found`: whoever has changed it embeds the new one."""
    keys = {**batch.keys(), "hashes": hashes, "model": model.model}
    texts = batch.read(_TEXTS, keys)
    for gone in set(hashes) - {row["text_hash"] for row in texts}:
        del found[gone]
    passages = [one for row in texts for one in _passages(row)]
    of_hash = {one.hash: one.body for one in passages}
    known = batch.read(_KNOWN, {**keys, "hashes": list(of_hash)})
    vectors = {row["chunk_hash"]: row["vector"] for row in known}
    new = [hash_ for hash_ in of_hash if hash_ not in vectors]
    if new:
        made = model.embed([of_hash[hash_] for hash_ in new])
        vectors |= {hash_: binary(one) for hash_, one in zip(new, made, strict=True)}
    try:
        with connection.transaction():
            connection.execute(_OF_ANOTHER_MODEL, keys)
            with connection.cursor().copy(_COPY) as copy:
                copy.set_types(_TYPES)
                for one in passages:
                    copy.write_row(_row(batch, one, model.model, vectors[one.hash]))
    except psycopg.errors.UniqueViolation:
        # Another batch had one of the same texts, and was sooner.
        raise Retry("The same text was embedded elsewhere at the same time.", after=1) from None
    return len(passages)


def _passages(row: Mapping[str, Any]) -> list[_Passage]:
    text = text_to_embed(row["subject"], row["unquoted"], row["body"])[:LONGEST]
    return [
        _Passage(row["text_hash"], at, one.start, one.end, text[one.start : one.end], one.hash)
        for at, one in enumerate(cut(text, size=800, overlap=100))
    ]


def _row(batch: Batch[Any], one: _Passage, model: str, vector: bytes) -> tuple[Any, ...]:
    return (
        batch.tenant,
        batch.stream_id,
        one.text_hash,
        one.position,
        batch.user,
        batch.batch_id,
        one.start,
        one.end,
        [],
        one.body,
        one.hash,
        model,
        "interactions",
        vector,
    )
