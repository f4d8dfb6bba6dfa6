"""Schedules of every kind: run once for each of their moments, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.engine.test_schedule import at, due, jobs_of, look

from headrace.cadence.spec import parse
from headrace.engine import arrange, schedule
from headrace.errors import BadInput
from headrace.store import connections, schedules

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

TENANT, USER = "acme", "ann"


def arranged(bench: Bench, kind: str, spec: str, **more: Any) -> str:
    """A schedule's id."""
    wanted = {"tenant": TENANT, "user": USER, "key_user": None, **more}
    with bench.database.transaction() as session:
        return str(arrange.create(session, kind=kind, spec=spec, **wanted)["schedule_id"])


def overdue(bench: Bench, schedule_id: str, ago: str) -> None:
    """Have it been due that long ago, and nobody has looked."""
    bench.rows(
        "UPDATE headrace.schedules SET next_at = date_trunc('minute', now() - %s::interval)"
        " WHERE schedule_id = %s RETURNING 1",
        ago,
        schedule_id,
    )


def row_of(bench: Bench, schedule_id: str) -> dict[str, Any]:
    [row] = bench.rows("SELECT * FROM headrace.schedules WHERE schedule_id = %s", schedule_id)
    return row


@pytest.mark.usefixtures("probe")
def test_ten_thousand_due_connections_take_seconds(bench: Bench) -> None:
    """Covers A0.5, A0.23: half of them by a span, half by a cron of a zone; each gets its job."""
    bench.rows(
        "INSERT INTO headrace.connections (tenant_id, user_id, connection_id, provider, name,"
        " config) SELECT 'acme', 'ann', gen_random_uuid()::text, 'probe', 'c' || n, '{}'"
        " FROM generate_series(1, 10000) n RETURNING 1"
    )
    bench.rows(
        "INSERT INTO headrace.schedules (tenant_id, schedule_id, user_id, kind, connection_id,"
        " spec, timezone, every_seconds, next_at)"
        " SELECT tenant_id, gen_random_uuid()::text, user_id, 'sync', connection_id,"
        " CASE WHEN odd THEN '*/15 * * * *' ELSE 'every 15m' END, 'Europe/Berlin',"
        " CASE WHEN odd THEN NULL ELSE 900 END, now() - random() * interval '10 minutes'"
        " FROM (SELECT *, right(name, 1)::int %% 2 = 1 AS odd FROM headrace.connections) c"
        " RETURNING 1"
    )
    begun = time.monotonic()
    schedule.catch_up(bench.database)
    took = time.monotonic() - begun
    assert bench.one("SELECT count(DISTINCT connection_id) FROM headrace.jobs") == 10_000
    queued = "SELECT count(*) FROM dbos.workflow_status WHERE name = 'headrace.job'"
    assert bench.one(queued) == 10_000
    assert bench.one("SELECT count(*) FROM headrace.schedules WHERE next_at <= now()") == 0
    # By itself it takes about four seconds; other tests run beside it.
    assert took < 30, took
    busiest = (
        "SELECT max(n) FROM (SELECT count(*) AS n FROM headrace.schedules WHERE every_seconds = 900"
        " GROUP BY date_trunc('second', next_at)) AS s"
    )
    assert bench.one(busiest) <= 25


@pytest.mark.usefixtures("probe")
def test_every_connection_of_a_tenant(bench: Bench) -> None:
    """Covers A0.12: those that can be synced, of one user or of all, each somewhat later."""
    for name in ("one", "two", "three"):
        bench.connect(name)
    with bench.database.transaction() as session:
        for user, name in (("bob", "his"), ("ann", "paused")):
            row = connections.save(
                session, tenant=TENANT, user=user, provider="probe", name=name, config={}
            )
        connections.pause(session, row["connection_id"])
        connections.save(
            session, tenant="other", user="zoe", provider="probe", name="foreign", config={}
        )
    all_ = arranged(bench, "probe_sync", "every 1h")
    assert row_of(bench, all_)["payload"] == {"provider": "probe"}
    hers = arranged(bench, "sync", "every 1h", key_user="ann")
    overdue(bench, hers, "1 minute")
    assert look(bench) == 1
    assert jobs_of(bench) == dict.fromkeys(("one", "two", "three"), 1)
    later = "SELECT count(DISTINCT resume_at) FROM headrace.jobs WHERE resume_at > now()"
    assert bench.one(later) == 3
    delayed = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'DELAYED'"
    assert bench.one(delayed) == 3
    [one] = bench.rows("SELECT * FROM headrace.connections WHERE name = 'one'")
    asked = bench.job(bench.submit(one))
    assert (asked["turn"], asked["resume_at"]) == (2, None), "somebody asks: at once"
    assert bench.one("SELECT count(*) FROM dbos.workflow_status WHERE status = 'ENQUEUED'") == 1
    overdue(bench, all_, "1 minute")
    assert look(bench) == 1
    assert jobs_of(bench) == dict.fromkeys(("one", "two", "three", "his"), 1)


