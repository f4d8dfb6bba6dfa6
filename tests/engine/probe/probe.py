"""A plugin of another package: a source of numbers, and a stage over them.

It is installed for the tests as anybody's would be, by entry points. In this process a test may
also write the source's answers itself, in `scripts`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from headrace import Page, Provider, RawEvent, Record, Skip, StreamContext, StreamPlan, stage
from headrace.provider import JSON
from headrace.rows import EventRow

CONTENT = "application/x-probe"

Fetch = Callable[[str, JSON], Awaitable[Page]]

scripts: dict[str, Fetch] = {}
"""What a connection configured with `script` answers: by slice and cursor."""


class Config(BaseModel):
    """`total` records in pages of `page`, in as many slices, each page after `latency_ms`. Whoever
    runs the stage on a number that is `deadly` dies of it, as whoever fetches from `ends_at` on; on
    one that is `lasting`, it takes a minute, and a file in the data folder says when that has
    begun."""

    model_config = ConfigDict(extra="forbid")

    total: int = 0
    page: int = 100
    latency_ms: float = 0
    slices: int = 1
    deadly: list[int] = []
    lasting: list[int] = []
    ends_at: int | None = None
    script: str = ""


class Probe(Provider):
    """Numbers from 0 on, or whatever the test's script says."""

    name = "probe"
    kind = "probe_sync"
    aliases = ("probe:fetch",)
    Config = Config

    async def streams(self) -> Sequence[StreamPlan]:
        slices = tuple(str(n) for n in range(self.config.slices))
        return [StreamPlan("numbers", content=CONTENT, slices=slices, total=self.config.total)]

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:
        if self.config.script:
            return await scripts[self.config.script](slice_, cursor)
        await asyncio.sleep(self.config.latency_ms / 1000)
        assert cursor is None or isinstance(cursor, int)
        first, step = cursor or int(slice_), self.config.slices
        if self.config.ends_at is not None and first >= self.config.ends_at:
            os._exit(9)
        numbers = range(first, self.config.total, step)[: self.config.page]
        following = first + step * len(numbers)
        records = [Record(f"{n:06}", self._payload(n)) for n in numbers]
        return Page(records, following, more=following < self.config.total)

    def _payload(self, n: int) -> bytes:
        if n in self.config.lasting:
            return b"last"
        return b"die" if n in self.config.deadly else b"%d" % n


@stage(version=1, content=CONTENT)
def probe_numbers(raw: RawEvent, stream: StreamContext) -> Iterable[EventRow]:
    """The number's name; some payloads are refused, and some meet a bug."""
    if raw.payload == b"refuse":
        raise Skip("It is refused.", hint="Leave it.")
    if raw.payload == b"die":
        os._exit(9)
    if raw.payload == b"last":
        Path(os.environ["HEADRACE_HOME"], f"{os.getpid()} lasts").touch()
        time.sleep(60)
    if raw.payload == b"bug":
        raise ZeroDivisionError("a bug of the stage")
    yield EventRow(
        source_id=raw.source_id,
        version=raw.version,
        name=raw.payload.decode(),
        type=raw.occurred_at.isoformat() if raw.occurred_at else None,
    )
    if raw.payload == b"half":
        raise Skip("It is refused after all.")
