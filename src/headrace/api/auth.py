"""Who calls: a key in X-API-Key or as a bearer token. Only /health and /ready open without one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from headrace.errors import Unauthorized
from headrace.logs.about import also
from headrace.store import keys
from headrace.store.database import Database
from headrace.store.visit import Visit

header_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="A key such as `hr_...`.")
bearer_key = HTTPBearer(auto_error=False, description="The same key as a bearer token.")


def visit(
    request: Request,
    header: Annotated[str | None, Security(header_key)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(bearer_key)] = None,
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
    also(tenantId=caller.tenant, userId=caller.user)
    return Visit(caller, database, request.app.state.settings)


def still(request: Request) -> Visit:
    """The same caller some time later. Raises Unauthorized once the key has been revoked."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = HTTPAuthorizationCredentials(scheme=scheme, credentials=token) if token else None
    return visit(request, request.headers.get("X-API-Key"), bearer)


Visitor = Annotated[Visit, Depends(visit)]