@pytest.mark.parametrize(
    ("missed", "jobs", "left_out"), [("once", 1, 0), ("all", 24, 28), ("skip", 0, 0)]
)
def test_what_was_missed_goes_by_its_policy(
    bench: Bench, missed: str, jobs: int, left_out: int
) -> None:
    """Covers A3.38: a year without any worker. A digest is of the week before its moment, and what
    is left out is said."""
    made = arranged(bench, "weekly_digest", "0 7 * * mon", missed=missed)
    bench.rows(
        "UPDATE headrace.schedules SET next_at = date_trunc('week', now() - interval '51 weeks')"
        " + interval '7 hours' RETURNING 1"
    )
    # Of this week's Monday morning it may be either side.
    monday = bench.one("SELECT date_trunc('week', now()) + interval '7 hours' <= now()")
    schedule.catch_up(bench.database)
    schedule.catch_up(bench.database)
    subjects = bench.rows("SELECT payload->'wanted'->0->>'subject' AS of FROM headrace.jobs")
    assert len({row["of"] for row in subjects}) == len(subjects) == jobs
    row = row_of(bench, made)
    assert row["left_out"] == (left_out - (not monday) if left_out else 0)
    assert row["next_at"] > datetime.now(UTC)


def test_a_moment_makes_its_job_once(bench: Bench) -> None:
    """Also when what is due is set back, as after a backup was restored."""
    made = arranged(bench, "weekly_digest", "* * * * *")
    for _ in range(3):
        overdue(bench, made, "0 minutes")
        look(bench)
    keys = bench.rows("SELECT idempotency_key FROM headrace.jobs")
    assert 1 <= len(keys) <= 2, "the minute may have changed meanwhile"
    assert all(row["idempotency_key"].startswith(f"schedule:{made}:") for row in keys)


def test_one_that_cannot_be_run_says_so_and_stops_no_other(bench: Bench) -> None:
    """A kind that is gone, a zone that there is no more: the ones after it are run."""
    broken = arranged(bench, "weekly_digest", "every 1h")
    lost = arranged(bench, "replay", "every 1h")
    good = arranged(bench, "extract_contacts", "every 1h")
    bench.rows(
        'UPDATE headrace.schedules SET payload = \'{"kind": "gone"}\' WHERE schedule_id = %s'
        " RETURNING 1",
        broken,
    )
    bench.rows(
        "UPDATE headrace.schedules SET timezone = 'Mars/Olympus' WHERE schedule_id = %s"
        " RETURNING 1",
        lost,
    )
    for one in (broken, lost, good):
        overdue(bench, one, "2 minutes")
    assert look(bench) == 3
    assert bench.one("SELECT kind FROM headrace.jobs") == "extract_contacts"
    assert "There is no kind of insight 'gone'." in row_of(bench, broken)["last_error"]
    assert "There is no time zone 'Mars/Olympus'." in row_of(bench, lost)["last_error"]
    assert row_of(bench, good)["last_error"] is None
    assert look(bench) == 0


