"""`/api/alerts`: what is wrong, since when, and who has been told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from headrace.api.alert_shapes import (
    Alert,
    AlertRule,
    AlertRules,
    Delivery,
    Listing,
    Paging,
    Snooze,
)
from headrace.api.auth import Visitor
from headrace.api.shapes import Page
from headrace.engine.rule import wanted
from headrace.errors import NotFound
from headrace.store import alert_log, incidents
from headrace.store.cursor import cut, place
from headrace.store.visit import Visit

router = APIRouter(prefix="/alerts", tags=["alerts"])


@router.get("")
def list_alerts(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Alert]:
    """Alerts, newest first: those that are so now, unless `state` says otherwise."""
    open_ = {"open": True, "over": False, "all": None}[asked.state]
    after = place(asked.cursor, incidents.Place)
    with visitor.session() as session:
        rows = incidents.listing(
            session, open_=open_, rule=asked.rule, before=after, limit=asked.limit + 1
        )
    shown, following = cut(rows, asked.limit, "raised_at", "incident_id")
    return Page(items=[Alert.model_validate(row) for row in shown], next=following)


@router.get("/rules")
def list_rules(visitor: Visitor) -> AlertRules:
    """What raises alerts, and when it was last looked at."""
    with visitor.database.connection() as connection:
        looks = incidents.looks(connection)
    items = [
        AlertRule(
            rule=rule.name,
            title=rule.title,
            on=on,
            looked_at=looks.get(rule.name, {}).get("looked_at"),
        )
        for rule, on in wanted(visitor.settings)
    ]
    return AlertRules(items=items)


@router.get("/deliveries")
def list_deliveries(visitor: Visitor, asked: Annotated[Paging, Query()]) -> Page[Delivery]:
    """What the operator's channels were told, newest first. For the installation's own key."""
    _own(visitor)
    after = place(asked.cursor, alert_log.Place)
    with visitor.database.connection() as connection:
        rows = alert_log.deliveries(connection, before=after, limit=asked.limit + 1)
    shown, following = cut(rows, asked.limit, "asked_at", "delivery_id")
    return Page(items=[Delivery.model_validate(row) for row in shown], next=following)


@router.post("/deliveries/{alert_delivery_id}/redeliver")
def redeliver(visitor: Visitor, alert_delivery_id: str) -> Delivery:
    """Send it again, as if for the first time. For the installation's own key."""
    _own(visitor)
    with visitor.database.transaction() as connection:
        return Delivery.model_validate(alert_log.redeliver(connection, alert_delivery_id))


@router.get("/{incident_id}")
def get_alert(visitor: Visitor, incident_id: str) -> Alert:
    """One of them."""
    with visitor.session() as session:
        return Alert.model_validate(incidents.get(session, incident_id))


@router.post("/{incident_id}/acknowledge")
def acknowledge(visitor: Visitor, incident_id: str) -> Alert:
    """Say that somebody has taken it up. It stays open until it is mended."""
    with visitor.session() as session:
        row = incidents.acknowledge(session, incident_id, visitor.caller.user)
    return Alert.model_validate(row)


@router.post("/{incident_id}/snooze")
def snooze(visitor: Visitor, incident_id: str, how: Snooze | None = None) -> Alert:
    """Do not show it on the dashboard's first page for some hours."""
    with visitor.session() as session:
        row = incidents.snooze(session, incident_id, (how or Snooze(hours=4)).hours)
    return Alert.model_validate(row)


def _own(visitor: Visit) -> None:
    """Raises NotFound: the channels are the operator's, and nobody else's business."""
    if not visitor.acts_for_all:
        raise NotFound(
            "There are no deliveries of alerts for this key.",
            hint="The installation's own key sees them; webhooks have deliveries of their own.",
        )
