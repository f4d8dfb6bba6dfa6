"""Vectors in a Qdrant: a collection for each model, with all tenants' points side by side.

This is the only file that knows the library `qdrant-client`, which is an extra: it is imported when
a job has asked for it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, TypeVar

import httpx
import msgspec
import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from headrace.errors import HeadraceError, NeedsHuman, Retry
from headrace.http import Nonsense
from headrace.vectordb.carrier import NOT_FOUND, Carrier
from headrace.vectordb.contract import IndexAt, Key, Point

T = TypeVar("T")

_AT_ONCE = 256
"""Points of one request, at most."""
_NUMBERS = 200_000
"""Numbers in the vectors of one request: some 4 MB as JSON. Qdrant takes 32 MB."""

_POINTS = uuid.UUID("6d1b6a52-8f0e-5a9c-9f3e-2f4b8f1f7a10")
"""The namespace of the points' ids."""

_INDEXED: dict[str, models.PayloadSchemaType | models.KeywordIndexParams] = {
    # Tells Qdrant to keep each tenant's points together.
    "tenant": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    "user": models.PayloadSchemaType.KEYWORD,
    "stream_id": models.PayloadSchemaType.INTEGER,
}
"""Whatever is filtered by: a Qdrant may refuse to filter by anything else."""


class _Found(msgspec.Struct):
    """What is kept with a point and read again. Within PostgreSQL's bounds: who answers may be
    anybody."""

    stream_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    content_hash: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2}){1,64}$")]
    position: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


_KEPT = list(_Found.__struct_fields__)


class _Transport(httpx.BaseTransport):
    """Where the library would open a connection of its own."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to one request."""
        answer = self._carrier.ask(request.method, str(request.url), request.read() or None)
        return httpx.Response(answer.status, content=answer.body)


class Qdrant:
    """See `VectorIndex`."""

    def __init__(self, at: IndexAt, key: str | None, *, private_hosts: bool, hurried: bool) -> None:
        """Raises NeedsHuman for an address that may not be called."""
        carrier = Carrier(at.url, key, private_hosts=private_hosts, hurried=hurried)
        self._where = carrier.base.host
        self._name = name(at)
        self._client = QdrantClient(
            url=str(carrier.base),
            port=carrier.base.port,
            check_compatibility=False,
            trust_env=False,
            transport=_Transport(carrier),
        )

    def put(self, tenant: str, user: str, points: Sequence[Point]) -> None:
        """See `VectorIndex`."""
        if not points:
            return
        size = len(points[0].vector)
        self._ready(size)
        step = max(1, min(_AT_ONCE, _NUMBERS // size))
        for start in range(0, len(points), step):
            some = [_point(tenant, user, one) for one in points[start : start + step]]
            self._call(partial(self._client.upsert, self._name, some, wait=True))

    def nearest(
        self,
        vector: np.ndarray,
        *,
        tenant: str,
        user: str | None,
        streams: Sequence[int] | None,
        limit: int,
    ) -> list[Key]:
        """See `VectorIndex`."""
        must = [_equals("tenant", tenant)]
        if user is not None:
            must.append(_equals("user", user))
        if streams is not None:
            any_ = models.MatchAny(any=list(streams))
            must.append(models.FieldCondition(key="stream_id", match=any_))
        found = self._call(
            partial(
                self._client.query_points,
                self._name,
                query=vector.tolist(),
                query_filter=models.Filter(must=list(must)),
                limit=limit,
                with_payload=_KEPT,
            )
        )
        if found is None:
            raise self._lost()
        return [self._key(one.payload) for one in found.points]

    def forget(self, tenant: str, keys: Sequence[Key]) -> None:
        """See `VectorIndex`."""
        ids: list[int | str | uuid.UUID] = [_id(tenant, key) for key in keys]
        if ids:
            chosen = models.PointIdsList(points=ids)
            self._call(partial(self._client.delete, self._name, chosen, wait=True))

    def count(self, tenant: str, stream: int) -> int:
        """See `VectorIndex`."""
        these = models.Filter(must=[_equals("tenant", tenant), _equals("stream_id", stream)])
        found = self._call(partial(self._client.count, self._name, these, exact=True))
        return 0 if found is None else found.count

    def _ready(self, size: int) -> None:
        """Make the collection and its indexes if they are not there. Two may do it at once."""
        look = partial(self._client.get_collection, self._name)
        info = self._call(look)
        if info is None:
            self._call(
                partial(
                    self._client.create_collection,
                    self._name,
                    vectors_config=models.VectorParams(size=size, distance=models.Distance.DOT),
                ),
                there=True,
            )
            info = self._call(look)
        if info is None:
            raise self._lost()
        vectors = info.config.params.vectors
        there = vectors.size if isinstance(vectors, models.VectorParams) else None
        if there != size:
            raise NeedsHuman(
                f"The collection {self._name} of {self._where} is for vectors of"
                f" {there or 'another kind'}, and these have {size} dimensions.",
                hint="Delete it there if nothing needs it, or name another vector_db.collection.",
            )
        for field in _INDEXED.keys() - info.payload_schema.keys():
            self._call(
                partial(
                    self._client.create_payload_index,
                    self._name,
                    field,
                    _INDEXED[field],
                    wait=True,
                )
            )

    def _call(self, ask: Callable[[], T], *, there: bool = False) -> T | None:
        """What the library answers; None where there is no such collection, and, if `there`, where
        there is one already."""
        try:
            return ask()
        except UnexpectedResponse as error:
            if error.status_code == NOT_FOUND or there:
                return None
            raise Nonsense(f"{self._where} answered {error.status_code}.", hint=_HINT) from None
        except ResponseHandlingException as error:
            if isinstance(error.source, HeadraceError):
                raise error.source from None
            raise Nonsense(f"{self._where} answered as no Qdrant does.", hint=_HINT) from None
        except (ApiException, ValueError):
            raise Nonsense(f"{self._where} answered as no Qdrant does.", hint=_HINT) from None

    def _key(self, payload: models.Payload | None) -> Key:
        try:
            found = msgspec.convert(payload, _Found)
        except msgspec.ValidationError:
            raise Nonsense(
                f"The collection {self._name} of {self._where} has points that are not ours.",
                hint="Name a vector_db.collection that nothing else writes into.",
            ) from None
        return found.stream_id, bytes.fromhex(found.content_hash), found.position

    def _lost(self) -> Retry:
        return Retry(
            f"{self._where} has no collection {self._name}.",
            hint="If it was deleted there, the next job of a connection fills it again.",
        )


_HINT = "Check vector_db.url: something else than a Qdrant may answer there."


def name(at: IndexAt) -> str:
    """What the collection is called that holds the vectors of one model."""
    return f"{at.collection}-{hashlib.sha256(at.model.encode()).hexdigest()[:12]}"


def _id(tenant: str, key: Key) -> str:
    stream, content, position = key
    return str(uuid.uuid5(_POINTS, f"{stream} {content.hex()} {position} {tenant}"))


def _point(tenant: str, user: str, one: Point) -> models.PointStruct:
    stream, content, position = one.key
    return models.PointStruct(
        id=_id(tenant, one.key),
        vector=one.vector.tolist(),
        payload={
            "tenant": tenant,
            "user": user,
            "stream_id": stream,
            "content_hash": content.hex(),
            "position": position,
            "chunk_hash": one.chunk_hash.hex(),
        },
    )


def _equals(field: str, value: str | int) -> models.FieldCondition:
    return models.FieldCondition(key=field, match=models.MatchValue(value=value))
