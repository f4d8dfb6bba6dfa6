"""Retention: what nothing needs any more goes, and everything else reads as before."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
from tests.engine.conftest import TENANT, USER, Trail
from tests.engine.test_replay import run as run_replay
from tests.engine.test_replay import submit as submit_replay

from headrace import plugins
from headrace.engine import job_letters, redrive_many, retention, sweep
from headrace.engine.cascade import run_stage
from headrace.engine.mend import mend
from headrace.engine.progress import progress
from headrace.errors import BadInput
from headrace.out.why import why
from headrace.provider import Record
from headrace.rows import EventRow, TimelineRow
from headrace.settings import Settings
from headrace.stage import StreamContext, stage

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

FIRST, SECOND = "probe_numbers", "retold"
SETTINGS = Settings(_env_file=None, headrace_keep_versions=1, headrace_keep_version_days=100)
PAYLOADS = [b"1", b"2", b"3", b"9", b"refuse", b"half"]


@pytest.fixture(autouse=True)
def second(probe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more stage: a sentence on each number, except on 9."""

    @stage(version=1)
    def retold(row: EventRow, _: StreamContext) -> Iterable[TimelineRow]:
        if row.name != "9":
            yield TimelineRow(
                source_id=row.source_id, version=row.version, kind="number", sentence=row.name or ""
            )

    monkeypatch.setitem(plugins.stages(), SECOND, retold)


