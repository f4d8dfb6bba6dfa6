"""What an entry of the stream asks for: `type` and `payload`, as seed 000 has them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from headrace.errors import BadInput
from headrace.plugins import provider_of_kind, providers
from headrace.text import one_line

TENANT: Final = "default"
"""Whose an entry is that names no tenant."""

MAX_PAYLOAD = 256 * 1024
"""Bytes of one payload: it names what to fetch, it does not bring it."""


class Entry(msgspec.Struct, frozen=True):
    """One entry, as it was read: its id and its fields."""

    id: str
    fields: Mapping[bytes, bytes]

    @property
    def type(self) -> bytes:
        """What is asked for."""
        return self.fields.get(b"type", b"")

    @property
    def payload(self) -> bytes:
        """The rest of it, as JSON."""
        return self.fields.get(b"payload", b"")

    @property
    def digest(self) -> bytes:
        """What tells it from another entry of the same id: those of an emptied Redis may begin
        again."""
        parts = [self.type, self.payload]
        return sha256(b"".join(len(one).to_bytes(8) + one for one in parts)).digest()[:16]

    @property
    def key(self) -> str:
        """The idempotency key of its jobs."""
        return f"redis:{self.id}:{self.digest.hex()}"


class Asked(msgspec.Struct, frozen=True):
    """What an entry asks for, understood: a sync of these connections of this owner."""

    entry: Entry
    tenant: str
    user: str | None
    kind: str
    provider: str
    connection: str | None
    priority: str
    payload: dict[str, Any]


class _Payload(msgspec.Struct, rename="camel"):
    """What is read of a payload. The rest of it is kept with the job."""

    user_id: str | None = None
    tenant_id: str = TENANT
    connection_id: str | None = None
    provider: str | None = None
    priority: Literal["urgent", "high", "medium", "low"] = "medium"


def understood(entry: Entry) -> Asked:
    """What the entry asks for. Raises BadInput saying why no job can be made of it."""
    if b"type" not in entry.fields:
        raise BadInput(
            "The entry has no field `type`.",
            hint='XADD ingestion:jobs * type gmail:fetch payload \'{"userId": "..."}\'',
        )
    kind = entry.type.decode("utf-8", "replace")
    provider = provider_of_kind(kind)
    whole, read = _payload(entry.payload)
    if read.provider not in (None, provider.name):
        raise BadInput(
            f"Jobs of kind {kind} are of the provider {provider.name}, not"
            f" {one_line(str(read.provider))!r}.",
            hint="Leave `provider` out of the payload, or ask for its own kind."
            f" There are: {', '.join(one.kind for one in providers().values())}.",
        )
    if not read.user_id and not read.connection_id:
        raise BadInput(
            "The payload names nobody.",
            hint="It needs `userId`, or `connectionId` for one connection.",
        )
    return Asked(
        entry=entry,
        tenant=read.tenant_id,
        user=read.user_id or None,
        kind=provider.kind,
        provider=provider.name,
        connection=read.connection_id or None,
        priority=read.priority,
        payload=whole,
    )


def _payload(given: bytes) -> tuple[dict[str, Any], _Payload]:
    """The payload whole, and what is read of it. Raises BadInput."""
    if len(given) > MAX_PAYLOAD:
        raise BadInput(
            f"The payload has {len(given):,} bytes, and may have {MAX_PAYLOAD:,}.",
            hint="It names what is to be fetched, and does not bring it.",
        )
    try:
        whole = msgspec.json.decode(given)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(
            f"The payload is not JSON: {one_line(str(error))}.",
            hint='It has to be an object in UTF-8: {"userId": "..."}',
        ) from None
    try:
        read = msgspec.convert(whole, _Payload)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"The payload cannot be used: {one_line(str(error))}.",
            hint='It has to be an object such as {"userId": "...", "priority": "high"}.',
        ) from None
    return whole, read