@pytest.mark.usefixtures("probe")
def test_a_learned_cadence_follows_what_is_found(bench: Bench) -> None:
    """Covers A3.38: seven syncs that find nothing, and then some that do."""
    row = bench.connect("one")
    with bench.database.transaction() as session:
        own = (row["connection_id"], parse("learned 15m to 4h"))
        schedules.own(session, *own, at_once=True)

    def sync(*, news: bool) -> int:
        bench.rows("UPDATE headrace.schedules SET next_at = now() RETURNING 1")
        assert look(bench) == 1
        job = bench.one("SELECT last_job_id FROM headrace.schedules")
        if news:
            bench.rows(
                "INSERT INTO headrace.batches (tenant_id, user_id, stream_id, slice, walk, job_id,"
                " epoch, pages, fetched, inserted, unchanged, dead_lettered, payload_bytes,"
                " cursor_hashes) VALUES ('acme', 'ann', 1, '', 1, %s, 1, 1, 1, 1, 0, 0, 1, '')"
                " RETURNING 1",
                job,
            )
        bench.rows(
            "UPDATE headrace.jobs SET status = 'SUCCEEDED', landed_at = now(), completed_at ="
            " now() WHERE job_id = %s RETURNING 1",
            job,
        )
        # It was a while ago.
        bench.rows(
            "UPDATE headrace.schedules SET last_at = last_at - interval '1 hour',"
            " history = jsonb_set(history, '{looked_at}',"
            " to_jsonb((history->>'looked_at')::float8 - 3600)) RETURNING 1"
        )
        return int(bench.one("SELECT every_seconds FROM headrace.schedules"))

    assert sync(news=True) == 900
    quiet = [sync(news=False) for _ in range(7)]
    assert quiet == sorted(quiet)
    assert quiet[-1] == 14_400
    [told] = [schedules.shown(one) for one in bench.rows("SELECT * FROM headrace.schedules")]
    assert "0 of the last" in told["why"]
    busy = [sync(news=True) for _ in range(9)]
    assert busy[-1] < 7200


@pytest.mark.parametrize(
    ("kind", "payload", "spec", "more", "says"),
    [
        ("gmial_sync", {}, "every 1h", {}, "Unknown job kind: gmial_sync"),
        ("sync", {"provider": "gmial"}, "every 1h", {}, "There is no provider 'gmial'."),
        ("sync", {"x": 1}, "every 1h", {}, "is given no 'x'"),
        ("insight", {}, "every 1h", {}, "not said which kind of insight"),
        ("weekly_digest", {"subject": "week:1"}, "every 1h", {}, "week:1"),
        ("replay", {"days": "x"}, "every 1h", {}, "A replay cannot be asked for so"),
        ("extract_contacts", {"x": 1}, "every 1h", {}, "is given no 'x'"),
        ("sync", {}, "every 1h", {"missed": "all"}, "is made up for by the next one"),
        ("sync", {}, "learned", {}, "Only the sync of one connection can be learned."),
        ("sync", {}, "0 0 30 2 *", {}, "never comes"),
        ("sync", {}, "every 1h", {"timezone": "Mars/Olympus"}, "There is no time zone"),
    ],
)
def test_what_cannot_be_is_refused_at_the_door(
    bench: Bench, kind: str, payload: dict[str, Any], spec: str, more: dict[str, Any], says: str
) -> None:
    """Covers A3.38: one sentence each, and what to do."""
    with pytest.raises(BadInput) as refused:
        arranged(bench, kind, spec, payload=payload, **more)
    assert says in refused.value.message
    assert refused.value.hint
    assert bench.rows("SELECT 1 FROM headrace.schedules") == []


@pytest.mark.crash
@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize("point", ["fired:2", "moved:1"])
def test_a_worker_that_dies_over_what_is_due_loses_and_doubles_none(
    bench: Bench, plugin_folder: Path, tmp_path: Path, point: str
) -> None:
    """Covers A0.5: real processes, two at once; one is killed inside or just after the transaction
    in which what is due is run. Each connection has one job, each digest one."""
    names = [f"c{n:03}" for n in range(150)]
    for name in names:
        at(bench, due(bench, name), 60)
    digest = arranged(bench, "weekly_digest", "0 7 * * mon")
    overdue(bench, digest, "1 minute")
    environment = {
        **os.environ,
        "DATABASE_URL": bench.url,
        "HEADRACE_HOME": str(tmp_path),
        "PYTHONPATH": str(plugin_folder),
    }

    def worker(crash: str = "") -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "headrace.cli", "worker"],
            env={**environment, "HEADRACE_CRASH": crash},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    dying = worker(point)
    assert dying.wait(90) == -signal.SIGKILL
    both = [worker(), worker()]
    try:
        bench.until(
            lambda: not bench.rows("SELECT 1 FROM headrace.schedules WHERE next_at < now()")
        )
    finally:
        for one in both:
            one.terminate()
        for one in both:
            one.wait(30)
    assert jobs_of(bench) == dict.fromkeys(names, 1)
    assert bench.one("SELECT count(*) FROM headrace.jobs WHERE kind = 'insight'") == 1