class Twins:
    """Two streams with one history; of the first everything is old, so that retention takes what it
    may, and of the second nothing is."""

    def __init__(self, bench: Bench, scripts: dict[str, Any]) -> None:
        self.bench = bench
        self.old = Trail(bench, scripts)
        self.young = object.__new__(Trail)
        self.young.bench, self.young.asked = bench, []
        self.young.connection = bench.connect("twin", script="twin")
        self.young.job_id = bench.submit(self.young.connection)
        self.batches: list[tuple[int, int]] = []

    def land(self, *records: Record) -> None:
        both = [trail.land_one(*records) for trail in (self.old, self.young)]
        self.batches.append((both[0], both[1]))

    def work(self, name: str, pair: tuple[int, int], there: set[int] | None = None) -> None:
        for number in pair:
            if there is None or number in there:
                run_stage(self.bench.database, name, number)

    def age(self) -> None:
        """Everything of the first stream has been there for years."""
        stream = self.stream(self.old)
        self.bench.rows(
            "UPDATE headrace.batches SET committed_at = now() - interval '3 years'"
            " WHERE stream_id = %s RETURNING 1",
            stream,
        )
        self.bench.rows(
            "UPDATE headrace.dead_letters SET last_at = now() - interval '3 years', resolved_at ="
            " CASE WHEN resolved_at IS NOT NULL THEN now() - interval '3 years' END"
            " WHERE stream_id = %s RETURNING 1",
            stream,
        )
        self.bench.rows(
            "UPDATE headrace.jobs SET completed_at = now() - interval '3 years'"
            " WHERE completed_at IS NOT NULL AND connection_id = %s RETURNING 1",
            self.old.connection["connection_id"],
        )

    def stream(self, trail: Trail) -> int:
        return int(
            self.bench.one(
                "SELECT stream_id FROM headrace.streams WHERE connection_id = %s",
                trail.connection["connection_id"],
            )
        )

    def tables(self, trail: Trail) -> list[tuple[Any, ...]]:
        """What was derived in a stream, but for the numbers of the stream and its batches."""
        at = {pair[0 if trail is self.old else 1]: n for n, pair in enumerate(self.batches)}
        return [
            (table, row["source_id"], row["version"], row["said"], at.get(row["batch_id"], "mend"))
            for table, said in (("events", "name"), ("timeline_events", "sentence"))
            for row in self.bench.rows(
                f"SELECT source_id, version, batch_id, {said} AS said FROM headrace.{table}"
                " WHERE stream_id = %s ORDER BY source_id",
                self.stream(trail),
            )
        ]

    def stranded(self, trail: Trail) -> list[tuple[Any, ...]]:
        """What the sweeper would find of a stream's batches."""
        values = {**plugins.wiring(), "quiet": -1, "limit": 1000}
        at = {pair[0 if trail is self.old else 1]: n for n, pair in enumerate(self.batches)}
        with self.bench.database.connection() as session:
            rows = session.execute(sweep._STRANDED, values).fetchall()
        return sorted(
            (at[row["batch_id"]], row["stage"], row["tried"])
            for row in rows
            if row["batch_id"] in at
        )

    def step(self, chance: random.Random) -> None:
        """Something that happens to both."""
        kind = chance.choice(["land", "land", "land", "work", "work", "retry", "drop", "mend"])
        if kind == "land" or not self.batches:
            records = [
                Record(name, b"", gone=True)
                if chance.random() < 0.15
                else Record(name, chance.choice(PAYLOADS))
                for name in chance.sample("abcde", chance.randint(1, 3))
            ]
            self.land(*records)
            if chance.random() < 0.7:
                self.bench.rows("UPDATE headrace.checkpoints SET walk = walk + 1 RETURNING 1")
            return
        if kind == "work":
            there = {row["batch_id"] for row in self.bench.rows("SELECT * FROM headrace.batches")}
            pair = chance.choice(self.batches)
            self.work(FIRST, pair, there)
            if chance.random() < 0.8:
                self.work(SECOND, pair, there)
            return
        letters = [self.letters(trail) for trail in (self.old, self.young)]
        if kind == "retry":
            redrive_many.retry_all(self.bench.database, TENANT, USER)
        elif letters[0] and kind == "drop":
            at = chance.randrange(len(letters[0]))
            self.bench.rows(
                "UPDATE headrace.dead_letters SET state = 'dropped', resolved_at = now()"
                " WHERE dead_letter_id = ANY(%s) RETURNING 1",
                [one[at] for one in letters],
            )
        elif letters[0]:
            at = chance.randrange(len(letters[0]))
            for one in letters:
                with contextlib.suppress(BadInput):  # the source has sent it anew since
                    mend(self.bench.database, TENANT, USER, one[at], b"4")
            mended = self.bench.rows(
                "SELECT batch_id FROM headrace.batches WHERE job_id = 'mend' AND batch_id > %s"
                " ORDER BY batch_id",
                self.batches[-1][1],
            )
            if mended:
                first, second = (row["batch_id"] for row in mended)
                self.batches.append((first, second))

    def letters(self, trail: Trail) -> list[int]:
        rows = self.bench.rows(
            "SELECT dead_letter_id FROM headrace.dead_letters WHERE stream_id = %s"
            " AND state = 'open' ORDER BY source_id, version, stage",
            self.stream(trail),
        )
        return [row["dead_letter_id"] for row in rows]

    def retain(self) -> int:
        """Let retention pass, and look whether every reader answers as before; what has gone."""
        self.age()
        before = (self.tables(self.old), self.stranded(self.old), self.newest())
        found = retention.sweep_out(self.bench.database, SETTINGS)
        assert (self.tables(self.old), self.stranded(self.old), self.newest()) == before
        stream = self.stream(self.old)
        with self.bench.database.people(TENANT, USER) as session:
            for table, source_id, version, *_ in self.tables(self.old):
                kind = "event" if table == "events" else "timeline"
                told = why(session, kind, f"{stream}:{source_id}")
                assert told is not None
                assert version in {one["version"] for one in told.records[0].versions}
                assert None not in {one["committed_at"] for one in told.records[0].versions}
            progress(session, self.old.job_id)
        return sum(one.rows for one in found)

    def newest(self) -> list[dict[str, Any]]:
        """The newest version of each record, which the next landing is held against."""
        return self.bench.rows(
            "SELECT DISTINCT ON (source_id) source_id, version, content_hash, mends"
            " FROM headrace.raw_events WHERE stream_id = %s ORDER BY source_id, version DESC",
            self.stream(self.old),
        )


@pytest.fixture
def twins(bench: Bench, probe: Any) -> Twins:
    return Twins(bench, probe.scripts)


