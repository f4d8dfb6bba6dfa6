"""Replay: the tables are made again of the raw events, by a job, and no source is asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headrace import plugins
from headrace.engine import jobs, replay
from headrace.engine.cascade import run_stage
from headrace.engine.queues import APART
from headrace.engine.replay import Wanted
from headrace.errors import BadInput, Skip
from headrace.provider import Page, Record
from headrace.rows import EventRow, TimelineRow, Vectors
from headrace.stage import Batch, Made, RawEvent, StreamContext, stage

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail

FIRST, SECOND = "probe_numbers", "told"
Running = Callable[..., AbstractContextManager[Any]]

_TABLES = ("events", "timeline_events")
_MADE_UP = """
INSERT INTO headrace.timeline_events (tenant_id, user_id, stream_id, source_id, version, batch_id,
  kind, sentence)
SELECT tenant_id, user_id, stream_id, source_id, version, batch_id, 'number', 'It never said so.'
FROM headrace.raw_events
WHERE source_id IN ('h', 'i') OR (source_id = 'b' AND version = 2)
"""


@pytest.fixture(autouse=True)
def second(probe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more stage: a sentence on each number, except on 9."""

    @stage(version=1)
    def told(row: EventRow, stream: StreamContext) -> Iterable[TimelineRow]:
        if row.name != "9":
            sentence = f"{stream.stream} said {row.name}."
            yield TimelineRow(
                source_id=row.source_id, version=row.version, kind="number", sentence=sentence
            )

    monkeypatch.setitem(plugins.stages(), SECOND, told)


def land(trail: Trail, *records: Record) -> int:
    trail.land_one(*records)
    return int(trail.batches()[-1]["batch_id"])


def build(trail: Trail) -> list[int]:
    """Four batches with edits, deletions and refusals, worked through as they came."""
    batches = [
        land(trail, *[Record(name, b"1") for name in "abcdefg"]),
        land(trail, Record("a", b"9"), Record("b", b"", gone=True), Record("c", b"2")),
        land(trail, Record("d", b"refuse"), Record("e", b"5"), Record("h", b"9")),
        land(trail, Record("e", b"6"), Record("i", b"refuse")),
    ]
    for number in batches:
        for name in (FIRST, SECOND):
            run_stage(trail.bench.database, name, number)
    return batches


def tables(bench: Bench) -> dict[str, list[str]]:
    """Everything that was derived, to the last field."""
    return {
        table: [
            str(sorted(row.items()))
            for row in bench.rows(f"SELECT * FROM headrace.{table} ORDER BY source_id")
        ]
        for table in _TABLES
    }


def tamper(bench: Bench) -> None:
    """Rows deleted, changed, and made up."""
    for statement in (
        "DELETE FROM headrace.events WHERE source_id IN ('c', 'f')",
        "DELETE FROM headrace.timeline_events WHERE source_id IN ('d', 'g')",
        "UPDATE headrace.events SET name = 'other', version = 1 WHERE source_id IN ('e', 'g')",
        "UPDATE headrace.timeline_events SET sentence = 'lies', batch_id = 1 WHERE source_id = 'e'",
        _MADE_UP,
    ):
        bench.rows(f"{statement} RETURNING 1 AS n")


def submit(bench: Bench, **wanted: Any) -> str:
    with bench.database.people("acme", "ann") as session:
        return str(replay.submit(session, "acme", "ann", Wanted(**wanted))["job_id"])


def run(bench: Bench, job_id: str, turn: int = 1) -> dict[str, Any]:
    """A turn of a replay, without the engine around it. Returns the job's row."""
    begun = jobs.begin(bench.database, job_id, turn, 10)
    assert begun is not None
    ended = replay.leg(bench.database, job_id, turn)
    jobs.conclude(bench.database, job_id, turn, begun, ended)
    return bench.job(job_id)


def test_the_tables_are_as_if_built_for_the_first_time(trail: Trail) -> None:
    """Covers A3.31: what was deleted is back, what was changed is right, what was made up is gone;
    the source has not been asked for anything."""
    build(trail)
    fresh = tables(trail.bench)
    tamper(trail.bench)
    assert tables(trail.bench) != fresh
    ended = run(trail.bench, submit(trail.bench))
    assert ended["status"] == "SUCCEEDED", ended
    assert tables(trail.bench) == fresh
    assert not trail.asked
    assert ended["summary"]["batches"] == ended["summary"]["of"] == 4
    assert ended["summary"]["stages"][SECOND]["batches"] == 4


