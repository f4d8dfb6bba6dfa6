"""`/api/jobs/graph`: many jobs at once, of which some wait for others; and the picture of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.job_shapes import NewJob, When
from headrace.api.jobs import IdempotencyKey, connection_for, existing, provider_of
from headrace.api.problems import Strict
from headrace.api.shapes import Time
from headrace.engine import graph
from headrace.engine.graph import MOST, Member
from headrace.errors import BadInput
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection

router = APIRouter(prefix="/jobs", tags=["jobs"])

Key = Annotated[str, Field(min_length=1, max_length=255)]


class Keyed(NewJob):
    """One job of a graph."""

    key: Key = Field(description="What the others of the graph call it.")
    after: list[Key] = Field(
        [], max_length=1000, description="Keys of the jobs that it waits for, or ids of others."
    )


class NewGraph(Strict):
    """Jobs to be done, each after those that it names."""

    jobs: list[Keyed] = Field(min_length=1, max_length=MOST)


class MadeGraph(BaseModel):
    """The jobs that were asked for."""

    success: Literal[True] = True
    message: str
    jobs: dict[str, str] = Field(description="The id of each, by its key.")


class Node(BaseModel):
    """One job of a graph."""

    job_id: str
    kind: str
    connection_id: str | None
    connection: str | None = Field(description="Its name.")
    status: str
    waits: bool
    stopped_by: str | None
    last_error: str | None
    created_at: Time
    completed_at: Time | None


class Edge(BaseModel):
    """That the job `target` waits for the job `source`."""

    source: str
    target: str
    when: When


class Picture(BaseModel):
    """A graph of jobs; what comes first stands before what waits for it."""

    nodes: list[Node]
    edges: list[Edge]
    truncated: bool = Field(description=f"Whether there are more than the {MOST:,} nearest.")


@router.post("/graph", status_code=202)
def create_graph(
    visitor: Visitor, wanted: NewGraph, idempotency_key: IdempotencyKey = None
) -> MadeGraph:
    """Put a whole graph of jobs on the queue, or nothing of it. Its jobs are always new: one whose
    connection has another under way waits for its turn."""
    with visitor.session() as session:
        members = _members(session, wanted)
        ids, new = graph.submit(
            session, visitor.caller.tenant, members, idempotency_key=idempotency_key
        )
    message = f"{len(ids)} jobs created" if new else "These jobs had been created before"
    return MadeGraph(message=message, jobs=ids)


@router.get("/{job_id}/graph")
def get_graph(visitor: Visitor, job_id: str) -> Picture:
    """All jobs that hang together with this one, as nodes and edges."""
    with visitor.session() as session:
        existing(session, job_id)
        return Picture.model_validate(graph.picture(session, job_id))


def _members(session: Connection, wanted: NewGraph) -> list[Member]:
    """The jobs as the engine takes them. Raises what is wrong with one of them, by its key."""
    known: dict[tuple[str, str | None], ConnectionRow] = {}
    members = []
    for one in wanted.jobs:
        try:
            provider = provider_of(one.kind)
            named = (provider.kind, one.connection)
            if named not in known:
                known[named] = connection_for(session, provider, one.connection)
        except BadInput as error:
            raise BadInput(f"Job {one.key!r}: {error.message}", hint=error.hint) from None
        connection = known[named]
        members.append(
            Member(
                key=one.key,
                user=connection["user_id"],
                kind=provider.kind,
                connection_id=connection["connection_id"],
                payload=one.payload,
                priority=one.priority,
                deadline_seconds=one.deadline_seconds,
                after=list(dict.fromkeys(one.after)),
                regardless=one.when == "ended",
            )
        )
    return members
