"""Accounts at providers: what was consented to, and how much may be asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, DOUBLE_PRECISION, JSON, LargeBinary, Text

from headrace.model.base import Table, col, key, time


class Grant(Table, table=True):
    """What the owner of an account has consented to, with its sealed tokens. Several connections
    may use one; it is refreshed once for all of them. Where another application keeps the tokens,
    `external_id` is how it calls them."""

    __tablename__ = "grants"
    grant_id: str = key()
    issuer: str = col(null=False)
    account: str = col(null=False)
    scopes: list[str] = col(ARRAY(Text), null=False)
    tokens: bytes | None = col(LargeBinary)
    external_id: str | None = col()
    expires_at: datetime | None = time()
    refreshed_at: datetime | None = time()
    revoked_at: datetime | None = time()
    created_at: datetime = time(null=False)


class Consent(Table, table=True):
    """A consent that was asked for and is not given yet."""

    __tablename__ = "consents"
    state_hash: bytes = key(LargeBinary)
    issuer: str = col(null=False)
    asked: dict[str, Any] = col(JSON, null=False)
    verifier: bytes = col(LargeBinary, null=False)
    created_at: datetime = time(null=False)


class Allowance(Table, table=True):
    """How much of a provider's allowance all workers together have used. Of a window that the
    source tells of, `remaining` of `most` units may still be drawn until `resets_at`. `share` is
    how much of the configured rate is used after a refusal, as of `share_at`."""

    __tablename__ = "allowances"
    allowance: str = key()
    spent_until: datetime = time(null=False)
    remaining: float | None = col(DOUBLE_PRECISION)
    most: float | None = col(DOUBLE_PRECISION)
    window_seconds: float | None = col(DOUBLE_PRECISION)
    resets_at: datetime | None = time()
    share: float | None = col(DOUBLE_PRECISION)
    share_at: datetime | None = time()
