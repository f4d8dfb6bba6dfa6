"""The settings of retention: what is kept for how long."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class Keeping(BaseSettings):
    """How long what is kept; 0 is for ever."""

    headrace_keep_workflow_days: float = Field(
        7,
        ge=0,
        description="Days for which the engine's history of finished work is kept. 0: for ever.",
    )
    headrace_keep_job_days: float = Field(
        90,
        ge=0,
        description="Days for which finished jobs are kept, batches of which no row is left, and"
        " alerts that are over. 0: for ever.",
    )
    headrace_keep_versions: int = Field(
        20,
        ge=0,
        description="How many of the newest raw versions of a record are kept, whatever their age."
        " 0: all.",
    )
    headrace_keep_version_days: float = Field(
        365, ge=0, description="Days for which all raw versions are kept. 0: for ever."
    )
    headrace_keep_letter_days: float = Field(
        90, ge=0, description="Days for which dead letters are kept that are over. 0: for ever."
    )
    headrace_keep_open_letter_days: float = Field(
        0, ge=0, description="Days for which dead letters are kept that are open. 0: for ever."
    )
    headrace_keep_delivery_days: float = Field(
        30, ge=0, description="Days for which the log of webhooks' deliveries is kept. 0: for ever."
    )
