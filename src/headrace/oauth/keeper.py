"""The access token of this moment, refreshed once for all processes (rules O1 to O6)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import psycopg

from headrace.errors import NeedsHuman, Retry
from headrace.oauth import endpoint
from headrace.oauth.endpoint import TIMEOUT, InvalidGrant
from headrace.oauth.issuers import issuer
from headrace.settings import Settings
from headrace.store import grants
from headrace.store.database import Connection, Database
from headrace.store.grants import GrantRow
from headrace.vault import Vault

EARLY = 60.0
"""Seconds before its end from which a token is not used any more (rule O5). One that lasts less
than twice as long is used for half of its life, or every request would ask for another."""

_UNKNOWN = 3600.0
"""Seconds after which a token of which nobody knows its end is looked at again."""

_PATIENCE_MS = int(2 * TIMEOUT * 1000) + 5_000


class Kept(msgspec.Struct):
    """What is sealed in a grant."""

    access: str
    refresh: str | None = None

    def __repr__(self) -> str:
        return "Kept(...)"


class Keeper:
    """One grant's access tokens, for one event loop. Whoever finds the token too old takes the
    grant's row, looks again, and only then asks the issuer; the others wait and take what it got.
    """

    def __init__(
        self, database: Database, vault: Vault, settings: Settings, tenant: str, grant_id: str
    ) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._tenant = tenant
        self._grant_id = grant_id
        self._one = asyncio.Lock()
        self._access = ""
        self._until = 0.0

    async def token(self, refused: str | None = None) -> str:
        """An access token; another one than `refused`. Raises NeedsHuman where the owner has to
        consent again, and Retry where the issuer does not answer."""
        async with self._one:
            if not self._access or self._access == refused or time.monotonic() >= self._until:
                self._access, seconds = await asyncio.to_thread(self._current, refused)
                self._until = time.monotonic() + seconds
            return self._access

    def _current(self, refused: str | None) -> tuple[str, float]:
        with self._database.connection() as connection:
            good = self._good(grants.get(connection, self._tenant, self._grant_id), refused)
        return good or self._refreshed(refused)

    def _refreshed(self, refused: str | None) -> tuple[str, float]:
        gone: InvalidGrant | None = None
        try:
            with self._database.transaction() as connection:
                connection.execute(f"SET LOCAL lock_timeout = {_PATIENCE_MS}".encode())
                row = grants.lock(connection, self._tenant, self._grant_id)
                good = self._good(row, refused)
                if good is not None:
                    return good
                assert row is not None, "without a row there is nothing good, and an error"
                try:
                    return self._exchange(connection, row)
                except InvalidGrant as error:
                    # Said once: from now on nobody asks until the owner has consented again.
                    self._revoke(connection, error)
                    gone = error
        except psycopg.errors.LockNotAvailable:
            raise Retry("The account's token is being refreshed elsewhere.", after=5) from None
        assert gone is not None
        raise gone

    def _good(self, row: GrantRow | None, refused: str | None) -> tuple[str, float] | None:
        """The token in the row and for how long to use it; None when it is too old, or refused."""
        if row is None:
            raise NeedsHuman("The connection's account is gone.", hint=_AGAIN, reauth=True)
        if row["revoked_at"] is not None or row["tokens"] is None:
            raise NeedsHuman(
                f"The consent of {row['account']} has ended.", hint=_AGAIN, reauth=True
            )
        kept = self._open(row["tokens"])
        seconds = _useful(row["seconds"], row["lifetime"])
        return None if kept.access == refused or seconds <= 0 else (kept.access, seconds)

    def _exchange(self, connection: Connection, row: GrantRow) -> tuple[str, float]:
        kept = self._open(row["tokens"])
        if kept.refresh is None:
            raise InvalidGrant(
                f"The access of {row['account']} has ended, and cannot be renewed.",
                hint=_AGAIN,
                reauth=True,
            )
        made = endpoint.for_refresh(issuer(row["issuer"], self._settings), kept.refresh)
        # In the database before it is used anywhere: a rotated token must not be lost (rule O2).
        tokens = Kept(made.access, made.refresh or kept.refresh)
        grants.keep(
            connection,
            self._tenant,
            self._grant_id,
            self._seal(tokens),
            seconds=made.seconds,
            scopes=made.scopes,
        )
        return made.access, _useful(made.seconds, made.seconds)

    def _revoke(self, connection: Connection, error: InvalidGrant) -> None:
        grants.revoke(connection, self._tenant, self._grant_id, error.message, error.hint)

    def _open(self, sealed: Any) -> Kept:
        text = self._vault.open(sealed, tenant=self._tenant, connection=self._grant_id)
        return msgspec.json.decode(text, type=Kept)

    def _seal(self, tokens: Kept) -> bytes:
        return seal(self._vault, self._tenant, self._grant_id, tokens)


def _useful(seconds: float | None, lifetime: float | None) -> float:
    """For how many of the seconds that a token is still good it is used."""
    if seconds is None:
        return _UNKNOWN
    return seconds - (EARLY if lifetime is None else min(EARLY, lifetime / 2))


def seal(vault: Vault, tenant: str, grant_id: str, tokens: Kept) -> bytes:
    """Tokens as a grant keeps them: they open in that grant's row and nowhere else."""
    text = msgspec.json.encode(tokens).decode()
    return vault.seal(text, tenant=tenant, connection=grant_id)


_AGAIN = "Connect the account again."
