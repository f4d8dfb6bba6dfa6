"""`/api/why`: what a row was made of, by what and when; and what was made of a raw event."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.errors import NotFound
from headrace.out import why as out

router = APIRouter(prefix="/why", tags=["why"])


class Record(BaseModel):
    """A record: its versions, newest first, their batches and jobs, stage runs and refusals."""

    stream_id: int
    source_id: str
    source: dict[str, Any]
    versions: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    stage_runs: list[dict[str, Any]]
    dead_letters: list[dict[str, Any]]
    removed: list[str] = Field([], description="What of it retention has removed, in words.")


class Why(BaseModel):
    """What is known of a row."""

    kind: str
    row: dict[str, Any]
    stages: list[str] = Field(description="The stages that lead to it, in their order.")
    records: list[Record] = Field(description="What it was made of.")
    identities: list[dict[str, Any]]
    links: list[dict[str, Any]]
    interactions: list[dict[str, Any]]
    made: dict[str, list[dict[str, Any]]] = Field(
        description="Of a raw event: what was made of it."
    )


@router.get("/{kind}/{name:path}")
def get_why(visitor: Visitor, kind: str, name: str) -> Why:
    """Why a row is there: `interaction`, `calendar_event`, `event`, `timeline`, `document` and
    `raw` by stream and id, `contact` and `identity` by their id, `chunk` by stream, hash and
    position."""
    with visitor.session() as session:
        found = out.why(session, kind, name)
    if found is None:
        raise NotFound(
            f"There is no {kind} {name}.", hint="Listings and searches tell stream and id."
        )
    return Why.model_validate(msgspec.structs.asdict(found), from_attributes=True)
