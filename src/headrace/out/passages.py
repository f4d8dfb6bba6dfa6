"""Search in documents: by words, by meaning, or both, which finds more than either.

Each way brings its best hundred; their scores, spread from 0 to 1, are mixed half and half. On the
labelled sets of docs/benchmarks.md that finds more than either way alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
from psycopg.sql import SQL
from psycopg.sql import Literal as Constant

from headrace.errors import HeadraceError
from headrace.files.config import EmbedderConfig
from headrace.out.terms import Term, Terms, weigh
from headrace.settings import Settings
from headrace.stages.embed import open_embedder
from headrace.store.database import Connection, as_owner
from headrace.store.sql import query

Mode = Literal["hybrid", "text", "vector"]

POOL = 100
"""What each way brings."""

TELLING = 16
"""Words of a query that order what was found: the rarest."""

LEAST = 0.25
"""The cosine below which a chunk without any of the words is not taken for an answer."""

Key = tuple[int, bytes, int]
"""A chunk: stream_id, content_hash, position."""


class Found(msgspec.Struct):
    """A chunk's score, from 0 to 2: above 1, everything asked for is in it."""

    key: Key
    score: float


def find(
    connection: Connection,
    terms: Terms,
    scope: dict[str, Any],
    mode: Mode,
    meant: Sequence[tuple[str, np.ndarray]],
) -> list[Found]:
    """The best chunks for a question, best first. `connection` is one from `Database.people`,
    `meant` what `meanings` made of the question."""
    with as_owner(connection):
        worded = {} if mode == "vector" else _by_words(connection, terms, scope)
        whole = {key for key, (_, all_) in worded.items() if all_}
        words = {key: score for key, (score, _) in worded.items()}
        meaning: dict[Key, float] = {}
        for model, vector in meant:
            meaning |= _by_meaning(connection, model, vector, terms, scope)
    meaning = {key: score for key, score in meaning.items() if key in words or score >= LEAST}
    mixed = _mix(words, meaning)
    found = [Found(key, score + (key in whole)) for key, score in mixed.items()]
    return sorted(found, key=lambda one: (-one.score, one.key))


def meanings(
    connection: Connection,
    text: str,
    mode: Mode,
    settings: Settings | None,
    tell: Callable[[str], None],
) -> list[tuple[str, np.ndarray]]:
    """The question as each model sees it that has embedded what the caller may see; none without
    `settings`.

    A model that cannot be asked is told of, and the words have to do. Asked for meaning alone, its
    error is raised: Retry, NeedsHuman, BadInput or Unavailable.
    """
    if mode == "text" or settings is None:
        return []
    meant = []
    for config in _embedders(connection):
        try:
            model = open_embedder(config, settings)
            vector = model.embed_query(text)
        except HeadraceError as error:
            if mode == "vector":
                raise
            tell(f"Documents were searched by their words only. {error.message}")
        else:
            meant.append((model.model, vector))
    return meant


def _embedders(connection: Connection) -> list[EmbedderConfig]:
    rows = connection.execute(query("passages", "models")).fetchall()
    return [EmbedderConfig.model_validate(row["embedder"]) for row in rows]


def _by_words(
    connection: Connection, terms: Terms, scope: dict[str, Any]
) -> dict[Key, tuple[float, bool]]:
    if not terms.wanted:
        return {}
    weighed = weigh(connection, "chunks", terms)
    telling = sorted(weighed.wanted, key=lambda term: term.matches)[:TELLING]
    rows = connection.execute(
        query("passages", "by_words"),
        {
            **scope,
            "terms": [term.query for term in telling],
            "weights": [_weight(term, weighed.rows) for term in telling],
            "some": " | ".join(f"({term.loose})" for term in telling),
            "every": " & ".join(f"({term.query})" for term in weighed.wanted),
            **_conditions(terms),
            "pool": POOL,
        },
        prepare=False,  # the best plan depends on the words, each time
    ).fetchall()
    return {_key(row): (row["score"], row["whole"]) for row in rows}


def _weight(term: Term, rows: float) -> float:
    matches = min(term.matches, rows)
    return float(np.log1p((rows - matches + 0.5) / (matches + 0.5)))


def _by_meaning(
    connection: Connection,
    model: str,
    vector: np.ndarray,
    terms: Terms,
    scope: dict[str, Any],
) -> dict[Key, float]:
    connection.execute(
        "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),"
        " set_config('hnsw.ef_search', '100', true)"
    )
    # Constants, not parameters: only then is the model's own index the one that fits.
    statement = SQL(query("passages", "by_meaning")).format(
        dimensions=Constant(len(vector)),
        model=Constant(model),
        vector=Constant("[" + ",".join(map(str, vector.tolist())) + "]"),
    )
    values = {**scope, **_conditions(terms), "pool": POOL}
    rows = connection.execute(statement, values, prepare=False).fetchall()
    return {_key(row): row["score"] for row in rows}


def _conditions(terms: Terms) -> dict[str, str | None]:
    """What every passage must have and must not have: who quotes, or writes a minus, means it."""
    phrases = [f"({term.query})" for term in terms.wanted if term.phrase]
    return {
        "unwanted": " | ".join(f"({one})" for one in terms.unwanted),
        "phrases": " & ".join(phrases) or None,
    }


def _key(row: dict[str, Any]) -> Key:
    return row["stream_id"], row["content_hash"], row["position"]


def _mix(words: dict[Key, float], meaning: dict[Key, float]) -> dict[Key, float]:
    ways = [_spread(way) for way in (words, meaning) if way]
    keys = set(words) | set(meaning)
    return {key: sum(way.get(key, 0.0) for way in ways) / len(ways) for key in keys}


def _spread(scores: dict[Key, float]) -> dict[Key, float]:
    """Scores from 0 to 1. Where fewer were found than could have been, the others have none."""
    least = min(scores.values()) if len(scores) >= POOL else 0.0
    span = max(scores.values()) - least
    return {key: (score - least) / span if span > 0 else 1.0 for key, score in scores.items()}


def show(
    connection: Connection,
    found: Sequence[Found],
    terms: Terms,
    scope: dict[str, Any],
    options: str,
) -> list[dict[str, Any]]:
    """What is said of the best chunks that this session may see, with their scores, best first; as
    many as the scope's `limit`."""
    rows = connection.execute(
        query("passages", "show"),
        {
            **scope,
            "streams": [one.key[0] for one in found],
            "hashes": [one.key[1] for one in found],
            "positions": [one.key[2] for one in found],
            "query": " | ".join(f"({term.query})" for term in terms.wanted),
            "options": options,
        },
    ).fetchall()
    for row in rows:
        row["score"] = found[row.pop("at") - 1].score
    return rows
