"""Search in documents: by words, by meaning, or both, which finds more than either.

Each way brings its best hundred; their scores, spread from 0 to 1, are mixed half and half. On the
labelled sets of docs/benchmarks.md that finds more than either way alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from psycopg.sql import SQL
from psycopg.sql import Literal as Constant

from headrace.out.meant import POOL, Key, Meant, Mode, as_arrays
from headrace.out.terms import Term, Terms, weigh
from headrace.store.database import Connection, as_owner
from headrace.store.sql import query

TELLING = 16
"""Words of a query that order what was found: the rarest."""

LEAST = 0.25
"""The cosine below which a chunk without any of the words is not taken for an answer."""


K = TypeVar("K")


class Found(msgspec.Struct):
    """A chunk's score, from 0 to 2: above 1, everything asked for is in it."""

    key: Key
    score: float


def find(
    connection: Connection,
    terms: Terms,
    scope: dict[str, Any],
    mode: Mode,
    meant: Sequence[Meant],
) -> list[Found]:
    """The best chunks for a question, best first. `connection` is one from `Database.people`,
    `meant` what `meanings` made of the question."""
    with as_owner(connection):
        worded = {} if mode == "vector" else _by_words(connection, terms, scope)
        whole = {key for key, (_, all_) in worded.items() if all_}
        words = {key: score for key, (score, _) in worded.items()}
        meaning: dict[Key, float] = {}
        for one in meant:
            meaning |= _by_meaning(connection, one, terms, scope)
    meaning = {key: score for key, score in meaning.items() if key in words or score >= LEAST}
    mixed = mix(words, meaning)
    found = [Found(key, score + (key in whole)) for key, score in mixed.items()]
    return sorted(found, key=lambda one: (-one.score, one.key))


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
            **conditions(terms),
            "pool": POOL,
        },
        prepare=False,  # the best plan depends on the words, each time
    ).fetchall()
    return {_key(row): (row["score"], row["whole"]) for row in rows}


def _weight(term: Term, rows: float) -> float:
    matches = min(term.matches, rows)
    return math.log1p((rows - matches + 0.5) / (matches + 0.5))


def _by_meaning(
    connection: Connection, meant: Meant, terms: Terms, scope: dict[str, Any]
) -> dict[Key, float]:
    widely(connection)
    # Constants, not parameters: only then is the model's own index the one that fits.
    asked = "by_meaning" if meant.near is None else "of_the_nearest"
    statement = SQL(query("passages", asked)).format(
        dimensions=Constant(len(meant.vector)),
        model=Constant(meant.model),
        vector=Constant("[" + ",".join(map(str, meant.vector.tolist())) + "]"),
    )
    values = {**scope, **conditions(terms), **as_arrays(meant.near or []), "pool": POOL}
    rows = connection.execute(statement, values, prepare=False).fetchall()
    return {_key(row): row["score"] for row in rows}


def widely(connection: Connection) -> None:
    """Have the index of vectors look as far as it takes, for the rest of the transaction."""
    connection.execute(
        "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),"
        " set_config('hnsw.ef_search', '100', true)"
    )


def conditions(terms: Terms) -> dict[str, str | None]:
    """What every passage must have and must not have: who quotes, or writes a minus, means it."""
    phrases = [f"({term.query})" for term in terms.wanted if term.phrase]
    return {
        "unwanted": " | ".join(f"({one})" for one in terms.unwanted),
        "phrases": " & ".join(phrases) or None,
    }


def _key(row: dict[str, Any]) -> Key:
    return row["stream_id"], row["content_hash"], row["position"]


def mix(words: dict[K, float], meaning: dict[K, float]) -> dict[K, float]:
    """Two ways of finding, half and half, each spread from 0 to 1."""
    ways = [_spread(way) for way in (words, meaning) if way]
    keys = set(words) | set(meaning)
    return {key: sum(way.get(key, 0.0) for way in ways) / len(ways) for key in keys}


def _spread(scores: dict[K, float]) -> dict[K, float]:
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
            **as_arrays([one.key for one in found]),
            "query": " | ".join(f"({term.query})" for term in terms.wanted),
            "options": options,
        },
    ).fetchall()
    for row in rows:
        row["score"] = found[row.pop("at") - 1].score
    return rows
