"""Insights as they are kept, what is wanted of them, and what language models have cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from psycopg.sql import SQL, Composed
from psycopg.types.json import Json, Jsonb

from headrace.insight import Quote, Told
from headrace.store.database import Connection
from headrace.store.sql import query


class Input(msgspec.Struct, frozen=True):
    """What an insight is made of, and whose it is: the same is not put to the same model twice."""

    tenant: str
    user: str
    kind: str
    subject: str
    input_hash: bytes
    prompt_hash: str


def known(connection: Connection, given: Input, model: str) -> bool:
    """Whether this model was asked about this before, and whatever came of it is kept."""
    values = {**msgspec.structs.asdict(given), "model": model}
    return connection.execute(query("insights", "known"), values).fetchone() is not None


def add(
    connection: Connection,
    given: Input,
    told: Told,
    sources: Sequence[Quote],
    *,
    made_by: str,
    job_id: str,
    asked: str | None = None,
    note: str | None = None,
) -> bool:
    """Keep an insight; False where the same is there already."""
    values = {
        **msgspec.structs.asdict(given),
        "title": told.title,
        "summary": told.summary,
        "confidence": told.confidence,
        "priority": told.priority,
        "actions": Json(told.actions),
        "sources": Jsonb(msgspec.to_builtins(sources)),
        "made_by": made_by,
        "asked": asked,
        "note": note,
        "job_id": job_id,
    }
    return connection.execute(query("insights", "add"), values).rowcount == 1


def spend(connection: Connection, tenant: str, user: str, tokens: int, budget: int) -> date | None:
    """Promise tokens of the tenant's budget of today to a request; the day, or None where they
    would be too many. One statement, so that no two workers are promised the same."""
    values = {"tenant": tenant, "user": user, "tokens": tokens, "budget": budget}
    row = connection.execute(query("insights", "spend"), values).fetchone()
    return None if row is None else row["day"]


def correct(connection: Connection, tenant: str, day: date, more: int) -> None:
    """The request took so many tokens more than it was promised, or fewer."""
    values = {"tenant": tenant, "day": day, "more": more}
    connection.execute(query("insights", "correct"), values)


def listing(
    connection: Connection,
    *,
    kind: str | None = None,
    subject: str | None = None,
    priorities: list[str] | None = None,
    since: datetime | None = None,
    job_id: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """The newest insights that this connection may see, before a number if given."""
    values = {
        "kind": kind,
        "subject": subject,
        "priorities": priorities,
        "since": since,
        "job_id": job_id,
        "before": before,
        "limit": limit,
    }
    return connection.execute(_text("listing"), values).fetchall()


def one(connection: Connection, insight_id: int) -> dict[str, Any] | None:
    """One insight, if this connection may see it."""
    return connection.execute(_text("one"), {"insight_id": insight_id}).fetchone()


def _text(name: str) -> Composed:
    return SQL(query("insights", name).removesuffix(";")).format(
        columns=SQL(query("insights", "columns"))
    )
