"""The settings of one REST source that needs no spec."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class Source(BaseSettings):
    """A REST source from the environment alone."""

    api_base_url: str | None = Field(
        None, description="One REST source from the environment alone: its base URL."
    )
    api_key: SecretStr | None = Field(None, description="Key for API_BASE_URL, sent as X-API-Key.")
    batch_size: int = Field(100, ge=1, le=100_000, description="Records per fetch.")
    rate_limit_delay_ms: int = Field(
        0, ge=0, description="Least pause between requests to a REST source, in milliseconds."
    )
