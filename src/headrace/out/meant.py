"""What a question means to each model that has embedded what the caller may see; and, where an
index outside of PostgreSQL has the vectors, which chunks it says are nearest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from headrace.embedding import Embedder
from headrace.errors import HeadraceError
from headrace.files.config import EmbedderConfig
from headrace.settings import Settings
from headrace.stages.embed import open_embedder
from headrace.store.database import Connection, as_owner
from headrace.store.sql import query
from headrace.vault import Vault
from headrace.vectordb import IndexAt, Key, open_index

if TYPE_CHECKING:
    import numpy as np

__all__ = ["POOL", "Key", "Meant", "Mode", "as_arrays", "meanings", "of_interactions"]

Mode = Literal["hybrid", "text", "vector"]

POOL = 100
"""What each way of searching brings."""

SPARE = 2
"""How many times as many are asked for where what is quoted, unwanted or just gone is left out only
afterwards: an index outside knows nothing of that."""


class Meant(msgspec.Struct, frozen=True):
    """A question as a model sees it; `near` are the keys of what to choose from, None for all that
    PostgreSQL's own index has."""

    model: str
    vector: np.ndarray
    near: list[Key] | None = None


def meanings(
    connection: Connection,
    text: str,
    mode: Mode,
    scope: dict[str, Any],
    settings: Settings | None,
    tell: Callable[[str], None],
    known: dict[str, np.ndarray],
) -> list[Meant]:
    """The question as each model that has embedded documents sees it; none without `settings`.
    `connection` is one from `Database.people`, `scope` says whose chunks are wanted.

    A model or an index that cannot be asked is told of, and the words have to do. Asked for meaning
    alone, its error is raised: Retry, NeedsHuman, BadInput or Unavailable. `known` is what the
    models make of it, so that none is asked twice.
    """
    if mode == "text" or settings is None:
        return []
    with as_owner(connection):
        rows = connection.execute(query("passages", "models"), scope).fetchall()
    meant = []
    for row in rows:
        try:
            one = _meant(row, text, scope, settings, known)
        except HeadraceError as error:
            if mode == "vector":
                raise
            tell(f"Documents were searched by their words only. {error.message}")
        else:
            meant += [one] if one else []
    return meant


def of_interactions(
    connection: Connection,
    text: str,
    mode: Mode,
    scope: dict[str, Any],
    settings: Settings | None,
    tell: Callable[[str], None],
    known: dict[str, np.ndarray],
) -> Meant | None:
    """The same as the model sees it that embeds interactions; None where there are none."""
    if mode == "text" or settings is None:
        return None
    with as_owner(connection):
        row = connection.execute(query("said", "any"), scope).fetchone()
    if not (row and row["there"]):
        return None
    try:
        model = open_embedder(EmbedderConfig(), settings)
        return Meant(model.model, _vector(model, text, known))
    except HeadraceError as error:
        if mode == "vector":
            raise
        tell(f"Messages were searched by their words only. {error.message}")
        return None


def _vector(model: Embedder, text: str, known: dict[str, np.ndarray]) -> np.ndarray:
    if model.model not in known:
        known[model.model] = model.embed_query(text)
    return known[model.model]


def _meant(
    row: dict[str, Any],
    text: str,
    scope: dict[str, Any],
    settings: Settings,
    known: dict[str, np.ndarray],
) -> Meant | None:
    model = open_embedder(EmbedderConfig.model_validate(row["embedder"]), settings)
    if row["vector_db"] is None:
        return Meant(model.model, _vector(model, text, known))
    if row["model"] != model.model:
        return None  # vectors of two models cannot be compared: these are being made anew
    vector = _vector(model, text, known)
    secret = row["credential"] and Vault.from_settings(settings).open(
        row["credential"], tenant=scope["tenant"], connection=row["connection_id"]
    )
    index = open_index(
        IndexAt(row["vector_db"], row["url"], row["collection"], row["model"]),
        secret,
        private_hosts=row["trusted"] or settings.headrace_private_hosts,
        hurried=True,
    )
    near = index.nearest(
        vector,
        tenant=scope["tenant"],
        user=scope["user"],
        streams=scope["streams"],
        limit=SPARE * POOL,
    )
    return Meant(model.model, vector, near)


def as_arrays(keys: Sequence[Key]) -> dict[str, Any]:
    """Keys as queries unnest them."""
    return {
        "stream_ids": [stream for stream, _, _ in keys],
        "hashes": [content for _, content, _ in keys],
        "positions": [position for _, _, position in keys],
    }
