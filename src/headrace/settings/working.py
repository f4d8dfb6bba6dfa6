"""The settings of work: how much at a time, for how long, and what when it takes too long."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class Working(BaseSettings):
    """How much at a time, and for how long."""

    headrace_workers: int = Field(
        4, ge=1, le=256, description="Jobs one worker process runs at the same time."
    )
    headrace_run_minutes: float = Field(
        10, gt=0, description="Wall time after which a run stops and the next one goes on."
    )
    headrace_drain_seconds: float = Field(
        8,
        ge=0,
        le=3600,
        description="Seconds that a process which is told to end has for what it is at: requests,"
        " stages, the commit of a walk. Everything else goes on in other processes at once.",
    )
    headrace_database_wait: float = Field(
        300,
        ge=0,
        description="Seconds that `up`, `api` and `worker` wait at their start for a PostgreSQL"
        " that does not answer. 0: they end at once, and say so.",
    )
    headrace_job_hours: float = Field(
        168, gt=0, description="Hours from its start in which a job has to end, waits included."
    )
    headrace_webhook_timeout: float = Field(
        15, gt=0, le=50, description="Seconds that a webhook has to answer."
    )
    headrace_webhook_hours: float = Field(
        24, gt=0, description="Hours for which a message to a webhook is tried again."
    )
    headrace_queue_alert_seconds: float = Field(
        300,
        ge=0,
        description="Seconds that work may wait on a queue before the log says so, and an alert is"
        " raised. 0: for ever.",
    )
    headrace_extract_contacts: Literal["auto", "manual"] = Field(
        "auto",
        description="Whether contacts are extracted as messages arrive, or only when somebody asks"
        " for it: `headrace contacts extract`.",
    )
    headrace_recent_hours: int = Field(
        24,
        ge=1,
        le=720,
        description="What `/api/interactions/recent` counts: the last so many hours.",
    )
