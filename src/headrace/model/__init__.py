"""The nouns as SQLModel tables: what each row is, who owns it, what is unique.

This is the readable description; `store/migrations` is the road to it, and a test proves that the
two are the same database. Every table begins with tenant and user, and every key with the tenant,
so that row-level security can bind and a unique violation tells nothing of another tenant.
"""

from headrace.model.access import ApiKey, Session
from headrace.model.accounts import Allowance, Consent, Grant
from headrace.model.base import SCHEMA, metadata
from headrace.model.incidents import AlertDelivery, AlertLook, Incident, StreamShape
from headrace.model.insights import Insight, InsightWanted, LlmUsage
from headrace.model.people import (
    Contact,
    ContactIdentity,
    ContactLink,
    Memory,
    Participant,
    RecentInteraction,
    TimelineEvent,
)
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
from headrace.model.redis import RedisCompletion, RedisEntry, RedisOffer, RedisServer
from headrace.model.schedules import Schedule
from headrace.model.webhooks import Webhook, WebhookDelivery
from headrace.model.work import (
    Batch,
    Checkpoint,
    Connection,
    DeadLetter,
    Job,
    JobLine,
    JobNeed,
    Mark,
    QueueAlarm,
    RawEvent,
    Retention,
    Seen,
    StageRun,
    Stream,
    Upload,
    Worker,
)

__all__ = [
    "SCHEMA",
    "AlertDelivery",
    "AlertLook",
    "Allowance",
    "ApiKey",
    "Batch",
    "CalendarEvent",
    "Checkpoint",
    "Chunk",
    "Connection",
    "Consent",
    "Contact",
    "ContactIdentity",
    "ContactLink",
    "DeadLetter",
    "Document",
    "DocumentText",
    "Event",
    "Grant",
    "Incident",
    "Insight",
    "InsightWanted",
    "Interaction",
    "Job",
    "JobLine",
    "JobNeed",
    "LlmUsage",
    "Mark",
    "Memory",
    "Participant",
    "QueueAlarm",
    "RawEvent",
    "RecentInteraction",
    "RedisCompletion",
    "RedisEntry",
    "RedisOffer",
    "RedisServer",
    "Retention",
    "Schedule",
    "Seen",
    "Session",
    "StageRun",
    "Stream",
    "StreamShape",
    "TimelineEvent",
    "Upload",
    "VectorGone",
    "VectorIndex",
    "Webhook",
    "WebhookDelivery",
    "Worker",
    "metadata",
]
