"""What is wrong: the strip of the first page, and the page with what has been."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from headrace.dashboard.entry import Acting, Looking, own_path
from headrace.dashboard.page import Look, page
from headrace.dashboard.paging import with_asked
from headrace.dashboard.said import back
from headrace.engine.rule import wanted
from headrace.errors import Conflict, NotFound
from headrace.store import alert_log, incidents
from headrace.store.cursor import cut, place
from headrace.store.database import Connection, as_owner

router = APIRouter(include_in_schema=False)

ROWS, STRIP, DELIVERIES = 50, 5, 20
SNOOZE_HOURS = 4.0

Came = Annotated[str, Form(max_length=500)]
"""The page to go back to."""


def strip(session: Connection) -> list[incidents.IncidentRow]:
    """What the first page shows: the open ones that are not put off, a few of them."""
    return incidents.standing(session, STRIP)


@page("/alerts", "alerts.html")
def alerts(
    request: Request,
    visitor: Looking,
    state: Literal["open", "over", "all"] = "all",
    after: Annotated[str | None, Query(max_length=8192)] = None,
) -> Look:
    """What is wrong and what was, the newest first; to whom it was told is the operator's."""
    open_ = {"open": True, "over": False, "all": None}[state]
    began = place(after, incidents.Place)
    settings = visitor.settings

    def look(session: Connection) -> dict[str, Any]:
        rows = incidents.listing(session, open_=open_, before=began, limit=ROWS + 1)
        shown, further = cut(rows, ROWS, "raised_at", "incident_id")
        return {
            "alerts": shown,
            "state": state,
            "rules": wanted(settings),
            "deliveries": _deliveries(session) if visitor.acts_for_all else None,
            "older": further and with_asked(request, after=further),
            "newest": with_asked(request, after=None) if after else None,
        }

    return look


@router.post("/alerts/{incident_id}/acknowledge")
def acknowledge(visitor: Acting, incident_id: str, came: Came = "/alerts") -> Response:
    """Somebody has taken it up."""
    try:
        with visitor.session() as session:
            incidents.acknowledge(session, incident_id, visitor.caller.user)
    except Conflict as error:
        return back(own_path(came), str(error))
    return back(own_path(came), "It is taken up, and stays here until it is mended.")


@router.post("/alerts/{incident_id}/snooze")
def snooze(visitor: Acting, incident_id: str, came: Came = "/alerts") -> Response:
    """The first page does not show it for some hours."""
    try:
        with visitor.session() as session:
            incidents.snooze(session, incident_id, SNOOZE_HOURS)
    except Conflict as error:
        return back(own_path(came), str(error))
    return back(own_path(came), f"The first page does not show it for {SNOOZE_HOURS:.0f} hours.")


@router.post("/alerts/deliveries/{alert_delivery_id}/redeliver")
def redeliver(visitor: Acting, alert_delivery_id: str) -> Response:
    """Send it again."""
    if not visitor.acts_for_all:
        raise NotFound("There is no such delivery.", hint="The page of alerts has those there are.")
    with visitor.database.transaction() as connection:
        row = alert_log.redeliver(connection, alert_delivery_id)
    return back("/alerts", f"It is sent again to {row['channel']}.")


def _deliveries(session: Connection) -> list[alert_log.DeliveryRow]:
    with as_owner(session):
        return alert_log.deliveries(session, limit=DELIVERIES)
