"""Every stage that there is, run again on what it has worked through: the tables stay as they are.

The stages come from the registry, so that nobody has to remember a new one here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.sayings import CONFIGS, PAYLOADS, STREAMS, Saying
from tests.memory_engine import Server

from headrace import plugins
from headrace.engine import state
from headrace.engine.cascade import run_stage
from headrace.engine.gather import Gathering
from headrace.model import insights, people, projections
from headrace.provider import Page, Record, StreamPlan
from headrace.settings import Settings
from headrace.store import connections, jobs
from headrace.store.checkpoints import claim
from headrace.store.database import Database
from headrace.store.landing import Landing
from headrace.vault import Vault
from headrace.wiring import contents

_MADE = [one for module in (projections, people, insights) for one in vars(module).values()]
TABLES = {one.__tablename__ for one in _MADE if "__tablename__" in getattr(one, "__dict__", {})}
TABLES |= {"dead_letters"}

_OF_THE_RUN = [
    "attempts",
    "created_at",
    "cut_by",
    "embedded_by",
    "history",
    "last_at",
    "read_by",
    "resolved_at",
    "told_at",
]
"""Columns that say when something was done, how often, and in which version of a stage."""
_OF_THE_RUN_THERE = {"contact_identities": ["batch_id"]}
"""Whose next stage looks at it: any batch may that says something of it."""

WHO = st.sampled_from(
    ["bob@example.com", "b.smith@example.com", "zoe@else.example", "me@x.example"]
)
TEXTS = st.sampled_from(["The boat is for sale.", "When can I see it?", "On Monday at noon."])
SAYINGS = st.builds(Saying, TEXTS, WHO, WHO)
BATCHES = st.dictionaries(
    st.sampled_from("abcd"), st.one_of(SAYINGS, SAYINGS, st.sampled_from(["gone", "broken"])),
    min_size=1,
)  # fmt: skip

ALWAYS = dict.fromkeys("az", Saying("I have a boat.", "bob@example.com", "zoe@else.example"))
"""What every history begins with."""


class World:
    """Owners of one stream each, of the same content."""

    def __init__(self, database: Database, content: str) -> None:
        self.database = database
        self.content = content
        self._owners = 0

    def land(self, history: Sequence[dict[str, Any]]) -> list[int]:
        """Everything that happened to a new owner's records, a batch each time."""
        self._owners += 1
        owner: dict[str, Any] = {"tenant": f"t{self._owners}", "user": "ann"}
        plan = StreamPlan(STREAMS.get(self.content, "all"), self.content)
        with self.database.transaction() as session:
            config = CONFIGS.get(self.content, {})
            row = connections.save(session, **owner, provider="rest", name="x", config=config)
            [part] = connections.plan(session, row, [plan])
            job, _ = jobs.create(session, **owner, kind="rest_sync")
            own = {"stream_id": part.stream_id, "slice_": part.slice, "job_id": job["job_id"]}
            claimed = claim(session, **owner, **own)
        landing = Landing(self.database, claimed, lambda *_: None)
        for happened in history:
            gathering = Gathering(None)
            gathering.add(Page([self._record(*one) for one in happened.items()], "1", True), None)
            landing.land(gathering.take())
        query = "SELECT batch_id AS n FROM headrace.batches WHERE tenant_id = %s ORDER BY 1"
        return [row["n"] for row in self.rows(query, owner["tenant"])]

    def _record(self, name: str, said: Saying | str) -> Record:
        if said == "gone":
            return Record(name, b"", gone=True)
        return Record(name, b"\0{" if isinstance(said, str) else PAYLOADS[self.content](said))

    def names(self) -> list[str]:
        """The stages that run on it, in their order."""
        return [step.stage.name for step in plugins.steps(self.content)]

    def chain(self, batches: Sequence[int]) -> None:
        for number in batches:
            for name in self.names():
                run_stage(self.database, name, number)

    def tables(self) -> dict[str, list[str]]:
        """All that was ever made of the owner's records."""
        query = "SELECT to_jsonb(t) - %s::text[] AS one FROM headrace.{} t WHERE tenant_id = %s"
        return {
            table: sorted(
                json.dumps(row["one"], sort_keys=True)
                for row in self.rows(
                    query.format(table),
                    [*_OF_THE_RUN, *_OF_THE_RUN_THERE.get(table, [])],
                    f"t{self._owners}",
                )
            )
            for table in TABLES
        }

    def forget_newer(self, name: str, version: int) -> None:
        """This process has old code again, which would leave the batches of a newer one alone."""
        query = "DELETE FROM headrace.stage_runs WHERE stage = %s AND version > %s RETURNING stage"
        self.rows(query, name, version)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self.database.connection() as session:
            return session.execute(query.encode(), values or None).fetchall()


def unlike(now: dict[str, list[str]], before: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Rows that have come, with a plus, or gone."""
    return [
        (sign, f"{table} {row}")
        for table in TABLES
        for sign, some, others in (("+", now, before), ("-", before, now))
        for row in some[table]
        if row not in others[table]
    ] + [("+", table) for table in TABLES if len(now[table]) > len(before[table])]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def engine(engine_database: str, home: Path) -> Iterator[Database]:
    """A database, and every stage at work: also those that a setting has to ask for."""
    database = Database(engine_database).open()
    with Server() as memory:
        wanted: dict[str, Any] = {
            "memory_engine_url": f"{memory.url}/headrace",
            "headrace_insights": "all",
        }
        made = Settings(_env_file=None, headrace_home=home, **wanted)
        state.enter(state.State(database, made, Vault.from_settings(made)))
        plugins.choose(made)
        yield database
    database.close()
    plugins.choose(Settings(_env_file=None))


@pytest.mark.parametrize("content", sorted(PAYLOADS))
def test_run_twice_the_tables_are_the_same(
    engine: Database, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A1.52: each stage again on every batch, forwards or backwards, and again in a newer
    version that changed nothing; then the whole chain once more."""
    world = World(engine, content)

    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(BATCHES, min_size=1, max_size=2), st.booleans())
    def holds(history: list[dict[str, Any]], backwards: bool) -> None:
        batches = world.land([ALWAYS, *history])
        world.chain(batches)
        before = world.tables()
        assert any(rows for table, rows in before.items() if table != "dead_letters")
        for name in world.names():
            one = plugins.stages()[name]
            for newer in (0, 1):
                with monkeypatch.context() as patched:
                    again = msgspec.structs.replace(one, version=one.version + newer)
                    patched.setitem(plugins.stages(), name, again)
                    for number in reversed(batches) if backwards else batches:
                        run_stage(engine, name, number)
                    assert not unlike(world.tables(), before), (name, again.version)
            world.forget_newer(name, one.version)
        world.chain(batches)
        assert not unlike(world.tables(), before)

    holds()


def test_no_stage_is_left_out(engine: Database) -> None:
    """Whoever brings a new content says in `sayings` what a record of it looks like."""
    assert set(PAYLOADS) == set(contents(plugins.stages().values()))
    run = {step.stage.name for content in PAYLOADS for step in plugins.steps(content)}
    assert run == set(plugins.stages())