@pytest.mark.parametrize("seed", range(int(os.environ.get("HEADRACE_HISTORIES", "3"))))
def test_at_any_moment_every_reader_is_as_without_it(twins: Twins, seed: int) -> None:
    """Random histories of edits, deletions, refusals, retries and mends, with retention in between:
    rows, sweeper, lineage and, in the end, a replay are those of a stream that it leaves alone."""
    chance = random.Random(seed)
    removed = 0
    for _ in range(40):
        twins.step(chance)
        if chance.random() < 0.3:
            removed += twins.retain()
    for pair in twins.batches:
        there = {row["batch_id"] for row in twins.bench.rows("SELECT * FROM headrace.batches")}
        twins.work(FIRST, pair, there)
        twins.work(SECOND, pair, there)
    removed += twins.retain()
    twins.bench.rows(
        "UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now()"
        " WHERE status IN ('PENDING', 'RUNNING') RETURNING 1"
    )
    ended = run_replay(twins.bench, submit_replay(twins.bench))
    assert ended["status"] == "SUCCEEDED"
    assert twins.tables(twins.old) == twins.tables(twins.young)
    assert twins.stranded(twins.old) == twins.stranded(twins.young) == []
    assert removed > 0


_WORKFLOW = """
INSERT INTO dbos.workflow_status (workflow_uuid, status, name, created_at, updated_at, completed_at,
  priority, application_name)
SELECT %(id)s, %(status)s, 'headrace.x', ms, ms, CASE WHEN %(over)s THEN ms END, 1, %(of)s
FROM (SELECT (extract(epoch FROM now() - %(days)s * interval '1 day') * 1000)::bigint AS ms) AS at
RETURNING 1
"""


def workflow(
    bench: Bench, id_: str, status: str = "SUCCESS", *, days: int = 30, of: str = "headrace"
) -> None:
    over = status not in ("ENQUEUED", "PENDING", "DELAYED")
    values = {"id": id_, "status": status, "days": days, "of": of, "over": over}
    with bench.database.connection() as session:
        session.execute(_WORKFLOW.encode(), values)
        session.execute(
            "INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output,"
            " retention_timestamp) VALUES (%s, 0, 'step', 'x', 0)",
            [id_],
        )


def left(bench: Bench) -> list[str]:
    """The workflows that are there. Steps without one would be garbage."""
    rows = bench.rows("SELECT workflow_uuid AS id FROM dbos.workflow_status ORDER BY 1")
    steps = bench.rows("SELECT workflow_uuid AS id FROM dbos.operation_outputs ORDER BY 1")
    found = [row["id"] for row in rows]
    assert {row["id"] for row in steps} <= set(found)
    return found


def test_workflows_go_that_are_over_and_not_counted_any_more(trail: Trail) -> None:
    """What is under way stays, what the sweeper counts, what is young, and what is somebody
    else's."""
    bench = trail.bench
    batch, lacking = trail.land_one(Record("a", b"1")), trail.land_one(Record("b", b"1"))
    for name in (FIRST, SECOND):
        run_stage(bench.database, name, batch)
    with bench.database.connection() as session:
        session.execute("TRUNCATE dbos.workflow_status CASCADE")
    for attempt in (1, 2, 3):
        workflow(bench, f"stage:{FIRST}:1:{batch}:{attempt}")
        workflow(bench, f"stage:{FIRST}:1:{lacking}:{attempt}", "ERROR")
    workflow(bench, f"stage:{SECOND}:1:{batch}:1")
    workflow(bench, f"stage:{SECOND}:1:{batch}:2", "DELAYED")
    workflow(bench, f"stage:{FIRST}:1:{batch + 1000}:1", "CANCELLED")
    workflow(bench, "young", days=1)
    workflow(bench, "theirs", of="an application")
    workflow(bench, trail.job_id)
    workflow(bench, f"{trail.job_id}/2", "ERROR")
    workflow(bench, "over")
    workflow(bench, "over/2")
    before = sweep.sweep(bench.database, quiet=10**6)
    for _ in range(4):  # the attempts of a stage go one a pass, the last one first
        retention.sweep_out(bench.database, SETTINGS)
    assert left(bench) == sorted(
        [
            *(f"stage:{FIRST}:1:{lacking}:{attempt}" for attempt in (1, 2, 3)),
            *(f"stage:{SECOND}:1:{batch}:{attempt}" for attempt in (1, 2)),
            trail.job_id,
            f"{trail.job_id}/2",
            "theirs",
            "young",
        ]
    )
    assert sweep.sweep(bench.database, quiet=10**6) == before == (0, 0)


