"""What runs first: lanes, shares of owners, places given up, and nothing that waits for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from headrace.engine import jobs, lanes, sync
from headrace.engine.lanes import BAND, LANES, PRIORITIES, band
from headrace.engine.queues import JOBS, QUEUES, STAGES, Work, enqueue, enqueue_many
from headrace.provider import Record
from headrace.store import connections
from headrace.store import jobs as job_rows

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail

Running = Callable[..., AbstractContextManager[Any]]


def put(bench: Bench, name: str, owner: str = "a", lane: str = "incremental", **more: Any) -> None:
    """Something on the queue of jobs."""
    with bench.database.transaction() as session:
        enqueue(session, "none", name, queue=JOBS, owner=owner, lane=lane, **more)


def order(bench: Bench) -> list[str]:
    """What waits, in the order in which DBOS takes it."""
    rows = bench.rows(
        "SELECT workflow_uuid FROM dbos.workflow_status WHERE status = 'ENQUEUED'"
        " ORDER BY priority, created_at, workflow_uuid"
    )
    return [row["workflow_uuid"] for row in rows]


def take(bench: Bench, count: int = 1) -> None:
    """Somebody takes the first ones."""
    for name in order(bench)[:count]:
        bench.rows(
            "UPDATE dbos.workflow_status SET status = 'PENDING' WHERE workflow_uuid = %s"
            " RETURNING status",
            name,
        )


def age(bench: Bench, name: str, seconds: float) -> None:
    """It has waited that long."""
    bench.rows(
        "UPDATE dbos.workflow_status SET (created_at, updated_at) ="
        " (SELECT created_at - ago, updated_at - ago FROM (SELECT %s * 1000) waited (ago))"
        " WHERE workflow_uuid LIKE %s RETURNING status",
        seconds,
        name,
    )


def sync_for(bench: Bench, tenant: str, name: str, lane: str, **config: Any) -> str:
    """A sync job of somebody's new connection; its id."""
    with bench.database.transaction() as session:
        row = connections.save(
            session, tenant=tenant, user="u", provider="probe", name=name, config=config
        )
        job, _ = jobs.submit(
            session,
            tenant=tenant,
            user="u",
            kind="probe_sync",
            connection_id=row["connection_id"],
            lane=lane,
        )
    return str(job["job_id"])


def test_bands_follow_each_other_and_fit() -> None:
    """Covers A3.41: what a person said goes before what it is, and no number is above int4."""
    all_ = [band(priority, lane) for priority in PRIORITIES for lane in LANES]
    assert all(last < first for (_, last), (first, _) in pairwise(all_))
    assert lanes.FRONT < BAND <= all_[0][0]
    assert all_[-1][1] < 2**31


def test_what_it_is_decides_where_nobody_has_said(bench: Bench) -> None:
    """Covers A3.41: interactive, incremental, backfill, reconcile."""
    for lane in reversed(LANES):
        put(bench, lane, lane=lane)
    put(bench, "urgent backfill", lane="backfill", priority="urgent")
    assert order(bench) == ["urgent backfill", *LANES]


def test_owners_take_turns(bench: Bench) -> None:
    """Covers A3.43: one with a thousand waiting is one of two, not a thousand of a thousand and
    one; and nobody who comes later goes before what has waited its turn."""
    with bench.database.transaction() as session:
        many = [Work(f"many{n:03}", (), "many", lane="incremental") for n in range(500)]
        enqueue_many(session, "none", many, queue=JOBS)
    take(bench, 100)
    put(bench, "one0", "one")
    put(bench, "one1", "one")
    first = order(bench)[:4]
    assert first == ["many100", "one0", "many101", "one1"]
    take(bench, 4)
    put(bench, "another", "another")
    put(bench, "many500", "many")
    assert order(bench)[:2] == ["many102", "another"]
    assert order(bench)[-1] == "many500"


def test_a_number_is_two_looks_in_an_index(bench: Bench) -> None:
    """However much is waiting: nothing is counted."""
    bench.rows(
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, priority,"
        " queue_partition_key, created_at, updated_at) SELECT 'w' || n, 'ENQUEUED', 'none', %s,"
        " %s + n, 'many', 1, 1 FROM generate_series(1, 50000) n RETURNING 1 AS n",
        JOBS,
        band("medium", "incremental")[0],
    )
    values = {"queue": JOBS, "owner": "many"}
    first, last = band("medium", "incremental")
    with bench.database.connection() as session:
        session.execute("ANALYZE dbos.workflow_status")
        plan = session.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT {lanes.NUMBER} FROM (VALUES"
            f" ('many', {first}, {last}, 0)) AS wanted (owner, first, last, nth)".encode(),
            values,
        ).fetchone()
    assert plan is not None
    told = str(plan)
    assert "Seq Scan" not in told
    assert plan["QUERY PLAN"][0]["Execution Time"] < 20


