"""A database with endpoints in it, real ones on loopback, and the sender."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.webhooks.receiver import Receiver

from headrace.engine import sender
from headrace.engine.regularly import Duty, Regularly
from headrace.settings import Settings
from headrace.store import deliveries, outbox, webhooks
from headrace.store.database import Database
from headrace.vault import Vault

TENANT, USER = "acme", "ann"


@pytest.fixture
def store(database: str) -> Iterator[Database]:
    opened = Database(database, name="webhook tests", connections=12).open()
    yield opened
    opened.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().serving() as made:
        yield made


@pytest.fixture
def other() -> Iterator[Receiver]:
    with Receiver().serving() as made:
        yield made


class Post:
    """Endpoints of Ann's, what they are told, and the sender, which a test starts when it wants."""

    def __init__(self, store: Database, home: Path) -> None:
        self.store = store
        self.settings = Settings(
            _env_file=None, headrace_home=home, headrace_webhook_timeout=2, headrace_database_wait=0
        )
        self.vault = Vault.from_settings(self.settings)
        self._started: list[Duty] = []

    def start(self) -> sender.Sender:
        made = sender.Sender(self.store, self.settings, self.vault)
        bell = Regularly("bell", 0.05, made.ring)  # as the dispatcher does when something is due
        for duty in (made, bell):
            self._started.append(duty)
            duty.start()
        return made

    def stop(self) -> None:
        for one in reversed(self._started):
            one.stop()

    def endpoint(self, receiver: Receiver, *events: str, **more: Any) -> str:
        """Its id; the receiver knows its secret."""
        with self.store.transaction() as session:
            row, secret = webhooks.add(
                session,
                self.vault,
                self.settings,
                tenant=TENANT,
                user=USER,
                key_user=None,
                url=receiver.url,
                events=events,
                trusted=True,
                **more,
            )
        receiver.secrets = [secret]
        return str(row["webhook_id"])

    def tell(self, subject: str, **data: Any) -> None:
        with self.store.transaction() as session:
            outbox.tell(
                session,
                tenant=TENANT,
                user=USER,
                event="alert.raised",
                subject=subject,
                data=data,
            )

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with self.store.connection() as session:
            cursor = session.execute(statement.encode(), list(values))
            return cursor.fetchall() if cursor.description else []

    def log(self) -> list[dict[str, Any]]:
        """Every delivery, the oldest first."""
        with self.store.connection() as session:
            return deliveries.listing(session, limit=1000)[::-1]

    def until(self, ready: Callable[[list[dict[str, Any]]], Any]) -> list[dict[str, Any]]:
        """Wait until the log says so."""
        end = time.monotonic() + 60
        while not ready(found := self.log()):
            assert time.monotonic() < end, found
            time.sleep(0.02)
        return found

    def hurry(self) -> None:
        """Whatever waits for its time has waited long enough."""
        self.rows("UPDATE headrace.webhooks SET quiet_until = NULL")
        self.rows(
            "UPDATE headrace.webhook_deliveries SET next_at = now() WHERE state = 'pending'"
            " AND tried_at + interval '1 minute' <> next_at"
        )


@pytest.fixture
def post(store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """See `Post`."""
    monkeypatch.setattr(sender, "LOOK_SECONDS", 0.05)
    made = Post(store, tmp_path)
    yield made
    made.stop()
