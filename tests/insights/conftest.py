"""A person's correspondence as rows, and jobs for insights of it, leg by leg or by the engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from psycopg.types.json import Json
from tests.embedding.endpoint import Said

from headrace.engine import insight, jobs, state
from headrace.engine.insight import Wish
from headrace.engine.sync import Outcome
from headrace.settings import Settings
from headrace.store import insights as store
from headrace.store.database import Database
from headrace.vault import Vault

TENANT, USER = "acme", "ann"
OWN = "ann@acme.example"
STREAM = 7

_SPACE = UUID("6f0c7f1e-6f5b-4b86-9a0c-0b3f4ad1c2aa")


class Desk:
    """Rows as the stages leave them, and what is made of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = datetime.now(UTC)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query answers."""
        with self.database.transaction() as session:
            cursor = session.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def days(self, number: float) -> datetime:
        """So many days ago."""
        return self.now - timedelta(days=number)

    def mail(
        self,
        source_id: str,
        text: str,
        *,
        ago: float = 1,
        sender: str = "bob@example.com",
        thread: str | None = "t1",
        subject: str | None = "The boat",
        user: str = USER,
        tenant: str = TENANT,
        **more: Any,
    ) -> None:
        """One message, with its participants, in version 1."""
        at = self.days(ago)
        mine = sender == OWN
        self.rows(
            "INSERT INTO headrace.interactions (tenant_id, user_id, stream_id, source_id, version,"
            " batch_id, source, kind, occurred_at, direction, thread_id, from_address, from_name,"
            " subject, body, automated) VALUES (%s, %s, %s, %s, 1, %s, 'gmail', %s, %s, %s, %s, %s,"
            " %s, %s, %s, %s)",
            *(tenant, user, STREAM, source_id, more.get("batch", 1)),
            *(more.get("kind", "email"), at, "outbound" if mine else "inbound", thread),
            *(sender, more.get("name"), subject, text, more.get("automated")),
        )
        for role, address in (("from", sender), ("to", more.get("to", OWN))):
            identity = self.identity(address, at, user=user, tenant=tenant)
            self.rows(
                "INSERT INTO headrace.participants (tenant_id, user_id, stream_id, source_id, role,"
                " identity_id, version, batch_id, occurred_at) VALUES (%s, %s, %s, %s, %s, %s, 1,"
                " 1, %s)",
                *(tenant, user, STREAM, source_id, role, identity, at),
            )

    def identity(
        self, address: str, at: datetime | None = None, *, user: str = USER, tenant: str = TENANT
    ) -> UUID:
        """An address, and the contact that it makes unless it is the owner's."""
        found = uuid5(_SPACE, f"{tenant}/{user}/{address}")
        contact = None if address == OWN else found
        self.rows(
            "INSERT INTO headrace.contact_identities (tenant_id, user_id, identity_id, kind, value,"
            " own, contact_id, batch_id) VALUES (%s, %s, %s, 'email', %s, %s, %s, 1)"
            " ON CONFLICT DO NOTHING",
            *(tenant, user, found, address, contact is None, contact),
        )
        if contact is not None:
            self.rows(
                "INSERT INTO headrace.contacts AS c (tenant_id, user_id, contact_id, name, email,"
                " identities, first_seen_at, last_seen_at) VALUES (%s, %s, %s, %s, %s, 1, %s, %s)"
                " ON CONFLICT (contact_id, tenant_id) DO UPDATE SET"
                " first_seen_at = least(c.first_seen_at, excluded.first_seen_at),"
                " last_seen_at = greatest(c.last_seen_at, excluded.last_seen_at)",
                *(tenant, user, found, address.partition("@")[0].title(), address, at, at),
            )
        return found

    def meeting(self, source_id: str, title: str, *, ahead: float, **more: Any) -> None:
        """One appointment, so many days ahead."""
        self.rows(
            "INSERT INTO headrace.calendar_events (tenant_id, user_id, stream_id, source_id,"
            " version, batch_id, occurred_at, title, description, attendees, status, all_day)"
            " VALUES (%s, %s, %s, %s, 1, 1, %s, %s, %s, %s, 'confirmed', false)",
            *(TENANT, USER, STREAM, source_id, self.days(-ahead), title),
            *(more.get("description"), more.get("attendees", [])),
        )

    def suggest(
        self, first: str, second: str, decision: str = "suggested", by: str = "rule"
    ) -> str:
        """Somebody's word on two addresses; the subject of the pair."""
        a, b = sorted((self.identity(first), self.identity(second)))
        self.rows(
            "INSERT INTO headrace.contact_links (tenant_id, user_id, first_id, second_id, decision,"
            " rule, decided_by, score, evidence) VALUES (%s, %s, %s, %s, %s, 'same name', %s, 0.7,"
            " %s)",
            *(TENANT, USER, a, b, decision, by, Json({"name": "Bob"})),
        )
        return f"pair:{a}:{b}"

    def submit(self, kind: str, subject: str | None = None) -> str:
        """A job's id."""
        with self.database.transaction() as session:
            row, _ = insight.submit(session, TENANT, USER, [Wish(kind, subject)])
        return str(row["job_id"])

    def leg(self, job_id: str, **settings: Any) -> Outcome:
        """One leg of a job, as its workflow runs it."""
        run = jobs.begin(self.database, job_id, self.job(job_id)["turn"], 10)
        assert run is not None
        made = Settings(_env_file=None, **settings)
        state.enter(state.State(self.database, made, Vault(bytes(32))))
        return insight.leg(self.database, job_id, self.job(job_id)["turn"])

    def make(self, kind: str, subject: str | None = None, **settings: Any) -> list[dict[str, Any]]:
        """The insights that a job makes, in the order they were made."""
        job_id = self.submit(kind, subject)
        ended = self.leg(job_id, **settings)
        assert ended.state == "done", ended
        return self.made(job_id)

    def made(self, job_id: str) -> list[dict[str, Any]]:
        """What a job has made."""
        with self.database.people(TENANT, USER) as session:
            return store.listing(session, job_id=job_id)[::-1]

    def job(self, job_id: str) -> dict[str, Any]:
        """The job's row."""
        [row] = self.rows("SELECT * FROM headrace.jobs WHERE job_id = %s", job_id)
        return row

    def contact(self, address: str) -> str:
        """The subject of an address."""
        return f"contact:{uuid5(_SPACE, f'{TENANT}/{USER}/{address}')}"


