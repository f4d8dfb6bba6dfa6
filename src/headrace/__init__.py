"""Headrace: outside data into your own PostgreSQL, exactly once.

What a plugin author imports; everything else is internal.
"""

from headrace.errors import Expired, NeedsHuman, Retry, Skip
from headrace.provider import BadRecord, Page, Provider, Record, StreamPlan
from headrace.stage import Batch, Made, RawEvent, Row, StreamContext, stage

__all__ = [
    "BadRecord",
    "Batch",
    "Expired",
    "Made",
    "NeedsHuman",
    "Page",
    "Provider",
    "RawEvent",
    "Record",
    "Retry",
    "Row",
    "Skip",
    "StreamContext",
    "StreamPlan",
    "stage",
]

__version__ = "0.1.0"
