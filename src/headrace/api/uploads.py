"""`/ingestion/uploads`: files of a program that shares neither a folder nor a bucket with us. A job
names them as its input."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import ClientDisconnect

from headrace.api.acting import session_for, tenant_for
from headrace.api.arriving import Arrived, arriving
from headrace.api.auth import Visitor
from headrace.api.problems import MEDIA_TYPE, Strict
from headrace.api.shapes import Cursor, Limit, Moment, Page
from headrace.errors import BadInput, NotFound
from headrace.files.uploads import LONGEST_NAME, SCHEME, Upload, check_name
from headrace.store import uploads
from headrace.store.cursor import cursor, place
from headrace.store.visit import Visit
from headrace.text import one_line

router = APIRouter(prefix="/ingestion/uploads", tags=["ingestion"])

WRITERS = 2
"""Uploads that are written at one time: PostgreSQL has each of them in memory whole."""

Tenant = Annotated[
    str | None,
    Query(min_length=1, max_length=255, description="Whose; unset: the key's own tenant."),
]

_ANY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Uploaded(BaseModel):
    """An upload."""

    name: str
    input: str = Field(description="What a job's `input` names it by.")
    size: int = Field(description="In bytes.")
    sha256: str
    uploaded_at: Moment


class Listing(Strict):
    """Which uploads."""

    prefix: str = Field("", max_length=LONGEST_NAME, description="What their names begin with.")
    tenant_id: str | None = Field(None, min_length=1, max_length=255, description="Whose.")
    limit: Limit = 50
    cursor: Cursor = None


class _Anything(PathConvertor):
    """The rest of a path, line breaks in it as well."""

    regex = r"[\s\S]*"


register_url_convertor("anything", _Anything())


@router.put(
    "/{name:anything}",
    status_code=201,
    openapi_extra=_ANY_BODY,
    responses={
        200: {"model": Uploaded, "description": "It replaces one of that name."},
        413: {"content": {MEDIA_TYPE: {}}, "description": "Larger than 256 MiB, or no room."},
    },
)
async def put_upload(
    visitor: Visitor, name: str, request: Request, response: Response, tenant_id: Tenant = None
) -> Uploaded:
    """Send a file: the body is its bytes, of whatever type. One of that name is replaced."""
    _check_encoding(request)
    check_name(name)
    tenant_for(visitor, tenant_id)  # before the bytes
    writers: asyncio.Semaphore = request.app.state.upload_writers
    try:
        async with arriving(request) as arrived, writers:
            made, new = await run_in_threadpool(_write, visitor, tenant_id, name, arrived)
    except ClientDisconnect:
        raise BadInput("The upload broke off.", hint="Send it again.") from None
    if not new:
        response.status_code = 200
    return _shown(made)


def _write(visitor: Visit, tenant: str | None, name: str, arrived: Arrived) -> tuple[Upload, bool]:
    with session_for(visitor, tenant) as (session, meant):
        user = visitor.caller.user
        quota = visitor.settings.headrace_upload_quota
        return uploads.put(session, meant, user, name, arrived.content, arrived.sha256, quota=quota)


@router.get("")
def list_uploads(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Uploaded]:
    """The caller's uploads, by name."""
    after = place(asked.cursor, tuple[str])
    with session_for(visitor, asked.tenant_id) as (session, tenant):
        found = uploads.listing(
            session,
            tenant,
            visitor.caller.user,
            prefix=asked.prefix,
            after=after[0] if after else "",
            limit=asked.limit + 1,
        )
    items = found[: asked.limit]
    more = cursor(items[-1].name) if len(found) > asked.limit else None
    return Page(items=[_shown(one) for one in items], next=more)


@router.delete("/{name:anything}", status_code=204)
def delete_upload(visitor: Visitor, name: str, tenant_id: Tenant = None) -> None:
    """Delete an upload. What was made of it goes with the next job that names it."""
    with session_for(visitor, tenant_id) as (session, tenant):
        found = uploads.delete(session, tenant, visitor.caller.user, name)
    if not found:
        raise NotFound(
            f"There is no upload {one_line(name)}.", hint="GET /ingestion/uploads lists them."
        )


def _shown(one: Upload) -> Uploaded:
    return Uploaded(
        name=one.name,
        input=f"{SCHEME}{one.name}",
        size=one.size,
        sha256=one.sha256,
        uploaded_at=one.uploaded_at,
    )


def _check_encoding(request: Request) -> None:
    """The path that the framework hands on has U+FFFD for what is not UTF-8."""
    try:
        unquote_to_bytes(request.scope["raw_path"]).decode()
    except UnicodeDecodeError:
        raise BadInput(
            "The name of an upload is valid UTF-8.", hint="Quote it in the URL as UTF-8."
        ) from None
