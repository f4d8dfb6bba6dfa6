"""Every error of the API, as application/problem+json (RFC 9457) with a hint: the one place where
an exception becomes a status code."""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from headrace import dashboard, telemetry
from headrace.engine.graph import KeyUsed, UnknownJob
from headrace.errors import (
    BadInput,
    Conflict,
    Expired,
    HeadraceError,
    NeedsHuman,
    NotFound,
    Refused,
    Retry,
    Skip,
    Unauthorized,
    Unavailable,
)
from headrace.store.uploads import NoRoom
from headrace.text import did_you_mean

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2
SEND_LESS = "Send less at once; a large file can be split."


# The most particular class first: 409 for what has to change before the same request can work.
_STATUS: tuple[tuple[type[HeadraceError], int], ...] = (
    (NotFound, 404),
    (UnknownJob, 404),
    (Unauthorized, 401),
    (Refused, 403),
    # Not 507: programs and proxies ask again where the trouble is the server's.
    (NoRoom, 413),
    (Conflict, 409),
    (KeyUsed, 409),
    (NeedsHuman, 409),
    (Expired, 409),
    (BadInput, 422),
    (Skip, 422),
    (Unavailable, 503),
    (Retry, 503),
)


def too_large(most: int) -> str:
    """What is said of a body of more than `most` bytes."""
    return f"The body is larger than {most:,} bytes."


class FieldError(BaseModel):
    """One field that cannot be used as given."""

    field: str = Field(description="Where it is, such as `body.priority` or `query.limit`.")
    message: str
    hint: str | None = None


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="Names the kind of problem for programs.")
    title: str
    status: int
    detail: str = Field(description="What happened, in one sentence.")
    hint: str = Field(description="What to do about it; may be empty.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Also in the header X-Request-ID and in the logs.")
    errors: list[FieldError] | None = None


class Strict(BaseModel):
    """What callers send: a field that nobody knows is a mistake, not something to leave out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def problem(
    scope: Mapping[str, Any],
    status: int,
    detail: str,
    hint: str = "",
    *,
    kind: str | None = None,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a request that failed; to a browser that wants a page, one that says so.
    `scope` is the ASGI scope of the request."""
    if dashboard.wants_page(scope):
        return dashboard.failed(scope, status, detail, hint, headers or {})
    title = HTTPStatus(status).phrase
    body = Problem(
        type=f"urn:headrace:{kind or title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=detail,
        hint=hint,
        instance=scope.get("path", ""),
        request_id=scope.get("state", {}).get("request_id", ""),
        errors=errors,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Answer with problems wherever a handler raises."""
    app.add_exception_handler(HeadraceError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(psycopg.OperationalError, _database_away)
    app.add_exception_handler(psycopg.DataError, _no_value)
    app.add_exception_handler(psycopg.errors.ProgramLimitExceeded, _no_value)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, HeadraceError)
    status = next((code for cls, code in _STATUS if isinstance(error, cls)), 500)
    if isinstance(error, Unavailable):
        return _database_away(request, error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Retry):
        headers["Retry-After"] = str(math.ceil(error.after or RETRY_SECONDS))
    if status == 500:
        telemetry.bug(dashboard.logged(request.url.path), error)
    return problem(request.scope, status, error.message, error.hint, headers=headers)


def _database_away(request: Request, error: Exception) -> Response:
    # Its own words may name hosts and accounts: they are for the log.
    telemetry.away(dashboard.logged(request.url.path), error)
    detail = "PostgreSQL does not answer."
    if isinstance(error, psycopg.errors.QueryCanceled):
        detail = "PostgreSQL took too long to answer."
    return problem(
        request.scope,
        503,
        detail,
        "Try again in a moment; nothing that was committed is lost.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _no_value(request: Request, error: Exception) -> Response:
    telemetry.bug(dashboard.logged(request.url.path), error)
    return problem(
        request.scope,
        422,
        "The request holds a value that PostgreSQL has no room for.",
        "NUL characters, half surrogates, NaN, numbers beyond 64 bits and names of some thousand"
        " bytes are such.",
    )


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    detail, hint = str(error.detail), ""
    match error.status_code:
        case 303:
            detail = "Sign in first."
        case 404:
            detail = f"There is nothing at {request.url.path}."
            hint = "GET /openapi.json lists every route."
            if dashboard.wants_page(request.scope):
                hint = "The first page leads to all there are."
        case 405:
            headers["Allow"] = ", ".join(_methods(request))
            detail = f"{request.method} is not for {request.url.path}."
            hint = f"Allowed here: {headers['Allow']}."
        case 413:
            hint = SEND_LESS
    return problem(request.scope, error.status_code, detail, hint, headers=headers)


def _methods(request: Request) -> list[str]:
    """The methods of a path; the router itself knows only those of one of its routes."""
    described = [
        method.upper()
        for path, methods in request.app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", ".*", path), request.url.path)
        for method in methods
    ]
    return described or dashboard.methods(request.url.path)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_field_error(one, request) for one in error.errors()]
    first = errors[0]
    return problem(
        request.scope,
        422,
        f"{first.field}: {first.message}",
        first.hint or "",
        kind="invalid-request",
        errors=errors,
    )


def _field_error(one: Mapping[str, Any], request: Request) -> FieldError:
    place = [str(part) for part in one["loc"]]
    if one["type"] == "json_invalid":
        return FieldError(field="body", message="It is not JSON.", hint="Check its commas, quotes.")
    if one["type"] != "extra_forbidden":
        return FieldError(field=".".join(place), message=f"{one['msg']}.")
    hint = did_you_mean(place[-1], _known_fields(request, place[1:-1]))
    return FieldError(field=".".join(place), message="There is no such field.", hint=hint)


def _known_fields(request: Request, place: list[str]) -> list[str]:
    """The fields of what the route takes at this place, for suggesting one."""
    endpoint = request.scope.get("endpoint")
    models = _models(typing.get_type_hints(endpoint).values() if endpoint else ())
    for name in place:
        # A number, which says where in a list, is no field and leads no further.
        if inside := [one.model_fields[name] for one in models if name in one.model_fields]:
            models = _models(one.annotation for one in inside)
    return list(dict.fromkeys(name for one in models for name in one.model_fields))


def _models(types: Iterable[Any]) -> list[type[Strict]]:
    """The models among these types, and among what they are made of."""
    found, open_ = [], list(types)
    while open_:
        one = open_.pop()
        open_ += typing.get_args(one)
        if isinstance(one, type) and issubclass(one, Strict):
            found.append(one)
    return found
