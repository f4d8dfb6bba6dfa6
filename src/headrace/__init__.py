"""Headrace: outside data into your own PostgreSQL, exactly once.

What a plugin author imports; everything else is internal.
"""

from headrace.errors import Expired, NeedsHuman, Retry, Skip
from headrace.provider import BadRecord, Census, Page, Provider, Record, StreamPlan
from headrace.stage import Batch, Made, RawEvent, Row, StreamContext, stage

__all__ = [
    "BadRecord",
    "Batch",
    "Census",
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
