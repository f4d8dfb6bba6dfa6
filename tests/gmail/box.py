"""A mailbox at the Google twin, connected, and what is known of it here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.accounts import at_google, configure, connect, run

from headrace.engine.cascade import run_stage
from headrace.engine.sync import Outcome
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database
from headrace.twin.google import Google
from headrace.twin.google.mailbox import Mailbox
from headrace.twin.message import Request

STAGE = "normalize_google_email"
QUICK = {"pause_ms": 0, "units_per_minute": 1_000_000_000}
"""A config that waits for nothing."""

HIDDEN = frozenset({"SPAM", "TRASH", "DRAFT"})
"""The labels of mail that is left out unless a connection says otherwise."""

_UNSTAGED = """
SELECT batch_id FROM headrace.batches b JOIN headrace.streams s USING (tenant_id, stream_id)
WHERE s.connection_id = %s AND b.inserted > 0 AND NOT EXISTS (
  SELECT FROM headrace.stage_runs r WHERE r.tenant_id = b.tenant_id AND r.batch_id = b.batch_id)
ORDER BY batch_id
"""

_OF_STREAM = "JOIN headrace.streams s USING (tenant_id, stream_id) WHERE s.connection_id = %s"


class Box:
    """`google` is the twin, to change things without HTTP; `sync` is one job."""

    def __init__(
        self, google: Google, url: str, database: Database, *, called: str = "", **config: Any
    ) -> None:
        self.google = google
        self.database = database
        self.settings = at_google(url)
        self.config = {**QUICK, **config}
        self.connection: ConnectionRow = connect(
            database, google, "gmail", called=called, **self.config
        )

    def touch(self, *names: str) -> None:
        """Something changes about these messages: a label of their own is put on them."""
        made = self.mail.create_label(f"Touched {len(self.mail.labels)}")
        for name in names:
            self.mail.label(name, [made])

    @property
    def mail(self) -> Mailbox:
        """The account's mailbox at the twin."""
        return self.google.account().mailbox

    async def sync(self, **more: Any) -> Outcome:
        """One job's outcome; what it has landed has been through the stage."""
        [outcome] = await run(self.database, self.settings, self.connection, **more)
        await asyncio.to_thread(self.stage)
        return outcome

    async def synced(self) -> None:
        """A job that ends well."""
        outcome = await self.sync()
        assert outcome.state == "done", outcome

    def reconfigure(self, **config: Any) -> None:
        """Another config from the next job on."""
        self.config = {**QUICK, **config}
        configure(self.database, self.connection, **self.config)

    def stage(self) -> None:
        """Run the stage on every batch that has not had it."""
        for row in self.rows(_UNSTAGED, self.connection["connection_id"]):
            run_stage(self.database, STAGE, row["batch_id"])

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query answers."""
        with self.database.connection() as session:
            return session.execute(query.encode(), values).fetchall()

    def of_stream(self, columns: str, table: str) -> list[dict[str, Any]]:
        """The rows of a table that are of this connection."""
        query = f"SELECT {columns} FROM headrace.{table} {_OF_STREAM}"
        return self.rows(query, self.connection["connection_id"])

    def shown(self) -> dict[str, list[str]]:
        """The messages that people are shown, with the ids of the labels that they are shown with:
        by their names of this moment, and no others."""
        ids = {name: label for label, name in self.mail.labels.items()}
        rows = self.of_stream("source_id, labels", "interactions")
        return {row["source_id"]: sorted(ids[label] for label in row["labels"]) for row in rows}

    def versions(self) -> dict[str, list[bool]]:
        """Every version of every message that was landed: whether it is a tombstone."""
        found: dict[str, list[bool]] = {}
        columns = "source_id, version, content_hash = '' AS gone"
        for row in sorted(
            self.of_stream(columns, "raw_events"), key=lambda row: int(row["version"])
        ):
            found.setdefault(row["source_id"], []).append(row["gone"])
        return found

    def truth(self, without: frozenset[str] = HIDDEN) -> dict[str, list[str]]:
        """The messages that there are, apart from those with one of these labels."""
        return {one.id: one.label_ids for one in self.mail if not one.labels & without}

    def cursor(self) -> dict[str, Any]:
        """How far it is."""
        [row] = self.of_stream("cursor", "checkpoints")
        found: dict[str, Any] = row["cursor"]
        return found

    def letters(self) -> list[dict[str, Any]]:
        """Dead letters."""
        return self.of_stream("source_id, reason, stage", "dead_letters")

    def calls(self) -> Mapping[str, Any]:
        """The twin's statistics."""
        stats: dict[str, Any] = self.ask("GET", "/admin/stats")
        return stats

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What one of the twin's routes behind the scenes says."""
        content = b"" if body is None else json.dumps(body).encode()
        return _asked(self.google, Request(method, path, {}, {}, content))

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """These fault rules from now on, and no others."""
        self.ask("POST", "/admin/faults", list(rules))

    def during(self, call: str, n: int, *changes: Mapping[str, Any]) -> None:
        """Changes right before the n-th such call from now on."""
        self.ask("POST", "/admin/during", {"at": {"call": call, "n": n}, "changes": list(changes)})


def _asked(google: Google, request: Request) -> Any:
    answered = google.handle(request)
    try:
        answered.send(None)  # the routes behind the scenes wait for nothing
    except StopIteration as ended:
        answer = ended.value
    else:
        raise AssertionError("it waits")
    said = json.loads(b"".join(answer.parts))
    assert answer.status == 200, said
    return said
