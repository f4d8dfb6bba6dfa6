"""The secrets of an endpoint: made, kept as one sealed text, and changed without a gap.

A new secret signs at once; the one before it signs beside it for a day, so that the receiver has
time to be told.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from headrace.vault import Vault

MARK = "whsec_"
"""What secrets begin with, by Standard Webhooks."""
_BYTES = 32
_BESIDE = timedelta(days=1)


class Secret(msgspec.Struct, frozen=True):
    """One of them; `until` is when an older one ends."""

    text: str
    until: datetime | None = None


def new() -> Secret:
    """A secret that nobody knows yet."""
    return Secret(MARK + base64.b64encode(secrets.token_bytes(_BYTES)).decode())


def rotated(known: Sequence[Secret], now: datetime | None = None) -> list[Secret]:
    """A new one in front of those that are still good."""
    now = now or datetime.now(UTC)
    ends = now + _BESIDE
    older = [Secret(one.text, min(one.until or ends, ends)) for one in known]
    return [new(), *(one for one in older if one.until and one.until > now)]


def seal(vault: Vault, tenant: str, webhook_id: str, known: Sequence[Secret]) -> bytes:
    """As they are kept."""
    return vault.seal(msgspec.json.encode(known).decode(), tenant=tenant, connection=webhook_id)


def unseal(vault: Vault, tenant: str, webhook_id: str, sealed: bytes) -> list[Secret]:
    """All of them, the newest first. Raises NeedsHuman where no key opens them."""
    text = vault.open(bytes(sealed), tenant=tenant, connection=webhook_id)
    return msgspec.json.decode(text, type=list[Secret])


def good(known: Sequence[Secret], now: datetime) -> list[str]:
    """Those that sign now."""
    return [one.text for one in known if one.until is None or one.until > now]
