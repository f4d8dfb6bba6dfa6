"""The API over a database of the test's own, with two tenants in it, and a client for each key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from starlette.testclient import TestClient
from tests.heard import log  # noqa: F401
from tests.valkey import valkey  # noqa: F401

from headrace.api import create_app
from headrace.provider import BadRecord, Record, StreamPlan
from headrace.settings import Settings
from headrace.store import connections, jobs, keys
from headrace.store.checkpoints import claim
from headrace.store.database import Database
from headrace.store.landing import Gathered, Landing, bury

TENANT, ANN, BOB, STRANGER = "acme", "ann", "bob", "zoe"
TIME = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def url(engine_database: str) -> str:
    """URL of a prepared database of the test's own."""
    return engine_database


@pytest.fixture
def store(url: str) -> Iterator[Database]:
    """The owner's way in."""
    opened = Database(url, name="api tests").open()
    yield opened
    opened.close()


class House:
    """Puts rows into the database, and hands out clients."""

    def __init__(self, store: Database, client: TestClient) -> None:
        self.store = store
        self._client = client

    def execute(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """As the owner of the tables."""
        with self.store.transaction() as session:
            cursor = session.execute(statement.encode(), list(values))
            return cursor.fetchall() if cursor.description else []

    def key(self, tenant: str = TENANT, user: str = ANN, key_user: str | None = None) -> str:
        with self.store.transaction() as session:
            return keys.issue(session, tenant, user, "test", key_user)

    def client(
        self, tenant: str = TENANT, user: str = ANN, key_user: str | None = None
    ) -> TestClient:
        """A client that carries a key of its own."""
        made = TestClient(self._client.app, raise_server_exceptions=False)
        made.headers["X-API-Key"] = self.key(tenant, user, key_user)
        return made

    def connection(
        self, user: str = ANN, tenant: str = TENANT, name: str = "shop", provider: str = "rest"
    ) -> str:
        with self.store.transaction() as session:
            row = connections.save(
                session, tenant=tenant, user=user, provider=provider, name=name, config={}
            )
        return str(row["connection_id"])

    def job(
        self, user: str = ANN, tenant: str = TENANT, kind: str = "rest_sync", **more: Any
    ) -> str:
        """A job that no queue knows of."""
        with self.store.transaction() as session:
            row, _ = jobs.create(session, tenant=tenant, user=user, kind=kind, **more)
        return str(row["job_id"])

    def stream(
        self, connection_id: str, name: str = "events", content: str = "application/json"
    ) -> int:
        with self.store.transaction() as session:
            owner = connections.get(session, connection_id)
            assert owner is not None
            [part] = connections.plan(session, owner, [StreamPlan(name, content=content)])
        return part.stream_id

    def land(
        self, stream_id: int, *records: Record, bad: list[BadRecord] | None = None, job: str = "j"
    ) -> int:
        """Land records with no follow-up work. Returns the batch's id."""
        [owner] = self.execute("SELECT * FROM headrace.streams WHERE stream_id = %s", stream_id)
        who = {"tenant": owner["tenant_id"], "user": owner["user_id"]}
        with self.store.transaction() as session:
            claimed = claim(session, **who, stream_id=stream_id, slice_="", job_id=job)
        gathered = Gathered(
            records=list(records),
            bad=bad or [],
            cursor_before=None,
            cursor_after=None,
            complete=False,
            pages=1,
            payload_bytes=0,
            cursor_hashes=[],
        )
        return Landing(self.store, claimed, lambda *_: None).land(gathered).batch_id

    def letter(
        self,
        stream_id: int,
        *,
        stage: str = "landing",
        raw: bytes = b"{}",
        source_id: str | None = None,
        version: int | None = None,
        batch_id: int | None = None,
        reason: str = "It is broken.",
    ) -> int:
        """One dead letter; its number."""
        [owner] = self.execute("SELECT * FROM headrace.streams WHERE stream_id = %s", stream_id)
        who = {"tenant": owner["tenant_id"], "user": owner["user_id"]}
        with self.store.transaction() as session:
            letter = BadRecord(raw, reason, "Mend it.", source_id)
            more = {**who, "stream_id": stream_id, "job_id": "j"}
            bury(session, more, batch_id, stage, [letter], [version])
        [found] = self.execute("SELECT max(dead_letter_id) AS n FROM headrace.dead_letters")
        return int(found["n"])

    def event(
        self, stream_id: int, source_id: str, at: datetime | None = TIME, **more: Any
    ) -> None:
        """One projected event, as a stage would have written it."""
        self.execute(
            "INSERT INTO headrace.events (tenant_id, user_id, stream_id, source_id, version,"
            " batch_id, occurred_at, type, name, properties, search)"
            " SELECT tenant_id, user_id, stream_id, %s, 1, 1, %s, %s, %s, %s,"
            " array_to_tsvector(%s::text[]) FROM headrace.streams WHERE stream_id = %s",
            source_id,
            at,
            more.get("type", "click"),
            more.get("name", "Clicked Buy"),
            Jsonb(more.get("properties", {"page": "/teapot"})),
            more.get("words", ["click", "buy", "teapot"]),
            stream_id,
        )

    def meeting(self, stream_id: int, source_id: str, at: datetime | None = TIME) -> None:
        """One projected event of a calendar."""
        self.execute(
            "INSERT INTO headrace.calendar_events (tenant_id, user_id, stream_id, source_id,"
            " version, batch_id, occurred_at, all_day, title, description)"
            " SELECT tenant_id, user_id, stream_id, %s, 1, 1, %s, false, 'Tea', 'With a teapot.'"
            " FROM headrace.streams WHERE stream_id = %s",
            source_id,
            at,
            stream_id,
        )

    def mail(self, stream_id: int, source_id: str, at: datetime | None = TIME, **more: Any) -> None:
        """One projected message."""
        self.execute(
            "INSERT INTO headrace.interactions (tenant_id, user_id, stream_id, source_id, version,"
            " batch_id, source, kind, occurred_at, from_address, subject, body)"
            " SELECT tenant_id, user_id, stream_id, %s, 1, 1, 'mailbox', 'email_received', %s, %s,"
            " %s, %s FROM headrace.streams WHERE stream_id = %s",
            source_id,
            at,
            more.get("sender", "carol@example.org"),
            more.get("subject", "Invoice"),
            more.get("body", "Please pay the invoice for the teapot."),
            stream_id,
        )

    def insight(self, stream_id: int, source_id: str, **more: Any) -> int:
        """One insight that quotes a message; its number."""
        quote = {"stream_id": stream_id, "source_id": source_id, "version": 1}
        [made] = self.execute(
            "INSERT INTO headrace.insights (tenant_id, user_id, kind, subject, title, summary,"
            " confidence, priority, actions, sources, made_by, prompt_hash, input_hash)"
            " SELECT tenant_id, user_id, %s, %s, 'Invoice', 'Pay.', 0.5, %s, '[]', %s, 'rules 1',"
            " '', %s FROM headrace.streams WHERE stream_id = %s RETURNING insight_id",
            more.get("kind", "thread_summary"),
            more.get("subject", "thread:t1"),
            more.get("priority", "low"),
            Jsonb([{**quote, "quote": "Please pay", "occurred_at": None}]),
            str(more).encode(),
            stream_id,
        )
        return int(made["insight_id"])


@pytest.fixture
def house(store: Database) -> Iterator[House]:
    """The API, running over the test's database."""
    app = create_app(store, Settings(_env_file=None))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield House(store, client)


@pytest.fixture
def client(house: House) -> TestClient:
    """Ann's client; her key sees the whole tenant."""
    return house.client()


@pytest.fixture
def nobody(house: House) -> TestClient:
    """A client without a key."""
    return TestClient(house._client.app, raise_server_exceptions=False)


Problem = Callable[..., dict[str, Any]]


@pytest.fixture
def problem() -> Problem:
    """Checks that an answer is a problem of a status, and returns it."""

    def check(answer: Any, status: int) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        told: dict[str, Any] = answer.json()
        assert {"type", "title", "status", "detail", "hint", "instance", "request_id"} <= set(told)
        assert told["status"] == status
        assert told["request_id"] == answer.headers["x-request-id"]
        return told

    return check