@pytest.fixture
def desk(engine_database: str) -> Iterator[Desk]:
    """See `Desk`."""
    opened = Database(engine_database, name="insight tests").open()
    yield Desk(opened)
    opened.close()


Answer = dict[str, Any] | str


def said(answer: Answer, tokens: int | None = 100) -> Said:
    """A completion with this content."""
    content = answer if isinstance(answer, str) else json.dumps(answer)
    body: dict[str, Any] = {"choices": [{"message": {"role": "assistant", "content": content}}]}
    if tokens is not None:
        body["usage"] = {"total_tokens": tokens}
    return Said(body)


def answer(**more: Any) -> dict[str, Any]:
    """What a model may say about the thread of `talk`."""
    return {
        "title": "Bob waits for a date",
        "summary": "Bob wants to know when the boat can be seen.",
        "confidence": 0.8,
        "priority": "high",
        "actions": ["Tell Bob a date"],
        "sources": [{"source": 1, "quote": "When can I see the boat?"}],
        **more,
    }


@pytest.fixture
def talk(desk: Desk) -> None:
    """A thread of two messages, the newer one with a question."""
    desk.mail("m1", "The boat is for sale.", ago=5, sender=OWN, to="bob@example.com")
    desk.mail("m2", "I like it.\nWhen can I see the boat?", ago=4, subject="Re: The boat")


@pytest.fixture
def model() -> Callable[[str], dict[str, Any]]:
    """Settings for the model at an address."""

    def settings(url: str, **more: Any) -> dict[str, Any]:
        return {"headrace_llm_url": url, "headrace_llm_model": "small", **more}

    return settings