def test_the_first_batches_of_a_job_go_in_its_lane(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is long is a backfill, whoever has asked for it."""
    monkeypatch.setattr(lanes, "SHORT_BATCHES", 2)
    for n in range(4):
        trail.land_one(Record(f"r{n}", b"1"))
    with trail.bench.database.connection() as session:
        found = [lanes.of_batch(session, row["batch_id"])["lane"] for row in trail.batches()]
    assert found == ["interactive", "interactive", "backfill", "backfill"]


def test_a_place_is_given_up_to_what_goes_before(bench: Bench) -> None:
    """At once to what is shorter, after a minute to its like, never to what comes after it; and not
    before a free worker has had its chance."""
    [share, moment] = [lanes.SHARE_SECONDS, 0.0]

    def gives(lane: str, ran: float) -> bool:
        with bench.database.connection() as session:
            return lanes.gives_way(session, JOBS, "medium", lane, ran)

    assert not gives("backfill", share)
    put(bench, "like", lane="backfill")
    age(bench, "like", 5)
    assert [gives("incremental", ran) for ran in (moment, share)] == [False, True]
    put(bench, "mail", lane="incremental")
    assert not gives("backfill", moment)
    age(bench, "mail", 5)
    assert gives("backfill", moment)
    # Handed over by a worker that leaves: as old as it is, it came to the queue just now.
    now = "UPDATE dbos.workflow_status SET updated_at = extract(epoch FROM now()) * 1000"
    bench.rows(f"{now} WHERE workflow_uuid = 'mail' RETURNING status")
    assert not gives("backfill", moment)
    age(bench, "mail", 5)
    take(bench, 2)
    put(bench, "sweep", lane="reconcile")
    age(bench, "sweep", 5)
    assert not gives("backfill", share)


def test_nothing_starves(bench: Bench) -> None:
    """Covers A3.27: the first of each band that waits too long is moved up, one at a time; what
    goes on by itself is left alone."""

    def move() -> int:
        with bench.database.transaction() as session:
            return lanes.move_up(session, list(QUEUES))

    for n in range(3):
        put(bench, f"low{n}", lane="reconcile", priority="low")
    put(bench, "old", lane="backfill")
    put(bench, "new", lane="interactive")
    assert move() == 0
    age(bench, "low%", 400)
    age(bench, "old", 500)
    assert move() == 1
    assert order(bench)[0] == "old"
    assert move() == 0, "one at a time"
    take(bench)
    assert move() == 1
    assert order(bench)[:2] == ["low0", "new"]


def test_a_backfill_of_one_does_not_keep_the_mail_of_another(
    bench: Bench, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A3.43, A3.41: with every place taken by backfills that go on for minutes, a small sync
    of another tenant is through its stages within seconds, and the backfills go on."""
    monkeypatch.setattr(sync, "LEG_SECONDS", 1.0)
    endless = {"total": 10**9, "page": 20, "latency_ms": 5}
    big = [sync_for(bench, "big", f"b{n}", "incremental", **endless) for n in range(4)]
    with running(headrace_workers=2):
        bench.until(lambda: bench.one("SELECT count(*) > 60 FROM headrace.batches"))
        began = time.monotonic()
        small = [sync_for(bench, "small", f"s{n}", "incremental", total=30) for n in range(3)]
        bench.settled(*small, seconds=30)
        took = time.monotonic() - began
        assert took < 15, took
        landed = bench.one("SELECT count(*) FROM headrace.raw_events WHERE tenant_id = 'big'")
        bench.until(
            lambda: bench.one(
                "SELECT count(*) > %s FROM headrace.raw_events WHERE tenant_id = 'big'",
                landed + 1000,
            )
        )
        for one in big:
            bench.until(lambda one=one: cancelled(bench, one))  # type: ignore[misc]
    assert bench.one("SELECT max(turn) > 1 FROM headrace.jobs WHERE tenant_id = 'big'")
    assert bench.one("SELECT DISTINCT lane FROM headrace.jobs WHERE turn > 1") == "backfill"
    late = bench.one(
        "SELECT count(*) FROM dbos.workflow_status WHERE queue_name = %s AND status = 'ENQUEUED'"
        " AND queue_partition_key = 'small/u'",
        STAGES,
    )
    assert late == 0


def cancelled(bench: Bench, job_id: str) -> bool:
    """Cancel it, and say so."""
    with bench.database.transaction() as session:
        row = job_rows.get(session, job_id)
        if row is not None and row["status"] in ("PENDING", "RUNNING"):
            jobs.cancel(session, job_id)
    return True
