"""The nouns as SQLModel tables: what each row is, who owns it, what is unique.

This is the readable description; `store/migrations` is the road to it, and a test proves that the
two are the same database. Every table begins with tenant and user, and every key with the tenant,
so that row-level security can bind and a unique violation tells nothing of another tenant.
"""

from headrace.model.base import SCHEMA, metadata
from headrace.model.projections import (
    CalendarEvent,
    Chunk,
    Document,
    DocumentText,
    Event,
    Interaction,
    VectorGone,
    VectorIndex,
)
from headrace.model.work import (
    ApiKey,
    Batch,
    Checkpoint,
    Connection,
    DeadLetter,
    Job,
    Mark,
    RawEvent,
    StageRun,
    Stream,
    Worker,
)

__all__ = [
    "SCHEMA",
    "ApiKey",
    "Batch",
    "CalendarEvent",
    "Checkpoint",
    "Chunk",
    "Connection",
    "DeadLetter",
    "Document",
    "DocumentText",
    "Event",
    "Interaction",
    "Job",
    "Mark",
    "RawEvent",
    "StageRun",
    "Stream",
    "VectorGone",
    "VectorIndex",
    "Worker",
    "metadata",
]
