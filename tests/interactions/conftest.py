"""Mail that lands and is normalised by a stage of the test's own, and embedded by the real one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace import plugins
from headrace.engine import state
from headrace.engine.cascade import run_stage
from headrace.engine.gather import Gathering
from headrace.provider import Page, Record, StreamPlan
from headrace.rows import InteractionRow
from headrace.settings import Settings
from headrace.stage import RawEvent, StreamContext, stage
from headrace.store import connections, jobs
from headrace.store.checkpoints import claim
from headrace.store.database import Database
from headrace.store.landing import Landing
from headrace.text import text_hash, text_to_embed
from headrace.vault import Vault

CONTENT = "application/x-said"
TENANT, USER = "acme", "ann"


@stage(version=1, content=CONTENT)
def said(raw: RawEvent, stream: StreamContext) -> Iterable[InteractionRow]:
    """A payload is the fields of an interaction."""
    del stream
    known = {"source": "gmail", "kind": "email_received", "subject": None, "body": ""}
    fields: dict[str, Any] = {**known, **json.loads(raw.payload)}
    text = text_to_embed(fields["subject"], fields.get("unquoted"), fields["body"])
    yield InteractionRow(
        source_id=raw.source_id, version=raw.version, text_hash=text_hash(text), **fields
    )


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the model is made once."""
    return tmp_path_factory.mktemp("models")


class Post:
    """A mailbox whose records the test writes."""

    def __init__(self, database: Database, home: Path) -> None:
        self.database = database
        self.home = home
        with database.transaction() as session:
            self.connection = connections.save(
                session, tenant=TENANT, user=USER, provider="rest", name="mail", config={}
            )
            row, _ = jobs.create(session, tenant=TENANT, user=USER, kind="rest_sync")
        self.job_id = str(row["job_id"])
        self.setting()

    def setting(self, **more: Any) -> None:
        """How the service is set up from now on."""
        made = Settings(_env_file=None, headrace_home=self.home, **more)
        state.enter(state.State(self.database, made, Vault.from_settings(made)))
        self.settings = made

    def land(self, *records: Record, stream: str = "mail") -> int:
        """Land one batch and normalise it; its number."""
        with self.database.transaction() as session:
            [part] = connections.plan(session, self.connection, [StreamPlan(stream, CONTENT)])
            claimed = claim(
                session,
                tenant=TENANT,
                user=USER,
                stream_id=part.stream_id,
                slice_=part.slice,
                job_id=self.job_id,
            )
        gathering = Gathering(None)
        gathering.add(Page(list(records), "1", more=True), None)
        Landing(self.database, claimed, lambda *_: None).land(gathering.take())
        number = int(self.rows("SELECT max(batch_id) AS n FROM headrace.batches")[0]["n"])
        run_stage(self.database, "said", number)
        return number

    def embed(self, number: int) -> int:
        """Embed a batch; how many chunks were written."""
        return run_stage(self.database, "embed_interactions", number).rows

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self.database.connection() as session:
            return session.execute(query.encode(), values).fetchall()

    def embedded(self) -> list[str]:
        """The chunks there are, in order."""
        found = self.rows("SELECT body FROM headrace.chunks ORDER BY body")
        return [row["body"] for row in found]


def wrote(name: str, body: str, *, gone: bool = False, **more: Any) -> Record:
    """A record."""
    payload = b"" if gone else json.dumps({"body": body, **more}).encode()
    return Record(name, payload, gone=gone)


@pytest.fixture
def post(engine_database: str, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """See `Post`."""
    known = plugins.stages()
    monkeypatch.setitem(known, said.name, said)
    database = Database(engine_database).open()
    yield Post(database, models)
    database.close()
