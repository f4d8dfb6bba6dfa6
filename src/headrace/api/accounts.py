"""`/api/{gmail,calendar,github}/sync` and `/api/sync/approve/...`: accounts, synced and approved.

Every answer comes at once: what is asked for is a job (A3.24, A3.52).
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.job_shapes import Job
from headrace.api.problems import Strict
from headrace.engine.intake import submit_sync
from headrace.engine.preview import preview
from headrace.errors import BadInput, NotFound
from headrace.store import connections, listings
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection, as_owner
from headrace.store.visit import Visit

router = APIRouter(tags=["accounts"])

Account = Literal["gmail", "calendar", "github"]
_PROVIDERS = {"gmail": "gmail", "calendar": "google_calendar", "github": "github"}


class Which(Strict):
    """Which connection, by its id or name. Without one: all of the provider."""

    connection: str | None = Field(None, max_length=4096)


class Synced(BaseModel):
    """The jobs that were made, or that are under way already."""

    success: Literal[True] = True
    message: str
    jobs: list[Job]


class Approve(Which):
    """`preview`: only say what the first sync would take."""

    preview: bool = False


class Preview(BaseModel):
    """What a first sync would take, before anything is fetched."""

    connection_id: str
    account: str | None
    records: int
    units: int = Field(description="Of the provider's own quota.")
    minutes: float


class Approved(BaseModel):
    """A preview for each connection; after an approval the jobs as well."""

    success: Literal[True] = True
    message: str
    previews: list[Preview] = []
    jobs: list[Job] = []


@router.post("/{account}/sync", status_code=202)
def sync_accounts(
    visitor: Visitor, account: Account, which: Annotated[Which | None, Body()] = None
) -> Synced:
    """Sync the accounts of a provider now."""
    with visitor.session() as session:
        rows = _named(session, account, which.connection if which else None)
        jobs = [Job.model_validate(submit_sync(session, row)) for row in rows]
    return Synced(message="Job created" if len(jobs) == 1 else "Jobs created", jobs=jobs)


@router.post("/sync/approve/{account}", status_code=202)
def approve_sync(
    visitor: Visitor, account: Account, wanted: Annotated[Approve | None, Body()] = None
) -> Approved:
    """Approve the first sync of connections that wait for it (A3.18), or preview it."""
    wanted = wanted or Approve()
    with visitor.session() as session:
        rows = _named(session, account, wanted.connection)
    if wanted.preview:
        return Approved(message="Preview", previews=[_preview(visitor, row) for row in rows])
    with visitor.session() as session:
        for row in rows:
            if row["health"] == "paused":
                with as_owner(session):
                    connections.resume(session, row["connection_id"])
        jobs = [Job.model_validate(submit_sync(session, row)) for row in rows]
    return Approved(message="Job created" if len(jobs) == 1 else "Jobs created", jobs=jobs)


def _preview(visitor: Visit, row: ConnectionRow) -> Preview:
    taken = preview(visitor.database, visitor.settings, row)
    return Preview(
        connection_id=row["connection_id"],
        account=row["account"],
        records=taken.records,
        units=taken.units,
        minutes=taken.minutes,
    )


def _named(session: Connection, account: Account, named: str | None) -> list[ConnectionRow]:
    """Raises NotFound for a connection that is not there, BadInput for one of another provider."""
    provider = _PROVIDERS[account]
    rows = listings.connections_named(session, named, provider)
    if not rows:
        raise NotFound(
            f"There is no connection {named!r}." if named else f"There is no {account} yet.",
            hint="GET /api/connections lists them; POST /api/connections/connect makes one.",
        )
    fitting = [row for row in rows if row["provider"] == provider]
    if not fitting:
        raise BadInput(
            f"{named!r} is a connection of {rows[0]['provider']}.",
            hint=f"Sync it by POST /api/jobs with the kind of {rows[0]['provider']}.",
        )
    return fitting
