"""An application whose users sign in with Google through Better Auth, as its table shows it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psycopg.sql import SQL, Identifier
from tests.accounts import VAULT, at_google

from headrace.engine.discover import Discovered, discover
from headrace.oauth.better_secrets import PLAIN, Form, Secrets
from headrace.oauth.keeper import Keeper
from headrace.settings import Settings
from headrace.store.database import Database
from headrace.twin.google import Google

HERE = Path(__file__).parent
GMAIL = "https://www.googleapis.com/auth/gmail.readonly"
CALENDAR = "https://www.googleapis.com/auth/calendar.readonly"
SECRET = "the-secret-of-an-application-0123456789"

_SIGN_IN = """
INSERT INTO account ("id", "accountId", "providerId", "userId", "accessToken", "refreshToken",
  "accessTokenExpiresAt", "scope", "updatedAt")
VALUES (%(id)s, %(account)s, %(issuer)s, %(user)s, %(access)s, %(refresh)s,
  now() + make_interval(secs => %(seconds)s), %(scope)s, clock_timestamp())
"""

_AGAIN = """
UPDATE account SET "accessToken" = %(access)s, "refreshToken" = %(refresh)s, "scope" = %(scope)s,
  "accessTokenExpiresAt" = now() + make_interval(secs => %(seconds)s),
  "updatedAt" = clock_timestamp()
WHERE "id" = %(id)s
"""


class Application:
    """`google` is the twin at `url`; the table stands in `database` and is Headrace's to share."""

    def __init__(self, database: Database, google: Google, url: str, **settings: Any) -> None:
        self.database = database
        self.google = google
        self.url = url
        self.settings: Settings = at_google(url, headrace_better_auth=True, **settings)
        self._forms: dict[str, Form] = {}

    def migrate(self, *files: str) -> None:
        """Make the table."""
        for file in files:
            self.run((HERE / file).read_text("utf-8"))

    def run(self, text: str, **values: Any) -> list[dict[str, Any]]:
        """What a statement of the application's answers."""
        with self.database.connection() as connection:
            done = connection.execute(text.encode(), values or None)
            return done.fetchall() if done.description else []

    def sign_in(
        self,
        user: str = "ann",
        *,
        scopes: Sequence[str] = (GMAIL,),
        form: Form = PLAIN,
        seconds: float = 3600,
        row: str = "",
        offline: bool = True,
    ) -> dict[str, Any]:
        """A user comes back from Google: their account's row, with new tokens, as it then is."""
        self.run(
            'INSERT INTO "user" ("id", "name", "email", "emailVerified")'
            " VALUES (%(id)s, %(id)s, %(id)s, true) ON CONFLICT DO NOTHING",
            id=user,
        )
        given = self.google.grant("", scopes, offline=offline)
        seals = Secrets(self.settings)
        known = bool(row) and bool(self.run("SELECT id FROM account WHERE id = %(id)s", id=row))
        values = {
            "id": row or f"row-{user}-{os.urandom(4).hex()}",
            "account": f"10{user}",
            "issuer": "google",
            "user": user,
            "access": seals.seal(str(given["access_token"]), form),
            "refresh": seals.seal(str(given["refresh_token"]), form) if offline else None,
            "seconds": seconds,
            "scope": ",".join(["openid", *scopes]),
        }
        self.run(_AGAIN if known else _SIGN_IN, **values)
        return self.row(str(values["id"]))

    def row(self, row_id: str) -> dict[str, Any]:
        """An account's row."""
        [row] = self.run("SELECT * FROM account WHERE id = %(id)s", id=row_id)
        return row

    def opened(self, row_id: str) -> tuple[str, str]:
        """The access and refresh token of a row."""
        seals, row = Secrets(self.settings), self.row(row_id)
        return seals.open(row["accessToken"])[0], seals.open(row["refreshToken"])[0]

    def forms(self, row_id: str) -> tuple[Form, Form]:
        """How the access and refresh token of a row are kept."""
        seals, row = Secrets(self.settings), self.row(row_id)
        return seals.open(row["accessToken"])[1], seals.open(row["refreshToken"])[1]

    def expire(self, row_id: str) -> None:
        """The access token is over, and nobody has written that down as a change."""
        self.run(
            "UPDATE account SET \"accessTokenExpiresAt\" = now() - interval '1 minute'"
            " WHERE id = %(id)s",
            id=row_id,
        )

    def discover(self, **more: Any) -> Discovered:
        """What one look at the table brings."""
        return discover(self.database, self.settings.model_copy(update=more))

    def connections(self) -> list[dict[str, Any]]:
        """Headrace's connections, by name."""
        return self.run(
            "SELECT c.*, s.every_seconds FROM headrace.connections c LEFT JOIN headrace.schedules s"
            " USING (tenant_id, connection_id) ORDER BY c.name"
        )

    def keeper(self, row_id: str) -> Keeper:
        """The keeper of the tokens of an account that was discovered."""
        [grant] = self.run(
            "SELECT tenant_id, grant_id FROM headrace.grants WHERE external_id = %(id)s", id=row_id
        )
        return Keeper(self.database, VAULT, self.settings, grant["tenant_id"], grant["grant_id"])

    def everything(self) -> str:
        """All that stands in the tables of Headrace and of its engine, as text."""
        texts = []
        with self.database.connection() as connection:
            tables = connection.execute(
                "SELECT schemaname, tablename FROM pg_tables"
                " WHERE schemaname IN ('headrace', 'dbos')"
            ).fetchall()
            for table in tables:
                named = Identifier(table["schemaname"], table["tablename"])
                rows = connection.execute(SQL("SELECT t::text AS row FROM {} t").format(named))
                texts += [row["row"] for row in rows]
        return "\n".join(texts)
