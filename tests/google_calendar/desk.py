"""An account's calendars at the Google twin, connected, and what is known of them here."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from tests.accounts import at_google, configure, connect, run

from headrace.engine.cascade import run_stage
from headrace.engine.sync import Outcome
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database
from headrace.twin.google import Google
from headrace.twin.google.book import Book
from headrace.twin.google.calendars import Calendars
from headrace.twin.message import Request

STAGE = "normalize_google_event"
QUICK = {"pause_ms": 0, "requests_per_minute": 10_000_000, "items_per_run": None}
"""A config that waits for nothing."""

Json = dict[str, Any]

_OF = "JOIN headrace.streams s USING (tenant_id, stream_id) WHERE s.connection_id = %s"
_NEWEST = f"""
SELECT DISTINCT ON (s.stream_id, source_id) s.name, source_id, content_hash, payload, version
FROM headrace.raw_events {_OF} AND s.name <> 'calendars'
ORDER BY s.stream_id, source_id, version DESC
"""
_UNSTAGED = f"""
SELECT batch_id FROM headrace.batches b {_OF} AND b.inserted > 0 AND s.name <> 'calendars'
  AND NOT EXISTS (SELECT FROM headrace.stage_runs r
    WHERE r.tenant_id = b.tenant_id AND r.batch_id = b.batch_id)
ORDER BY batch_id
"""


class Desk:
    """`google` is the twin, to change things without HTTP; `asked` is what it was asked; `sync` is
    one job."""

    def __init__(
        self,
        google: Google,
        url: str,
        database: Database,
        asked: list[Request],
        *,
        called: str = "",
        **config: Any,
    ) -> None:
        self.google = google
        self.database = database
        self.asked = asked
        self._only = [google.account().email] if config.get("calendars") == ["primary"] else []
        self.settings = at_google(url, google_calendar_base_url=url)
        self.connection: ConnectionRow = connect(
            database, google, "google_calendar", called=called, **{**QUICK, **config}
        )

    # --- there --------------------------------------------------------------------------------

    @property
    def calendars(self) -> Calendars:
        """The account's calendars at the twin."""
        return self.google.account().calendars

    @property
    def own(self) -> str:
        """The id of its own calendar."""
        return self.calendars.email

    @property
    def book(self) -> Book:
        """The events of its own calendar."""
        return self.calendars.need().book

    def team(self) -> str:
        """The id of a calendar that somebody shares with it."""
        return next(one.id for one in self.calendars if one.summary == "Team")

    def truth(self) -> dict[str, dict[str, Any]]:
        """The etag of every event that there is to be followed, by calendar; calendars without any
        left out."""
        found = self.calendars.truth().items()
        return {
            name: {i: e["etag"] for i, e in events.items()}
            for name, events in found
            if events and (not self._only or name in self._only)
        }

    def queries(self, call: str = "/events") -> list[dict[str, str]]:
        """What was asked of a list of events, in order."""
        return [one.query for one in self.asked if one.path.endswith(call)]

    def ask(self, path: str, body: object) -> None:
        """What one of the twin's routes behind the scenes says."""
        request = Request("POST", path, {}, {}, json.dumps(body).encode())
        # Such a route waits for nothing.
        with pytest.raises(StopIteration) as ended:
            self.google.handle(request).send(None)
        answer = ended.value.value
        assert answer.status == 200, b"".join(answer.parts)

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """These fault rules from now on, and no others."""
        self.ask("/admin/faults", list(rules))

    def during(self, call: str, n: int, *changes: Mapping[str, Any]) -> None:
        """Changes right before the n-th such call from now on."""
        self.ask("/admin/during", {"at": {"call": call, "n": n}, "changes": list(changes)})

    # --- here ---------------------------------------------------------------------------------

    async def sync(self, **more: Any) -> list[Outcome]:
        """How the walks of one job ended."""
        return await run(self.database, self.settings, self.connection, **more)

    async def synced(self) -> None:
        """A job that ends well."""
        outcomes = await self.sync()
        assert {one.state for one in outcomes} == {"done"}, outcomes

    async def in_step(self) -> None:
        """A job that ends well, and then everything here is as it is there."""
        await self.synced()
        assert await self.live() == self.truth()

    def reconfigure(self, **config: Any) -> None:
        """Another config from the next job on."""
        configure(self.database, self.connection, **{**QUICK, **config})

    async def rows(self, query: str, *values: Any) -> list[Json]:
        """What a query answers; without values it is about this connection."""

        def look() -> list[Json]:
            with self.database.connection() as session:
                found = session.execute(query.encode(), values or [self._id])
                return found.fetchall()

        return await asyncio.to_thread(look)

    async def bodies(self) -> dict[str, dict[str, Json]]:
        """The newest version of every event that is there, by calendar."""
        found: dict[str, dict[str, Json]] = defaultdict(dict)
        for row in await self.rows(_NEWEST):
            if row["content_hash"]:
                found[row["name"]][row["source_id"]] = json.loads(row["payload"])
        return dict(found)

    async def live(self) -> dict[str, dict[str, Any]]:
        """The same, by their etags."""
        found = (await self.bodies()).items()
        return {name: {i: e["etag"] for i, e in events.items()} for name, events in found}

    async def versions(self, source_id: str) -> int:
        """How many versions of an event were landed, tombstones included."""
        query = f"SELECT 1 FROM headrace.raw_events {_OF} AND source_id = %s"
        return len(await self.rows(query, self._id, source_id))

    async def of_streams(self, columns: str, table: str) -> list[Json]:
        """The rows of a table that are of this connection, with the names of their streams."""
        return await self.rows(f"SELECT s.name AS stream, {columns} FROM headrace.{table} {_OF}")

    async def cursors(self) -> dict[str, Json]:
        """How far each stream is."""
        found = await self.of_streams("cursor", "checkpoints")
        return {row["stream"]: row["cursor"] for row in found}

    async def shown(self) -> dict[str, Json]:
        """The rows of `calendar_events` by their ids, once the stage has been through."""
        for row in await self.rows(_UNSTAGED):
            await asyncio.to_thread(run_stage, self.database, STAGE, row["batch_id"])
        found = await self.of_streams("e.*", "calendar_events e")
        return {row["source_id"]: row for row in found}

    @property
    def _id(self) -> str:
        return str(self.connection["connection_id"])
