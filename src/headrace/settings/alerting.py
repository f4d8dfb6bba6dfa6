"""The settings of alerts: what is worth waking somebody for, and who is told."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class Alerting(BaseSettings):
    """When each rule raises an alert; 0, or false, is never."""

    headrace_alert_look_seconds: float = Field(
        30, gt=0, description="Seconds between two looks at whether something is wrong."
    )
    headrace_alert_stale_hours: float = Field(
        24,
        ge=0,
        description="Hours for which a source that is synced by itself may be overdue. 0: for"
        " ever.",
    )
    headrace_alert_needs_reauth: bool = Field(
        True, description="Whether a source whose access has ended is an alert."
    )
    headrace_alert_job_failed: bool = Field(
        True, description="Whether a job that failed for good is an alert."
    )
    headrace_alert_dead_letters: int = Field(
        100,
        ge=0,
        description="How many new dead letters of one source, within"
        " HEADRACE_ALERT_DEAD_LETTER_MINUTES, are an alert. 0: never.",
    )
    headrace_alert_dead_letter_minutes: float = Field(
        60, gt=0, description="Minutes within which dead letters are new."
    )
    headrace_alert_drift: bool = Field(
        True,
        description="Whether it is an alert that a source's JSON records lack a field that all of"
        " them had, or have another type in it.",
    )
    headrace_alert_no_worker_seconds: float = Field(
        60,
        ge=0,
        description="Seconds for which work may wait while no worker runs. 0: for ever.",
    )
    headrace_alert_urls: SecretStr | None = Field(
        None,
        description="Where alerts are sent to, as apprise writes addresses, with spaces between"
        " them: slack://..., mailto://..., ntfy://... They need headrace[alerts], and are"
        " never shown.",
    )
