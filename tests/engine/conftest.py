"""A database with the engine's schema, a plugin, and the engine in this process."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.channel import receiver  # noqa: F401
from tests.valkey import valkey  # noqa: F401

from headrace import plugins
from headrace.engine import jobs
from headrace.engine.gather import Gathering
from headrace.engine.progress import progress
from headrace.engine.runtime import engine
from headrace.engine.sync import Outcome, Source
from headrace.engine.walk import Budget
from headrace.provider import JSON, Page, Record, StreamPlan
from headrace.settings import Settings
from headrace.store import connections
from headrace.store.checkpoints import claim
from headrace.store.database import Database
from headrace.store.landing import Landing
from headrace.vault import Vault

TENANT, USER = "acme", "ann"
CONTENT = "application/x-probe"

_PROBE = Path(__file__).parent / "probe" / "probe.py"


@pytest.fixture
def url(engine_database: str) -> str:
    """URL of a database of the test's own that has both schemas."""
    return engine_database


@pytest.fixture
def pool(url: str) -> Iterator[Database]:
    """A pool of the test's own, for asking and for submitting."""
    opened = Database(url, name="engine tests").open()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH in which the probe is installed, as pip leaves a package."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "probe.py").write_bytes(_PROBE.read_bytes())
    info = folder / "probe-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probe\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[headrace.providers]\nprobe = probe\n[headrace.stages]\nprobe = probe\n"
    )
    return folder