def test_it_is_done_a_little_at_a_time_and_goes_on_where_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bookmark moves with what is removed; between two passes there is a rest; one does it."""
    monkeypatch.setattr(retention, "AT_ONCE", 10)
    monkeypatch.setattr(retention, "_WORK_SECONDS", 0)
    for n in range(35):
        workflow(bench, f"w{n}", days=60 - n)
    looks = []
    while left(bench):
        looks.append(retention.look(bench.database, SETTINGS))
    assert looks == [10, 10, 10, 5]
    with bench.database.connection() as session:
        row = retention.standing(session)["workflows"]
        assert (row["removed"], row["removed_bytes"] > 0) == (35, True)
    for _ in range(10):
        retention.look(bench.database, SETTINGS)
    workflow(bench, "later")
    assert retention.look(bench.database, SETTINGS) == 0
    bench.rows("UPDATE headrace.retention SET passed_at = now() - interval '2 hours' RETURNING 1")
    with bench.database.alone(*retention._LOCK):
        assert retention.look(bench.database, SETTINGS) == 0
    assert retention.look(bench.database, SETTINGS) == 1


def test_a_dry_run_removes_nothing_and_says_the_same(bench: Bench) -> None:
    for n in range(5):
        workflow(bench, f"w{n}")
    dry = retention.sweep_out(bench.database, SETTINGS, dry=True)
    assert len(left(bench)) == 5
    done = retention.sweep_out(bench.database, SETTINGS)
    assert [(one.rows, one.bytes) for one in dry] == [(one.rows, one.bytes) for one in done]
    assert dry[0].rows == 5
    assert left(bench) == []


def test_zero_keeps_for_ever(bench: Bench) -> None:
    workflow(bench, "old", days=10_000)
    never = Settings(_env_file=None, headrace_keep_workflow_days=0)
    assert retention.sweep_out(bench.database, never)[0].rows == 0
    assert retention.policies(never)[0].said == "kept for ever"
    assert left(bench) == ["old"]


def test_jobs_and_letters_go_when_nothing_hangs_on_them(trail: Trail) -> None:
    """A job whose batch stands stays, and so does one whose dead letter is open; a letter that was
    let go stays with the version that it is of."""
    bench = trail.bench
    trail.land_one(Record("a", b"refuse"))
    run_stage(bench.database, FIRST, int(trail.batches()[-1]["batch_id"]))
    bench.rows(
        "UPDATE headrace.dead_letters SET state = 'dropped', resolved_at = now() RETURNING 1"
    )
    landed = trail.job_id
    trail.next_job()
    empty = trail.job_id
    trail.next_job()
    failed = trail.job_id
    [row] = bench.rows(
        "UPDATE headrace.jobs SET status = 'FAILED', completed_at = now(), last_error = 'No.'"
        " WHERE job_id = %s RETURNING *",
        failed,
    )
    with bench.database.transaction() as session:
        job_letters.keep(session, row)
    for table, column in (("jobs", "completed_at"), ("dead_letters", "resolved_at")):
        bench.rows(
            f"UPDATE headrace.{table} SET {column} = now() - interval '1 year'"
            f" WHERE {column} IS NOT NULL RETURNING 1"
        )
    bench.rows("UPDATE headrace.dead_letters SET last_at = now() - interval '1 year' RETURNING 1")
    retention.sweep_out(bench.database, SETTINGS)
    kept = {row["job_id"] for row in bench.rows("SELECT job_id FROM headrace.jobs")}
    assert kept == {landed, failed}
    assert empty not in kept
    states = [row["state"] for row in bench.rows("SELECT state FROM headrace.dead_letters")]
    assert sorted(states) == ["dropped", "open"]
    bench.rows(
        "UPDATE headrace.dead_letters SET state = 'retried', resolved_at = last_at RETURNING 1"
    )
    retention.sweep_out(bench.database, SETTINGS)
    assert bench.rows("SELECT 1 FROM headrace.dead_letters") == []