def test_what_a_stage_makes_no_more_goes(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version of the code makes nothing of some records, and refuses others no more: rows of
    the old one go, its dead letters are over, and so is what other stages had made of it all."""
    build(trail)

    @stage(version=1, content="application/x-probe")
    def probe_numbers(raw: RawEvent, stream: StreamContext) -> Iterable[EventRow]:
        if raw.payload == b"5":
            raise Skip("No fives.", hint="Leave it.")
        if raw.source_id not in "fg":
            yield EventRow(source_id=raw.source_id, version=raw.version, name="new")

    monkeypatch.setitem(plugins.stages(), FIRST, probe_numbers)
    run(trail.bench, submit(trail.bench))
    shown = trail.bench.rows("SELECT source_id, name FROM headrace.events ORDER BY 1")
    assert [tuple(row.values()) for row in shown] == [(name, "new") for name in "acdehi"]
    told = trail.bench.rows("SELECT source_id FROM headrace.timeline_events ORDER BY 1")
    assert [row["source_id"] for row in told] == list("acdehi")
    letters = trail.bench.rows("SELECT source_id, state FROM headrace.dead_letters ORDER BY 1")
    assert [tuple(row.values()) for row in letters] == [
        ("d", "retried"), ("e", "open"), ("i", "retried")
    ]  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_landing_goes_on_meanwhile(trail: Trail, order: tuple[int, ...]) -> None:
    """What is landed and worked through while a replay is half way stays: newer rows are not
    replaced by older ones, and what a newer version has taken away does not come back."""
    batches = build(trail)
    bench = trail.bench
    job_id = submit(bench, batch_size=1)
    begun = jobs.begin(bench.database, job_id, 1, 10)
    assert begun
    late = [Record("f", b"9"), Record("g", b"", gone=True), Record("c", b"3")]
    numbers = [land(trail, late[at]) for at in order]
    for number in numbers:
        for name in (FIRST, SECOND):
            run_stage(bench.database, name, number)
    expected = tables(bench)
    ended = replay.leg(bench.database, job_id, 1)
    assert ended.state == "done"
    assert tables(bench) == expected
    assert len(batches) == 4


def test_a_dry_run_says_what_would_change_and_writes_nothing(trail: Trail) -> None:
    """Covers A3.31: counts by table and a sample, field by field; the tables stay as they are, and
    so do dead letters, stage runs and the queue."""
    build(trail)
    bench = trail.bench
    tamper(bench)
    before = tables(bench)
    runs = bench.rows("SELECT * FROM headrace.stage_runs ORDER BY batch_id, stage")
    queue = bench.one("SELECT count(*) FROM dbos.workflow_status")
    ended = run(bench, submit(bench, dry_run=True))
    assert ended["status"] == "SUCCEEDED"
    assert tables(bench) == before
    assert bench.rows("SELECT * FROM headrace.stage_runs ORDER BY batch_id, stage") == runs
    assert bench.one("SELECT count(*) FROM dbos.workflow_status") == queue + 1
    found = ended["summary"]["findings"]
    events, told = found["tables"]["events"], found["tables"]["timeline_events"]
    # c, f and d's sentence are missing; e and g are other ones; h, i and b have none.
    assert (events["added"], events["removed"]) == (2, 0)
    assert events["changed"] == 2
    assert told["removed"] == 3
    lies = [one for one in found["sample"] if one["key"] == {"source_id": "g"}]
    assert ["other", "1"] in [one["fields"].get("name") for one in lies]


def test_what_stands_apart_is_handed_to_the_queue(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for by name, so that changed settings reach every batch; and nothing else is run."""

    def aside(batch: Batch[EventRow]) -> Made[Vectors]:
        raise AssertionError("it is only enqueued")

    monkeypatch.setitem(plugins.stages(), "aside", stage(version=1, apart=True)(aside))
    batches = build(trail)
    bench = trail.bench
    bench.rows("DELETE FROM dbos.workflow_status RETURNING 1 AS n")
    summary = run(bench, submit(bench, stage="aside"))["summary"]
    assert (summary["handed"], summary["stages"]) == (len(batches), {})
    asked = bench.rows(
        "SELECT workflow_uuid, queue_name FROM dbos.workflow_status"
        " WHERE workflow_uuid LIKE 'stage:%%' ORDER BY 1"
    )
    assert [tuple(row.values()) for row in asked] == [
        (f"stage:aside:1:{number}:1", APART) for number in batches
    ]


def test_of_a_dry_run_with_nothing_to_say(trail: Trail) -> None:
    build(trail)
    found = run(trail.bench, submit(trail.bench, dry_run=True))["summary"]["findings"]
    assert all(
        one["added"] == one["changed"] == one["removed"] == 0 for one in found["tables"].values()
    ), found
    assert not found["sample"]


def test_a_replay_can_be_cancelled_and_taken_up_again(trail: Trail) -> None:
    """Covers A3.31: it goes on where it was."""
    build(trail)
    bench = trail.bench
    fresh = tables(bench)
    tamper(bench)
    job_id = submit(bench, batch_size=1)
    jobs.begin(bench.database, job_id, 1, 10)
    with bench.database.people("acme", "ann") as session:
        jobs.cancel(session, job_id)
    assert replay.leg(bench.database, job_id, 1).state == "stop"
    with bench.database.people("acme", "ann") as session:
        turn = jobs.retry(session, job_id)["turn"]
    assert run(bench, job_id, turn)["status"] == "SUCCEEDED"
    assert tables(bench) == fresh


def test_only_what_is_asked_for(trail: Trail) -> None:
    """One stage and what hangs on it; the days that records are of; a connection; asked for twice,
    it is one job."""
    batches = build(trail)
    bench = trail.bench
    bench.rows(
        "UPDATE headrace.raw_events SET occurred_at = now() - interval '40 days'"
        " WHERE batch_id <= %s RETURNING 1 AS n",
        batches[1],
    )
    job_id = submit(bench, days=30, stage=SECOND, provider=["probe"], connection="numbers")
    assert submit(bench, days=30, stage=SECOND, provider=["probe"], connection="numbers") == job_id
    summary = run(bench, job_id)["summary"]
    assert summary["batches"] == 2
    assert list(summary["stages"]) == [SECOND]
    assert run(bench, submit(bench, provider=["gmail"]))["summary"]["of"] == 0


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"days": 91}, "1 to 90 days"),
        ({"batch_size": 201}, "1 to 200 batches"),
        ({"stage": "embd"}, "no stage 'embd'"),
        ({"provider": ["gmial"]}, "no provider 'gmial'"),
        ({"connection": "nowhere"}, "no connection 'nowhere'"),
    ],
)
def test_what_cannot_be_replayed_is_said(trail: Trail, wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        submit(trail.bench, **wanted)


def test_a_batch_that_a_stage_fails_on_goes_to_the_queue(trail: Trail, running: Running) -> None:
    """It is tried again as often as when it was landed, then only the bad record is put aside; the
    replay goes on with the others."""
    trail.answers(lambda _: Page([Record("a", b"1"), Record("b", b"2")], None, more=False))
    bench = trail.bench
    with running():
        bench.settled(bench.submit(trail.connection))
        fresh = tables(bench)
        bench.rows(
            "UPDATE headrace.raw_events SET payload = 'bug' WHERE source_id = 'a' RETURNING 1 n"
        )
        job_id = submit(bench)
        bench.until(lambda: bench.job(job_id)["status"] == "SUCCEEDED")
        assert bench.job(job_id)["summary"]["queued"] == 1

        def buried() -> bool:
            bench.hurry()
            return bool(bench.rows("SELECT 1 AS n FROM headrace.dead_letters"))

        bench.until(buried)
        bench.rows(
            "UPDATE headrace.raw_events SET payload = '1' WHERE source_id = 'a' RETURNING 1 n"
        )
        job_id = submit(bench)
        bench.until(lambda: bench.job(job_id)["status"] == "SUCCEEDED")
    assert tables(bench) == fresh
    assert bench.one("SELECT state FROM headrace.dead_letters") == "retried"


@pytest.mark.parametrize("crash", ["before-replay:3", "in-stage:3", "replay-noted:2"])
def test_a_replay_survives_its_worker(
    trail: Trail, url: str, plugin_folder: Any, running: Running, crash: str
) -> None:
    """Covers A3.31: killed with SIGKILL between two notes, another process goes on after the last
    one; what had been done since is done again, and the tables are as ever."""
    build(trail)
    bench = trail.bench
    fresh = tables(bench)["events"]
    bench.rows("DELETE FROM headrace.events RETURNING 1 AS n")
    job_id = submit(bench, batch_size=1)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{plugin_folder}{os.pathsep}{Path.cwd()}",
        "DATABASE_URL": url,
        "HEADRACE_CRASH": crash,
    }
    killed = subprocess.run(
        [sys.executable, "-m", "headrace.cli", "worker"], env=environment, timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert bench.job(job_id)["summary"]["batches"] == 2
    with running():
        bench.until(lambda: bench.job(job_id)["status"] == "SUCCEEDED")
    assert bench.job(job_id)["summary"]["batches"] == 4
    assert tables(bench)["events"] == fresh
