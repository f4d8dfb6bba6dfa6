"""What a connection of a Google calendar is configured with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class GoogleCalendarConfig(BaseModel):
    """Which calendars, and how fast."""

    model_config = ConfigDict(extra="forbid")

    calendars: list[str] = Field(
        default=[],
        description="Ids or names of calendars; empty: those that are the account's own or ticked.",
    )
    items_per_run: int | None = Field(
        default=2_000, ge=1, description="Events after which a run ends; null: when it has all."
    )
    page_size: int = Field(default=250, ge=1, le=2_500, description="Events of one request.")
    pause_ms: int = Field(
        default=20, ge=0, description="Milliseconds for every 25 events, before the next request."
    )
    requests_per_minute: int = Field(
        default=600, ge=1, description="Requests that the account may make in a minute."
    )
