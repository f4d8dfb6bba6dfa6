"""What `/api/alerts` takes and answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from headrace.api.shapes import Cursor, Limit, Time

State = Literal["open", "over", "all"]


class Alert(BaseModel):
    """That something is wrong with a subject, or was."""

    incident_id: str
    user_id: str
    rule: str = Field(description="Which rule found it: `GET /api/alerts/rules`.")
    subject: str = Field(description="With what: a connection's id, a queue, a user's jobs.")
    said: str = Field(description="What is wrong, in a sentence.")
    hint: str = Field(description="What to do about it.")
    link: str = Field(description="The page of the dashboard that mends it.")
    raised_at: Time
    over_at: Time | None = Field(description="None: it is so still.")
    ended: str | None = Field(description="How it came to be over.")
    acknowledged_at: Time | None
    acknowledged_by: str | None
    snoozed_until: Time | None = Field(description="Until then the first page does not show it.")


class Listing(BaseModel):
    """Which alerts."""

    state: State = Field("open", description="Those that are so now, those that are over, or all.")
    rule: str | None = Field(None, max_length=100, description="Only of this rule.")
    limit: Limit = 50
    cursor: Cursor = None


class Snooze(BaseModel):
    """For how long."""

    hours: float = Field(4, gt=0, le=24 * 30, description="Hours from now.")


class AlertRule(BaseModel):
    """What raises alerts."""

    rule: str
    title: str
    on: bool = Field(description="Whether the settings want it.")
    looked_at: Time | None = Field(description="When somebody last looked.")


class AlertRules(BaseModel):
    """All of them."""

    items: list[AlertRule]


class Delivery(BaseModel):
    """That a channel of the operator's is told of an alert, or that it is over."""

    delivery_id: str
    incident_id: str
    tenant_id: str
    event: str = Field(description="alert.raised or alert.over.")
    channel: str = Field(description="Its place in HEADRACE_ALERT_URLS, and its kind: `1 slack`.")
    rule: str
    said: str
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    due_at: Time = Field(description="Of what is pending: when it is tried next.")
    asked_at: Time
    told_at: Time | None
    answer: str | None


class Paging(BaseModel):
    """Where to go on."""

    limit: Limit = 50
    cursor: Cursor = None
