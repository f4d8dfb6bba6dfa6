"""Which index a configuration means."""

from __future__ import annotations

import importlib.util

from headrace.errors import BadInput, NeedsHuman
from headrace.files.credentials import vector_key
from headrace.files.sections import VectorsConfig
from headrace.vectordb.carrier import client
from headrace.vectordb.contract import IndexAt, VectorIndex

_COLLECTION = "headrace"
_PACKAGES = {"qdrant": "qdrant_client"}


def index_at(config: VectorsConfig, model: str) -> IndexAt | None:
    """Where a job's vectors by this model are put; None for nowhere but into PostgreSQL."""
    if config.vector_db == "pgvector":
        return None
    assert config.url, "the configuration has seen to that"
    return IndexAt(config.vector_db, config.url, config.collection or _COLLECTION, model)


def open_index(
    at: IndexAt, secret: str | None, *, private_hosts: bool, hurried: bool = False
) -> VectorIndex:
    """The index that is there, with the key that `secret`, a connection's credential, has for it.

    `private_hosts` allows http and addresses that are not public; `hurried` means that somebody
    waits. Raises NeedsHuman for an address that may not be called, for a key that was given for
    another one, and where the package is missing.
    """
    _require(at.vector_db)
    from headrace.vectordb.qdrant import Qdrant

    key = vector_key(at.url, secret)
    return Qdrant(at, key, private_hosts=private_hosts, hurried=hurried)


def check(config: VectorsConfig, *, private_hosts: bool) -> None:
    """Refuse at once what no stage could put vectors into. Raises BadInput."""
    if config.url is None:
        return
    try:
        client(config.url, None, private_hosts=private_hosts, hurried=False)
        _require(config.vector_db)
    except NeedsHuman as error:
        raise BadInput(error.message, hint=error.hint) from None


def _require(vector_db: str) -> None:
    package = _PACKAGES[vector_db]
    try:
        there = importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        there = False
    if not there:
        raise NeedsHuman(
            f"vector_db {vector_db} needs the package {package.replace('_', '-')}, which is not"
            " installed.",
            hint=f"Install headrace[{vector_db}] wherever its API and its workers run.",
        )
