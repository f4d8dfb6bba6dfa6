"""Ends of jobs are told in a stream of a real Redis, from what PostgreSQL has kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest
from tests.valkey import Valkey

from headrace.engine import jobs
from headrace.engine.completions import Completions
from headrace.engine.door import take
from headrace.redis_streams import COMPLETIONS
from headrace.redis_streams.entry import Entry
from headrace.redis_streams.server import Server
from headrace.settings import Settings
from headrace.store import redis as store
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.engine.conftest import Bench


@pytest.fixture
def completions(bench: Bench, valkey: Valkey) -> Completions:
    """What a worker tells this Redis with."""
    made = Completions(bench.database, Server(valkey.url), Settings(_env_file=None))
    made.beat()
    return made


def cancel(bench: Bench, job_id: str) -> None:
    with bench.database.transaction() as session:
        jobs.cancel(session, job_id)


def kept(bench: Bench) -> int:
    return int(bench.one("SELECT count(*) FROM headrace.redis_completions"))


def test_from_an_entry_to_its_completion(
    bench: Bench, valkey: Valkey, running: Callable[..., AbstractContextManager[Database]]
) -> None:
    """Covers A0.24: all of it, with the engine between: an entry, the job, its end in the stream
    with the entry's id, so that its producer knows which it was. So is what the API has cancelled.
    """
    row = bench.connect(total=250)
    with running(redis_url=valkey.url, headrace_schedule_via_redis=True):
        id_ = valkey.add("probe:fetch", json.dumps({"userId": "ann", "tenantId": "acme"}))
        bench.until(lambda: valkey.entries(COMPLETIONS))
        other = bench.submit(bench.connect("other", total=10**9, latency_ms=50))
        cancel(bench, other)
        bench.until(lambda: len(valkey.entries(COMPLETIONS)) == 2)
    done, cancelled = valkey.entries(COMPLETIONS)
    [job] = bench.rows("SELECT * FROM headrace.jobs WHERE status = 'SUCCEEDED'")
    assert (done["type"], done["job_id"], done["turn"]) == ("probe_sync", job["job_id"], "1")
    assert done["status"] == "SUCCEEDED"
    payload = json.loads(done["payload"])
    assert payload["entries"] == [id_]
    assert payload["userId"] == "ann"
    assert payload["connectionId"] == row["connection_id"]
    assert payload["summary"]["inserted"] == 250
    assert (cancelled["job_id"], cancelled["status"]) == (other, "CANCELLED")
    assert json.loads(cancelled["payload"])["entries"] == []
    assert kept(bench) == 0


def test_ends_wait_for_a_redis_that_is_away(
    bench: Bench, valkey: Valkey, completions: Completions
) -> None:
    """Killed or frozen, it holds nobody up; when it is back it is told, in order."""
    ids = [bench.submit(bench.connect(f"c{n}")) for n in range(3)]
    valkey.kill()
    for one in ids[:2]:
        cancel(bench, one)
    completions.tell()
    assert kept(bench) == 2
    valkey.start()
    cancel(bench, ids[2])
    completions.tell()
    assert [one["job_id"] for one in valkey.entries(COMPLETIONS)] == ids
    assert kept(bench) == 0


def test_a_job_taken_up_again_is_told_when_it_ends(
    bench: Bench, valkey: Valkey, completions: Completions
) -> None:
    """Its first end is over before anybody was told: only the one that holds is."""
    job_id = bench.submit(bench.connect())
    cancel(bench, job_id)
    with bench.database.transaction() as session:
        jobs.retry(session, job_id)
    completions.tell()
    assert valkey.entries(COMPLETIONS) == []
    cancel(bench, job_id)
    completions.tell()
    assert [one["turn"] for one in valkey.entries(COMPLETIONS)] == ["2"]


def test_a_payload_of_any_shape_ends_its_job(
    bench: Bench, valkey: Valkey, completions: Completions
) -> None:
    """What Headrace means by `metadata`, another program may mean something else by."""
    connection = bench.connect()
    for odd in ({"metadata": "x"}, {"metadata": [1], "also": 5}, {"also": [None, "x"]}):
        cancel(bench, bench.submit(connection, payload=odd))
    completions.tell()
    assert len(valkey.entries(COMPLETIONS)) == 3


def test_nothing_is_kept_where_no_redis_is(bench: Bench) -> None:
    """Neither without one, nor for one that no worker has been told of for a week."""
    first, second = (bench.submit(bench.connect(name)) for name in ("one", "two"))
    cancel(bench, first)
    with bench.database.transaction() as session:
        store.name_server(session, "localhost:6379")
        session.execute("UPDATE headrace.redis_servers SET named_at = now() - interval '8 days'")
    cancel(bench, second)
    assert kept(bench) == 0


def test_a_redis_that_never_comes_back_fills_nothing(
    bench: Bench, valkey: Valkey, completions: Completions
) -> None:
    """What it was not told of for a week is forgotten, and entries that were taken a month ago."""
    entry = Entry(
        "7-0", {b"type": b"probe_sync", b"payload": b'{"userId":"ann","tenantId":"acme"}'}
    )
    bench.connect()
    take(bench.database, [entry])
    cancel(bench, bench.one("SELECT job_id FROM headrace.jobs"))
    with bench.database.transaction() as session:
        assert store.forget(session) == 0
        session.execute(
            "UPDATE headrace.redis_completions SET noted_at = now() - interval '8 days'"
        )
        session.execute("UPDATE headrace.redis_entries SET taken_at = now() - interval '31 days'")
        assert store.forget(session) == 1
    assert kept(bench) == bench.one("SELECT count(*) FROM headrace.redis_entries") == 0