@pytest.fixture
def probe(plugin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The probe, installed for this process too: its module."""
    monkeypatch.syspath_prepend(plugin_folder)
    for found in (plugins.providers, plugins.stages):
        found.cache_clear()
    plugins.stages()
    module = sys.modules["probe"]
    yield module
    module.scripts.clear()
    for found in (plugins.providers, plugins.stages):
        found.cache_clear()


class Bench:
    """Connections of the probe and their jobs."""

    def __init__(self, url: str, database: Database) -> None:
        self.url = url
        self.database = database

    def connect(self, name: str = "numbers", **config: Any) -> dict[str, Any]:
        """A connection of the probe."""
        with self.database.transaction() as session:
            return connections.save(
                session, tenant=TENANT, user=USER, provider="probe", name=name, config=config
            )

    def submit(self, connection: dict[str, Any], **more: Any) -> str:
        """Its sync job's id."""
        with self.database.transaction() as session:
            row, _ = jobs.submit(
                session,
                tenant=TENANT,
                user=USER,
                kind="probe_sync",
                connection_id=connection["connection_id"],
                **more,
            )
        return str(row["job_id"])

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query answers."""
        with self.database.connection() as session:
            return session.execute(query.encode(), values).fetchall()

    def job(self, job_id: str) -> dict[str, Any]:
        """The job's row."""
        [row] = self.rows("SELECT * FROM headrace.jobs WHERE job_id = %s", job_id)
        return row

    def one(self, query: str, *values: Any) -> Any:
        """The one value a query answers."""
        [row] = self.rows(query, *values)
        return next(iter(row.values()))

    def until(self, ready: Callable[[], Any], *, seconds: float = 60) -> None:
        """Wait until something is so. A database that is away for a moment is asked again."""
        end = time.monotonic() + seconds
        while True:
            try:
                if ready():
                    return
            except psycopg.OperationalError:
                pass
            assert time.monotonic() < end, self.rows(
                "SELECT job_id, status, turn, attempts, last_error FROM headrace.jobs"
            )
            time.sleep(0.02)

    def settled(self, *job_ids: str, seconds: float = 60) -> None:
        """Wait until these jobs are over, and all they landed has been worked through."""

        def over() -> bool:
            with self.database.connection() as session:
                return all(progress(session, one).settled for one in job_ids)

        self.until(over, seconds=seconds)

    def hurry(self) -> None:
        """Whatever waits for its time has waited long enough."""
        self.rows(
            "UPDATE dbos.workflow_status SET delay_until_epoch_ms = 1 WHERE status = 'DELAYED'"
            " RETURNING workflow_uuid"
        )

    def numbers(self) -> list[tuple[str, int]]:
        """Every raw event, in order, and every one of them as its stage shows it."""
        raw = self.rows("SELECT source_id, version FROM headrace.raw_events ORDER BY 1, 2")
        shown = self.rows("SELECT source_id, version FROM headrace.events ORDER BY 1, 2")
        assert raw == shown
        return [(row["source_id"], row["version"]) for row in raw]


@pytest.fixture
def bench(url: str, pool: Database, probe: Any) -> Bench:
    """See `Bench`."""
    return Bench(url, pool)


class Trail:
    """A connection of the probe whose answers the test writes, walked leg by leg, without the
    engine: what a durable step does, and nothing around it."""

    def __init__(self, bench: Bench, scripts: dict[str, Any]) -> None:
        self.bench = bench
        self._scripts = scripts
        self.asked: list[JSON] = []
        self.connection = bench.connect(script="trail")
        self.job_id = bench.submit(self.connection)

    def answers(self, answer: Callable[[JSON], Page | Awaitable[Page]]) -> None:
        """What the source answers to a cursor; it may raise."""

        async def fetch(slice_: str, cursor: JSON) -> Page:
            self.asked.append(cursor)
            found = answer(cursor)
            return found if isinstance(found, Page) else await found

        self._scripts["trail"] = fetch

    async def leg(self, *, seconds: float = 60, records: int | None = None) -> Outcome:
        """Walk until the end, the budget, or whatever stops it."""
        settings = Settings(_env_file=None)
        [connection] = self.bench.rows("SELECT * FROM headrace.connections")
        source = Source(self.bench.database, settings, Vault(bytes(32)), connection)
        [part] = await source.plan()
        return await source.walk(self.job_id, part, Budget(seconds, records))

    def land_one(self, *records: Record, content: str = CONTENT) -> int:
        """Land one batch for the job, outside of any walk; its number."""
        with self.bench.database.transaction() as session:
            [part] = connections.plan(
                session, self.connection, [StreamPlan("numbers", content=content)]
            )
            claimed = claim(
                session,
                tenant=TENANT,
                user=USER,
                stream_id=part.stream_id,
                slice_=part.slice,
                job_id=self.job_id,
            )
        gathering = Gathering(None)
        gathering.add(Page(records or [Record("one", b"1")], "1", more=True), None)
        Landing(self.bench.database, claimed, lambda *_: None).land(gathering.take())
        return int(self.batches()[-1]["batch_id"])

    def next_job(self) -> None:
        """The job is over, and the connection's next one is under way."""
        self.bench.rows(
            "UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now() RETURNING job_id"
        )
        self.job_id = self.bench.submit(self.connection)

    def raw(self) -> list[str]:
        """The ids that were landed, in order."""
        query = "SELECT source_id FROM headrace.raw_events ORDER BY source_id"
        return [row["source_id"] for row in self.bench.rows(query)]

    def batches(self) -> list[dict[str, Any]]:
        """What was committed, in order."""
        return self.bench.rows("SELECT * FROM headrace.batches ORDER BY batch_id")

    def checkpoint(self) -> dict[str, Any]:
        """How far it is."""
        [row] = self.bench.rows("SELECT * FROM headrace.checkpoints")
        return row

    @staticmethod
    def page(*names: str, cursor: JSON = None, more: bool = True, payload: bytes = b"{}") -> Page:
        """A page of records with these names."""
        return Page([Record(name, payload) for name in names], cursor, more)


@pytest.fixture
def trail(bench: Bench, probe: Any) -> Trail:
    """See `Trail`."""
    return Trail(bench, probe.scripts)


@pytest.fixture
def running(url: str, tmp_path: Path) -> Callable[..., AbstractContextManager[Database]]:
    """`with running(headrace_workers=2):` is the real engine in this process."""

    @contextmanager
    def run(**settings: Any) -> Iterator[Database]:
        made = Settings(_env_file=None, headrace_home=tmp_path, **settings)
        with engine(url, made) as opened:
            yield opened

    return run
