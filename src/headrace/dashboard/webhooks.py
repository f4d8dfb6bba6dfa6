"""Webhooks: who is told of what happens, what came of it, and telling it again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from headrace.dashboard.entry import Acting
from headrace.dashboard.page import Look, page
from headrace.dashboard.paging import with_asked
from headrace.dashboard.said import back
from headrace.errors import NotFound
from headrace.store import deliveries
from headrace.store import webhooks as store
from headrace.store.cursor import cut, place
from headrace.store.database import Connection
from headrace.store.visit import Visit
from headrace.store.webhooks import WebhookRow

router = APIRouter(include_in_schema=False)

ROWS = 50
HERE = "/system/webhooks"
STATES = ("pending", "delivered", "failed")


@page(HERE, "webhooks.html")
def webhooks() -> Look:
    """Every endpoint, and how it is."""

    def look(session: Connection) -> dict[str, Any]:
        return {"webhooks": store.listing(session)}

    return look


@page(HERE + "/{webhook_id}", "webhook.html")
def webhook(
    request: Request,
    webhook_id: str,
    state: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str | None, Query(max_length=8192)] = None,
) -> Look:
    """One of them, and what it was told, the newest first."""
    began = place(after, tuple[int])

    def look(session: Connection) -> dict[str, Any]:
        row = existing(session, webhook_id)
        rows = deliveries.listing(
            session,
            webhook_id=webhook_id,
            state=state if state in STATES else None,
            before=began[0] if began else None,
            limit=ROWS + 1,
        )
        shown, further = cut(rows, ROWS, "delivery_id")
        return {
            "webhook": row,
            "deliveries": [deliveries.shown(one) for one in shown],
            "state": state,
            "states": STATES,
            "older": further and with_asked(request, after=further),
            "newest": with_asked(request, after=None) if after else None,
        }

    return look


@router.post(HERE + "/{webhook_id}/test")
def send_test(visitor: Acting, webhook_id: str) -> Response:
    """Send it `webhook.test`."""
    with visitor.session() as session:
        deliveries.test(session, existing(session, webhook_id))
    return _to(webhook_id, "It is being sent a test.")


@router.post(HERE + "/{webhook_id}/pause")
def pause(visitor: Acting, webhook_id: str) -> Response:
    """Tell it nothing of what happens, until it is resumed."""
    return _paused(visitor, webhook_id, "It is paused.", paused=True)


@router.post(HERE + "/{webhook_id}/resume")
def resume(visitor: Acting, webhook_id: str) -> Response:
    """Tell it of what happens from now on, and what waits."""
    return _paused(visitor, webhook_id, "It goes on from now.", paused=False)


@router.post(HERE + "/{webhook_id}/redeliver")
def redeliver_failed(visitor: Acting, webhook_id: str) -> Response:
    """Send all again that was given up."""
    with visitor.session() as session:
        existing(session, webhook_id)
        sent = deliveries.redeliver(session, webhook_id)
    return _to(webhook_id, "1 message is sent again." if sent == 1 else f"{sent:,} are sent again.")


@router.post(HERE + "/{webhook_id}/deliveries/{number}/redeliver")
def redeliver(visitor: Acting, webhook_id: str, number: int) -> Response:
    """Send this one again."""
    with visitor.session() as session:
        existing(session, webhook_id)
        if not deliveries.redeliver(session, webhook_id, number):
            raise NotFound("There is no such delivery.", hint="The log has those there are.")
    return _to(webhook_id, "It is sent again, under the same id.")


def existing(session: Connection, webhook_id: str) -> WebhookRow:
    """An endpoint that the caller may see. Raises NotFound."""
    row = store.one(session, webhook_id)
    if row is None:
        raise NotFound("There is no such webhook.", hint="The list has those there are.")
    return store.shown(row)


def _paused(visitor: Visit, webhook_id: str, said: str, *, paused: bool) -> Response:
    with visitor.session() as session:
        row = existing(session, webhook_id)
        store.change(session, webhook_id, name=row["name"], events=row["events"], paused=paused)
    return _to(webhook_id, said)


def _to(webhook_id: str, said: str) -> Response:
    return back(f"{HERE}/{webhook_id}", said)
