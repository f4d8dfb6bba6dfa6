"""The settings of what is said through Redis."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class Redis(BaseSettings):
    """Which Redis, and how it is used."""

    redis_url: str | None = Field(
        None,
        description="Redis or Valkey whose stream `ingestion:jobs` is read, as another door for"
        " jobs: redis://localhost:6379. Unset: none.",
    )
    headrace_redis_claim_seconds: float = Field(
        30,
        gt=0,
        description="Seconds after which entries that another worker has read and not acknowledged"
        " are taken over.",
    )
    headrace_redis_keep: int = Field(
        10_000,
        ge=1,
        description="Entries that each stream of Redis keeps. Of `ingestion:jobs`, only what is"
        " acknowledged is trimmed.",
    )
    headrace_schedule_via_redis: bool = Field(
        False,
        description="Whether the schedule asks for its syncs through the stream, as producers do."
        " While Redis is away it makes the jobs itself.",
    )
