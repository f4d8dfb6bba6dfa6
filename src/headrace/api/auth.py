"""Who calls: a key in X-API-Key or as a bearer token. Only /health and /ready open without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from headrace.api.problems import Unauthorized
from headrace.settings import Settings
from headrace.store import keys
from headrace.store.database import Connection, Database
from headrace.store.keys import Caller

_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="A key such as `hr_...`.")
_bearer = HTTPBearer(auto_error=False, description="The same key as a bearer token.")

# Times are told in UTC; and no question of one caller may keep the others waiting for long.
_MANNERS = "SELECT set_config('TimeZone', 'UTC', true), set_config('statement_timeout', '5s', true)"


class Visit(msgspec.Struct):
    """A caller who was let in, the database they came for, and how the service is set up."""

    caller: Caller
    database: Database
    settings: Settings

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """One transaction that sees the caller's rows and no others."""
        with self.database.people(self.caller.tenant, self.caller.key_user) as connection:
            connection.execute(_MANNERS)
            yield connection

    @contextmanager
    def acting_for(self, tenant: str) -> Iterator[Connection]:
        """One transaction that sees another tenant's rows. Who may have it, the route knows."""
        with self.database.people(tenant, None) as connection:
            connection.execute(_MANNERS)
            yield connection


def visit(
    request: Request,
    header: Annotated[str | None, Security(_header)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
) -> Visit:
    """Let the caller in. Raises Unauthorized without a key that is known."""
    key = header or (bearer.credentials if bearer else None)
    if not key:
        raise Unauthorized(
            "This needs an API key.", hint="Send one as X-API-Key or as a bearer token."
        )
    database: Database = request.app.state.database
    with database.connection() as connection:
        caller = keys.accept(connection, key)
    if caller is None:
        raise Unauthorized(
            "This API key opens nothing.", hint="It may be mistyped, or have been revoked."
        )
    return Visit(caller, database, request.app.state.settings)


Visitor = Annotated[Visit, Depends(visit)]
