"""The source of `benchmarks.fairness`, installed for its workers as a package of somebody's would
be: mailboxes that have one new message at each sync, and one that has very many."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from headrace import Page, Provider, RawEvent, Record, StreamContext, StreamPlan, stage
from headrace.provider import JSON
from headrace.rows import EventRow

CONTENT = "application/x-fairness"


class Config(BaseModel):
    """`total` messages in pages of 100, each after `latency_ms`; 0: one new one at each sync."""

    model_config = ConfigDict(extra="forbid")

    total: int = 0
    latency_ms: float = 20


class Fairness(Provider):
    """Numbered messages."""

    name = "fairness"
    kind = "fairness_sync"
    Config = Config

    async def streams(self) -> Sequence[StreamPlan]:
        return [StreamPlan("messages", content=CONTENT)]

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:
        await asyncio.sleep(self.config.latency_ms / 1000)
        first = int(str(cursor or 0))
        last = min(first + 100, self.config.total) if self.config.total else first + 1
        records = [Record(f"{n:08}", b'{"text": "message %d"}' % n) for n in range(first, last)]
        return Page(records, str(last), more=last < self.config.total)


@stage(version=1, content=CONTENT)
def fairness_messages(raw: RawEvent, stream: StreamContext) -> Iterable[EventRow]:
    """What makes a message searchable."""
    yield EventRow(source_id=raw.source_id, version=raw.version, name=raw.payload.decode())
