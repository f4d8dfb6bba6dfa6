"""Two versions side by side: each ends what it began, and the newer what the older has left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.engine.fleet import Fleet, fleet

from headrace.engine import schema
from headrace.engine.replaced import take_over
from headrace.errors import BadInput
from headrace.store.migrate import upgrade

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

    from headrace.store.database import Database

NEWER = {"HEADRACE_CRASH_VERSION": "headrace-2"}

_RAN = """
SELECT application_version AS version, status FROM dbos.workflow_status
WHERE name = 'headrace.job' ORDER BY created_at
"""

_TAKES_AWAY = re.compile(
    r"DROP (TABLE|COLUMN)|RENAME|SET NOT NULL|ALTER COLUMN \w+ TYPE"
    r"|ADD COLUMN(?![^;,]*(?:DEFAULT|GENERATED))[^;,]*NOT NULL",
    re.IGNORECASE,
)


@pytest.fixture
def workers(bench: Bench, plugin_folder: Path, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(bench, plugin_folder, tmp_path) as mine:
        yield mine


def test_a_rolling_upgrade(bench: Bench, workers: Fleet) -> None:
    """Covers A2.41, A4.16: two old workers, and a new one beside them. A job of the old version is
    taken over by the old one as long as there is one, and by the new one, as a new turn, when the
    last has gone. The schema grows meanwhile. No record is lost or doubled."""
    old = [workers.start(), workers.start()]
    workers.start(**NEWER)
    job = bench.submit(bench.connect(total=6_000, page=20, latency_ms=40))
    bench.until(lambda: _landed(bench) > 200)
    with psycopg.connect(bench.url) as connection:
        connection.execute("ALTER TABLE headrace.jobs ADD COLUMN of_tomorrow text")
        connection.execute("ALTER TABLE headrace.workers ADD COLUMN of_tomorrow int DEFAULT 1")
    first = next(one for one in old if workers.has(one))
    first.kill()
    [heir] = [one for one in old if one is not first]
    bench.until(lambda: job in workers.has(heir))
    before = _landed(bench)
    bench.until(lambda: _landed(bench) > before)
    workers.told(heir)
    assert heir.wait(15) == 0
    assert bench.rows(_RAN) == [{"version": "headrace-1", "status": "ENQUEUED"}]
    bench.settled(job, seconds=90)
    assert bench.numbers() == [(f"{n:06}", 1) for n in range(6_000)]
    assert bench.one("SELECT sum(unchanged) FROM headrace.batches") == 0
    row = bench.job(job)
    assert (row["status"], row["turn"], row["attempts"]) == ("SUCCEEDED", 2, 0)
    assert bench.rows(_RAN) == [
        {"version": "headrace-1", "status": "CANCELLED"},
        {"version": "headrace-2", "status": "SUCCESS"},
    ]


def test_what_a_version_left_is_taken_up(bench: Bench, pool: Database) -> None:
    """A job, the stage of a batch and the message of a job's end; one that waits keeps waiting, and
    nothing is taken from a version of which somebody lives."""
    waits = bench.submit(bench.connect("waits"))
    goes = bench.submit(bench.connect("goes"))
    bench.rows(
        "UPDATE headrace.jobs SET resume_at = now() + interval '1 hour' WHERE job_id = %s"
        " RETURNING job_id",
        waits,
    )
    with pool.transaction() as connection:
        for name, id_ in (("headrace.stage", "stage:probe_numbers:1:7:2"), ("headrace.tend", "t")):
            connection.execute(
                "SELECT dbos.enqueue_workflow(workflow_name => %s, queue_name => 'q',"
                " workflow_id => %s, application_name => 'headrace')",
                [name, id_],
            )
        connection.execute("UPDATE dbos.workflow_status SET application_version = 'headrace-0'")
        connection.execute(
            "INSERT INTO headrace.workers (executor_id, slot, version)"
            " VALUES ('old', 99, 'headrace-0')"
        )
        assert take_over(connection) == 0
        connection.execute("UPDATE headrace.workers SET dead_at = now()")
        assert take_over(connection) == 4
        assert take_over(connection) == 0
    found = {
        row["workflow_uuid"]: (row["application_version"], row["status"])
        for row in bench.rows("SELECT * FROM dbos.workflow_status")
    }
    left, own = ("headrace-0", "CANCELLED"), "headrace-1"
    assert found == {
        waits: left,
        f"{waits}/2": (own, "DELAYED"),
        goes: left,
        f"{goes}/2": (own, "ENQUEUED"),
        "stage:probe_numbers:1:7:2": left,
        "stage:probe_numbers:1:7:3": (own, "ENQUEUED"),
        "t": (own, "ENQUEUED"),
    }


def test_a_schema_that_is_newer_is_left_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older Headrace starts beside a newer one and goes on; where it cannot, it says so."""
    asked: list[str] = []
    monkeypatch.setattr("headrace.store.migrate.upgrade", asked.append)
    for oldest in ("", ", from 0010 on"):
        _stamp(url, f"headrace 9.1, schema 9998_more, dbos 3.9.0{oldest}")
        schema.prepare(url)
    _stamp(url, "headrace 9.2, schema 9999_less, dbos 3.9.0, from 9998 on")
    with pytest.raises(BadInput, match=r"is of Headrace 9\.2, and .* is too old for it"):
        schema.prepare(url)
    assert not asked


def test_migrations_only_add() -> None:
    """What code from before a migration uses stays, or OLDEST says that it does not."""
    migrations = Path(upgrade.__code__.co_filename).parent / "migrations" / "versions"
    for file in migrations.glob("[0-9]*.py"):
        if file.stem[:4] > schema.OLDEST:
            up = re.sub(
                r'^BACK = ("""|").*?\1', "", file.read_text(), flags=re.MULTILINE | re.DOTALL
            )
            up = up.partition("def downgrade")[0]
            assert not _TAKES_AWAY.search(up), file.name


def _landed(bench: Bench) -> int:
    return int(bench.one("SELECT count(*) FROM headrace.raw_events"))


def _stamp(url: str, text: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(f"COMMENT ON SCHEMA headrace IS '{text}'")
