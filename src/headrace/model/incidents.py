"""What is wrong, since when, and who has been told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer

from headrace.model.base import ID, Table, col, key, time


class Incident(Table, table=True):
    """That a rule has found something wrong with a subject, until it no longer does.

    `said` is the sentence and `hint` what to do; `link` is the page of the dashboard that mends it;
    `ended` says how it came to be over.
    """

    __tablename__ = "incidents"
    incident_id: str = key()
    rule: str = col(ID, null=False)
    subject: str = col(ID, null=False)
    said: str = col(null=False)
    hint: str = col(null=False)
    link: str = col(null=False)
    raised_at: datetime = time(null=False)
    over_at: datetime | None = time()
    ended: str | None = col()
    acknowledged_at: datetime | None = time()
    acknowledged_by: str | None = col(ID)
    snoozed_until: datetime | None = time()


class AlertLook(Table, table=True):
    """When a rule was last looked at, and how many subjects it found."""

    __tablename__ = "alert_looks"
    rule: str = key()
    looked_at: datetime = time(null=False)
    subjects: int = col(Integer, null=False)


class AlertDelivery(Table, table=True):
    """That a channel of the operator's is told of an incident, or that it is over: `due_at` is when
    it is tried next, `asked_at` when somebody last wanted it sent."""

    __tablename__ = "alert_deliveries"
    delivery_id: str = key()
    incident_id: str = col(ID, null=False)
    event: str = col(ID, null=False)
    channel: str = col(ID, null=False)
    state: str = col(null=False)
    attempts: int = col(Integer, null=False)
    due_at: datetime = time(null=False)
    asked_at: datetime = time(null=False)
    told_at: datetime | None = time()
    answer: str | None = col()
