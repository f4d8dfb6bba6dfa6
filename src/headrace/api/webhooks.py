"""`/api/webhooks`: who is told of what happens, and what came of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.problems import Strict
from headrace.api.shapes import Cursor, Limit, Page, Time
from headrace.errors import NotFound
from headrace.store import deliveries
from headrace.store import webhooks as store
from headrace.store.cursor import cut, place
from headrace.store.database import Connection
from headrace.store.outbox import EVENTS
from headrace.store.webhooks import WebhookRow
from headrace.vault import Vault

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

State = Literal["pending", "delivered", "failed"]
_Events = Annotated[
    list[str], Field(max_length=20, description=f"Of what: {', '.join(EVENTS)}. None: of all.")
]
_Name = Annotated[str | None, Field(max_length=255)]


class NewWebhook(Strict):
    """An endpoint that is to be told of events."""

    url: str = Field(max_length=2000, description="Where to: https, at a public address.")
    events: _Events = []
    name: _Name = None


class WebhookChanges(Strict):
    """What is to be different. What is left out stays."""

    events: _Events = []
    name: _Name = None
    paused: bool = False


class Webhook(BaseModel):
    """An endpoint that is told of events."""

    webhook_id: str
    url: str
    name: str | None
    events: list[str]
    paused: bool = Field(description="It is told nothing of what happens meanwhile.")
    reason: str | None = Field(description="Why it is paused.")
    failures: int = Field(
        description="Attempts since one got through, of an endpoint that is away."
    )
    quiet_until: Time | None = Field(description="It is away, and is tried again then.")
    pending: int = Field(description="Messages that wait; 1,000: that many or more.")
    failed: int = Field(description="Messages that were given up; 1,000: that many or more.")
    last_at: Time | None = Field(description="When the newest message that was taken was.")
    created_at: Time


class NewSecret(Webhook):
    """An endpoint with its new secret."""

    secret: str = Field(description="What its messages are signed with. It is told this once.")


class Attempt(BaseModel):
    """One attempt. Without a status nobody answered."""

    at: Time
    status: int | None
    answer: str
    ms: int


class Delivery(BaseModel):
    """One message to one endpoint."""

    delivery_id: int
    webhook_id: str
    message_id: str = Field(description="What the endpoint knows it by, however often it is sent.")
    event: str
    subject: str = Field(description="What it is about; of one subject the order is kept.")
    state: State
    attempts: int = Field(description="Since it was last asked for.")
    status: int | None = Field(description="The last answer's; null: none, or nobody answered.")
    answer: str | None = Field(description="The beginning of the last answer, or what went wrong.")
    took_ms: int | None
    created_at: Time
    tried_at: Time | None
    delivered_at: Time | None
    next_at: Time | None = Field(description="Of one that waits: when it is tried again.")
    data: dict[str, Any]
    history: list[Attempt] = Field(description="The first attempt, and the last nineteen.")


class Log(Strict):
    """Which deliveries."""

    state: State | None = None
    limit: Limit = 50
    cursor: Cursor = None


class Listing(Strict):
    """Which endpoints."""

    limit: Limit = 50
    cursor: Cursor = None


class Redelivered(BaseModel):
    """How many messages are sent again."""

    redelivered: int


@router.post("", status_code=201)
def create_webhook(visitor: Visitor, wanted: NewWebhook) -> NewSecret:
    """Have an endpoint told of events, from now on. Keep the secret: nobody can read it again."""
    caller = visitor.caller
    vault = Vault.from_settings(visitor.settings)
    with visitor.session() as session:
        row, secret = store.add(
            session,
            vault,
            visitor.settings,
            tenant=caller.tenant,
            user=caller.key_user or caller.user,
            key_user=caller.key_user,
            **wanted.model_dump(),
        )
    return NewSecret.model_validate({**row, "secret": secret})


@router.get("")
def list_webhooks(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Webhook]:
    """Every endpoint, the oldest first."""
    after = place(asked.cursor, store.Place)
    with visitor.session() as session:
        rows = store.listing(session, after=after, limit=asked.limit + 1)
    shown, after_these = cut(rows, asked.limit, *store.Place._fields)
    return Page(items=[Webhook.model_validate(row) for row in shown], next=after_these)


@router.get("/{webhook_id}")
def get_webhook(visitor: Visitor, webhook_id: str) -> Webhook:
    """One endpoint."""
    with visitor.session() as session:
        return Webhook.model_validate(_row(session, webhook_id))


@router.patch("/{webhook_id}")
def change_webhook(
    visitor: Visitor, webhook_id: str, changes: WebhookChanges | None = None
) -> Webhook:
    """Pause or resume an endpoint, or say what it is told of."""
    wanted = (changes or WebhookChanges()).model_dump(exclude_unset=True)
    with visitor.session() as session:
        row = _row(session, webhook_id)
        now = {name: row[name] for name in ("name", "events", "paused")} | wanted
        store.change(session, webhook_id, **{**now, "events": now["events"] or list(EVENTS)})
        return Webhook.model_validate(_row(session, webhook_id))


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(visitor: Visitor, webhook_id: str) -> None:
    """Tell it nothing any more, and forget what it was told."""
    with visitor.session() as session:
        _row(session, webhook_id)
        store.remove(session, webhook_id)


@router.post("/{webhook_id}/rotate")
def rotate_secret(visitor: Visitor, webhook_id: str) -> NewSecret:
    """A new secret. The one before it signs as well for a day."""
    vault = Vault.from_settings(visitor.settings)
    with visitor.session() as session:
        row = _row(session, webhook_id)
        secret = store.rotate(session, vault, row)
    return NewSecret.model_validate({**row, "secret": secret})


@router.post("/{webhook_id}/test", status_code=202)
def test_webhook(visitor: Visitor, webhook_id: str) -> Delivery:
    """Send it `webhook.test`. What comes of it, its delivery says a moment later."""
    with visitor.session() as session:
        number = deliveries.test(session, _row(session, webhook_id))
        return _shown(session, webhook_id, number)


@router.get("/{webhook_id}/deliveries")
def list_deliveries(
    visitor: Visitor, webhook_id: str, asked: Annotated[Log, Query()]
) -> Page[Delivery]:
    """What it was told, the newest first."""
    before = place(asked.cursor, tuple[int])
    with visitor.session() as session:
        _row(session, webhook_id)
        rows = deliveries.listing(
            session,
            webhook_id=webhook_id,
            state=asked.state,
            before=before[0] if before else None,
            limit=asked.limit + 1,
        )
    shown, before_these = cut(rows, asked.limit, "delivery_id")
    return Page(items=[_delivery(row) for row in shown], next=before_these)


@router.get("/{webhook_id}/deliveries/{delivery_id}")
def get_delivery(visitor: Visitor, webhook_id: str, delivery_id: int) -> Delivery:
    """One delivery, with its attempts."""
    with visitor.session() as session:
        return _shown(session, webhook_id, delivery_id)


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
def redeliver(visitor: Visitor, webhook_id: str, delivery_id: int) -> Delivery:
    """Send it again, under the same id, for as long as if it were new."""
    with visitor.session() as session:
        _shown(session, webhook_id, delivery_id)
        deliveries.redeliver(session, webhook_id, delivery_id)
        return _shown(session, webhook_id, delivery_id)


@router.post("/{webhook_id}/redeliver", status_code=202)
def redeliver_failed(visitor: Visitor, webhook_id: str) -> Redelivered:
    """Send all again that was given up."""
    with visitor.session() as session:
        _row(session, webhook_id)
        return Redelivered(redelivered=deliveries.redeliver(session, webhook_id))


def _row(session: Connection, webhook_id: str) -> WebhookRow:
    row = store.one(session, webhook_id)
    if row is None:
        raise NotFound(f"There is no webhook {webhook_id}.", hint="GET /api/webhooks lists them.")
    return row


def _shown(session: Connection, webhook_id: str, delivery_id: int) -> Delivery:
    _row(session, webhook_id)
    row = deliveries.one(session, delivery_id)
    if row is None or row["webhook_id"] != webhook_id:
        raise NotFound(
            f"There is no delivery {delivery_id}.", hint="Its webhook's deliveries list them."
        )
    return _delivery(row)


def _delivery(row: dict[str, Any]) -> Delivery:
    return Delivery.model_validate(deliveries.shown(row))
