"""The access token of this moment, refreshed once for all processes (rules O1 to O6)."""

from __future__ import annotations

import asyncio
import time

import psycopg

from headrace.errors import NeedsHuman, Retry
from headrace.oauth import endpoint
from headrace.oauth.better_auth import BetterAuth
from headrace.oauth.endpoint import TIMEOUT, InvalidGrant
from headrace.oauth.held import Held, Place
from headrace.oauth.issuers import issuer
from headrace.oauth.sealed import Sealed
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
_ELSEWHERE = "The account's token is being refreshed elsewhere."


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
            row = self._living(grants.get(connection, self._tenant, self._grant_id))
            good = _good(self._place(row).read(connection, row), refused)
        return good or self._refreshed(refused)

    def _refreshed(self, refused: str | None) -> tuple[str, float]:
        try:
            with self._database.transaction() as connection:
                connection.execute(f"SET LOCAL lock_timeout = {_PATIENCE_MS}".encode())
                row = self._living(grants.lock(connection, self._tenant, self._grant_id))
                place = self._place(row)
                held = place.read(connection, row)
                good = _good(held, refused)
                if good is not None:
                    return good
                try:
                    now = self._exchange(connection, place, row, held)
                except InvalidGrant as error:
                    # Said once: from now on nobody asks until the owner has consented again.
                    self._revoke(connection, held, error)
                    gone = error
                else:
                    good = _good(now, refused)
                    if good is None:
                        raise Retry(_ELSEWHERE, after=5)
                    return good
        except psycopg.errors.LockNotAvailable:
            raise Retry(_ELSEWHERE, after=5) from None
        raise gone

    def _living(self, row: GrantRow | None) -> GrantRow:
        if row is None:
            raise NeedsHuman(
                "The connection's account is gone.", hint="Connect the account again.", reauth=True
            )
        if row["revoked_at"] is not None:
            raise NeedsHuman(
                f"The consent of {row['account']} has ended.",
                hint=self._place(row).again,
                reauth=True,
            )
        return row

    def _place(self, row: GrantRow) -> Place:
        """Where the grant's tokens are."""
        if row["tokens"] is None and row["external_id"] is not None:
            return BetterAuth(self._settings)
        return Sealed(self._vault)

    def _exchange(self, connection: Connection, place: Place, row: GrantRow, held: Held) -> Held:
        """What the place holds after the issuer was asked for new tokens."""
        if held.refresh is None:
            raise InvalidGrant(
                f"The access of {row['account']} has ended, and cannot be renewed.",
                hint=place.renewable,
                reauth=True,
            )
        try:
            made = endpoint.for_refresh(issuer(row["issuer"], self._settings), held.refresh)
        except InvalidGrant:
            # Somebody else may have spent the token a moment ago (rule O3).
            newer = place.newer(connection, row, held)
            if newer is None:
                raise
            return newer
        # In the database before it is used anywhere: a rotated token must not be lost (rule O2).
        return place.write(connection, row, held, made)

    def _revoke(self, connection: Connection, held: Held, error: InvalidGrant) -> None:
        grants.revoke(
            connection,
            self._tenant,
            self._grant_id,
            error.message,
            error.hint,
            changed=held.changed,
        )


def _good(held: Held, refused: str | None) -> tuple[str, float] | None:
    """The access token and for how long to use it; None when it is too old, or refused."""
    seconds = _useful(held.seconds, held.lifetime)
    if not held.access or held.access == refused or seconds <= 0:
        return None
    return held.access, seconds


def _useful(seconds: float | None, lifetime: float | None) -> float:
    """For how many of the seconds that a token is still good it is used."""
    if seconds is None:
        return _UNKNOWN
    return seconds - (EARLY if lifetime is None else min(EARLY, lifetime / 2))
