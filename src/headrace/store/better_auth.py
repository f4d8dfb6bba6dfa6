"""The table in which Better Auth keeps accounts. It is another application's: its rows are read by
the names of columns and updated, and nothing else is done there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from headrace.errors import NeedsHuman
from headrace.settings import Settings
from headrace.store.database import Connection, connect

AccountRow = dict[str, Any]
"""What was read of an account. Tokens are as Better Auth keeps them, and in `one` only."""

# An id may be a text, a number or a uuid there: a parameter takes the type of what it is held to.
_ONE = """
SELECT {accessToken} AS access, {refreshToken} AS refresh, {updatedAt}::timestamptz AS changed,
  extract(epoch FROM {accessTokenExpiresAt}::timestamptz - clock_timestamp())::float8 AS seconds
FROM {table} WHERE {id} = %(id)s
"""

# Better Auth writes without looking, and holds no lock: whatever it wrote since stays (rule O2).
_SWAP = """
UPDATE {table}
SET {accessToken} = %(access)s, {refreshToken} = %(refresh)s, {updatedAt} = clock_timestamp(),
  {accessTokenExpiresAt} = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE {id} = %(id)s AND {refreshToken} IS NOT DISTINCT FROM %(was)s
"""

# Nothing keeps an account from being there twice: the row that was written last is the one.
_LISTING = """
SELECT DISTINCT ON ({userId}, {providerId}, {accountId}) {id}::text AS id, {userId}::text AS user,
  {providerId} AS issuer, {accountId}::text AS account, coalesce({scope}, '') AS scope,
  {updatedAt}::timestamptz AS changed
FROM {table} WHERE {providerId} = ANY(%(issuers)s)
ORDER BY {userId}, {providerId}, {accountId}, {updatedAt} DESC, {id}
"""


class Accounts:
    """The table, by the settings. `connection` is always one of ours: it is used where the table
    stands in the same database, and another one is made where not."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.better_auth_database_url
        self._table = settings.better_auth_table
        columns = {name: Identifier(there) for name, there in settings.better_auth_names.items()}
        self._names = {**columns, "table": Identifier(*self._table.split("."))}

    def one(self, connection: Connection, account_id: str) -> AccountRow | None:
        """An account with its tokens; `seconds` is how long the access token is still good."""
        with self._there(connection) as there:
            return there.execute(self._of(_ONE), {"id": account_id}).fetchone()

    def swap(
        self,
        connection: Connection,
        account_id: str,
        was: str | None,
        *,
        access: str,
        refresh: str | None,
        seconds: float,
    ) -> bool:
        """Write new tokens where the refresh token still is what it `was`; whether it is."""
        values = {"access": access, "refresh": refresh, "seconds": seconds, "was": was}
        with self._there(connection) as there:
            return there.execute(self._of(_SWAP), {**values, "id": account_id}).rowcount == 1

    def listing(self, connection: Connection, issuers: Sequence[str]) -> list[AccountRow]:
        """Every account at these issuers, once, without its tokens."""
        with self._there(connection) as there:
            return there.execute(self._of(_LISTING), {"issuers": list(issuers)}).fetchall()

    def _of(self, text: str) -> Composed:
        return SQL(text).format(**self._names)

    @contextmanager
    def _there(self, connection: Connection) -> Iterator[Connection]:
        try:
            if self._url is None:
                yield connection
                return
            with connect(self._url) as other:
                # Columns may be without a zone, and are in UTC then.
                other.execute("SET TIME ZONE 'UTC'")
                yield other
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            # Its details may quote the row, and the row has tokens.
            raise NeedsHuman(
                f"Better Auth's table {self._table} cannot be used: {error.diag.message_primary}.",
                hint="Check BETTER_AUTH_TABLE and BETTER_AUTH_COLUMNS, and that Headrace's role"
                " may read and update the table.",
            ) from None
