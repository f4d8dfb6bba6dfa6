"""What is worth knowing of it all, and what language models have cost."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, REAL, BigInteger, Date, Identity, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB

from headrace.model.base import ID, Table, col, key, time


class Insight(Table, table=True):
    """Something worth knowing about a subject, with the words of the sources it stands on. Whether
    rules made it or a model, `made_by` says."""

    __tablename__ = "insights"
    insight_id: int = key(BigInteger, server_default=Identity(always=True))
    kind: str = col(ID, null=False)
    subject: str = col(ID, null=False)
    title: str = col(null=False)
    summary: str = col(null=False)
    confidence: float = col(REAL, null=False)
    priority: str = col(null=False)
    actions: Any = col(JSON, null=False)
    sources: Any = col(JSONB, null=False)
    made_by: str = col(null=False)
    asked: str | None = col()
    note: str | None = col()
    prompt_hash: str = col(null=False)
    input_hash: bytes = col(LargeBinary, null=False)
    batch_id: int | None = col(BigInteger)
    job_id: str | None = col(ID)
    created_at: datetime = time(null=False)


class InsightWanted(Table, table=True):
    """That somebody is to be given insights, for something new was brought in; and since when."""

    __tablename__ = "insights_wanted"
    user_id: str = key()
    wanted_at: datetime = time(null=False)


class LlmUsage(Table, table=True):
    """What a tenant has used of language models on a day (UTC)."""

    __tablename__ = "llm_usage"
    day: date = key(Date)
    tokens: int = col(BigInteger, null=False)
    requests: int = col(BigInteger, null=False)
