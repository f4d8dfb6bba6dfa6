"""Who is let in: programs by their keys, browsers by sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, LargeBinary

from headrace.model.base import ID, Table, col, key, time


class ApiKey(Table, table=True):
    """A key people or programs call the API with; only its SHA-256 is kept. `key_user_id` narrows
    it to one user's rows; without it the key sees all of its tenant."""

    __tablename__ = "api_keys"
    key_hash: bytes = key(LargeBinary)
    key_user_id: str | None = col(ID)
    name: str = col(null=False)
    prefix: str = col(null=False)
    created_at: datetime = time(null=False)
    last_used_at: datetime | None = time()
    revoked_at: datetime | None = time()


class Session(Table, table=True):
    """A browser that a key, or somebody at the machine, has let in; only the SHA-256 of what it
    holds is kept. `key_hash` is the key it was opened with; a link (`once`) is a session that
    nobody has taken up yet."""

    __tablename__ = "sessions"
    token_hash: bytes = key(LargeBinary)
    key_user_id: str | None = col(ID)
    key_hash: bytes | None = col(LargeBinary)
    once: bool = col(Boolean, null=False)
    created_at: datetime = time(null=False)
    expires_at: datetime = time(null=False)
