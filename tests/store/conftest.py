"""A connection with one stream, ready to be landed into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg
import pytest

from headrace.provider import JSON, BadRecord, Record, StreamPlan
from headrace.store import connections, jobs
from headrace.store.checkpoints import Claim, claim
from headrace.store.connections import Part
from headrace.store.database import Connection, Database
from headrace.store.landing import FollowUp, Gathered, Landed, Landing

TENANT, USER = "acme", "ann"


def no_work(connection: Connection, batch_id: int) -> None:
    """A follow-up for tests that are not about it."""


class Desk:
    """Lands what a test hands it, and shows what PostgreSQL then holds."""

    def __init__(self, store: Database) -> None:
        self.store = store
        with store.transaction() as session:
            self.connection = connections.save(
                session, tenant=TENANT, user=USER, provider="rest", name="api", config={}
            )
        self.part = self.plan("events")[0]
        with store.transaction() as session:
            self.job, _ = jobs.create(
                session,
                tenant=TENANT,
                user=USER,
                kind="rest_sync",
                connection_id=self.connection["connection_id"],
            )

    def plan(self, stream: str, *slices: str) -> list[Part]:
        with self.store.transaction() as session:
            plan = StreamPlan(stream, slices=slices or ("",))
            return connections.plan(session, self.connection, [plan])

    def claim(self, part: Part | None = None) -> Claim:
        part = part or self.part
        with self.store.transaction() as session:
            return claim(
                session,
                tenant=TENANT,
                user=USER,
                stream_id=part.stream_id,
                slice_=part.slice,
                job_id=self.job["job_id"],
            )

    def landing(
        self, claimed: Claim | None = None, follow_up: FollowUp = no_work, *, straight: bool = True
    ) -> Landing:
        """`straight` False: by way of staging from the first commit on."""
        landing = Landing(self.store, claimed or self.claim(), follow_up)
        if not straight:
            landing._caution = 1_000_000
        return landing

    def land(self, *records: Record, straight: bool = True, **more: Any) -> Landed:
        return self.landing(straight=straight).land(self.gathered(*records, **more))

    @staticmethod
    def record(source_id: str, payload: bytes | str = b"{}", at: datetime | None = None) -> Record:
        """A record, with a payload that may be written as text."""
        return Record(source_id, payload.encode() if isinstance(payload, str) else payload, at)

    @staticmethod
    def gathered(
        *records: Record,
        bad: Sequence[BadRecord] = (),
        before: JSON = None,
        cursor: JSON = "next",
        complete: bool = False,
        hashes: Sequence[bytes] = (),
    ) -> Gathered:
        return Gathered(
            records=list(records),
            bad=list(bad),
            cursor_before=before,
            cursor_after=cursor,
            complete=complete,
            pages=1,
            payload_bytes=sum(len(one.payload) for one in records),
            cursor_hashes=list(hashes),
        )

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query answers, over a connection of its own."""
        with psycopg.connect(self.store.url) as session:
            return session.execute(query, values).fetchall()

    def raw(self) -> list[tuple[str, int, bytes]]:
        """Every raw event: id, version, payload."""
        return self.rows(
            "SELECT source_id, version, payload FROM headrace.raw_events ORDER BY 1, 2"
        )

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM headrace.{table}")[0][0])

    def checkpoint(self, part: Part | None = None) -> dict[str, Any]:
        part = part or self.part
        with self.store.connection() as session:
            row = session.execute(
                "SELECT * FROM headrace.checkpoints WHERE stream_id = %s AND slice = %s",
                [part.stream_id, part.slice],
            ).fetchone()
        assert row
        return row


@pytest.fixture
def store(database: str) -> Iterator[Database]:
    """The pool that the store is used through."""
    opened = Database(database, name="store tests").open()
    yield opened
    opened.close()


@pytest.fixture
def desk(store: Database) -> Desk:
    """See `Desk`."""
    return Desk(store)
