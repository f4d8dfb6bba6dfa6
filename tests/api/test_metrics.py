"""`/metrics`: what it counts, who may read it, what it never says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.testclient import TestClient

from headrace.api import create_app
from headrace.out.metrics.page import Page
from headrace.out.metrics.tally import Tally
from headrace.provider import BadRecord, Record
from headrace.settings import Settings
from headrace.store import keys

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem
    from tests.valkey import Valkey

Numbers = dict[tuple[str, ...], float]
KEY = "a key for prometheus alone"


def numbers(text: str) -> Numbers:
    """Each sample by its name and the words on it, in the order of the labels' names."""
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


@pytest.fixture
def look(house: House) -> Callable[[], Numbers]:
    """What the installation's own key reads; with nothing kept from the look before."""
    client = house.client(keys.TENANT, keys.USER)
    app = client.app
    assert isinstance(app, FastAPI)
    page = Page(house.store, app.state.settings, app.state.answered, Tally(margin=0))
    app.state.metrics = page

    def ask() -> Numbers:
        page._looked = -10.0
        answer = client.get("/metrics")
        assert answer.status_code == 200, answer.text
        return numbers(answer.text)

    return ask


def test_it_counts_what_has_happened(house: House, look: Callable[[], Numbers]) -> None:
    """Covers A1.21, A3.45: jobs that ended by kind and how, records by what became of them, stages
    and how long they took; each once, and all that is known from nothing on."""
    stream = house.stream(house.connection())
    house.land(stream, Record("before", b"{}"))
    first = look()
    assert first["headrace_jobs_finished_total", "rest_sync", "SUCCEEDED"] == 0
    assert first["headrace_landed_records_total", "inserted", "rest"] == 0
    job = house.job(connection_id=house.connection(name="other"))
    house.job(kind="replay")
    house.execute(
        "UPDATE headrace.jobs SET status = 'FAILED', started_at = now() - interval '20 s',"
        " completed_at = now() WHERE job_id = %s",
        job,
    )
    bad = BadRecord(source_id="b", raw=b"{", reason="no", hint="mend")
    batch = house.land(stream, Record("e1", b"{}"), Record("e2", b"{}"), bad=[bad])
    house.execute(
        "INSERT INTO headrace.stage_runs (tenant_id, user_id, batch_id, stage, version, rows_in,"
        " rows_out, dead_lettered, duration_ms) VALUES"
        " ('acme', 'ann', %s, 'normalize_events', 1, 2, 2, 0, 70)",
        batch,
    )
    for _ in range(2):
        now = look()
        assert now["headrace_jobs_finished_total", "rest_sync", "FAILED"] == 1
        assert now["headrace_job_seconds_bucket", "rest_sync", "15"] == 0
        assert now["headrace_job_seconds_bucket", "rest_sync", "60"] == 1
        assert now["headrace_job_seconds_sum", "rest_sync"] == pytest.approx(20, abs=1)
        assert now["headrace_jobs", "replay", "PENDING"] == 1
        assert now["headrace_jobs", "rest_sync", "PENDING"] == 0
        assert now["headrace_landed_records_total", "inserted", "rest"] == 2
        assert now["headrace_landed_records_total", "dead_lettered", "rest"] == 1
        assert now["headrace_commits_total", "rest"] == 1
        assert now["headrace_stage_runs_total", "done", "normalize_events"] == 1
        assert now["headrace_stage_seconds_bucket", "0.05", "normalize_events"] == 0
        assert now["headrace_stage_seconds_bucket", "0.1", "normalize_events"] == 1
        assert now["headrace_dead_letters", "record", "landing"] == 1


def test_what_is_removed_stays_counted(house: House, look: Callable[[], Numbers]) -> None:
    """A counter that falls would be taken for a new beginning, and everything for an increase."""
    stream = house.stream(house.connection())
    look()
    house.land(stream, Record("e1", b"{}"))
    assert look()["headrace_commits_total", "rest"] == 1
    house.execute("DELETE FROM headrace.batches")
    house.land(stream, Record("e2", b"{}"))
    assert look()["headrace_commits_total", "rest"] == 2


def test_a_commit_that_began_before_a_look_is_counted_by_the_next(
    house: House, look: Callable[[], Numbers]
) -> None:
    """The times in the tables are those at which transactions began: one that is open while
    somebody looks is neither lost nor counted twice."""
    look()
    late = "UPDATE headrace.jobs SET status = 'CANCELLED', completed_at = now() WHERE job_id = %s"
    slow, quick = house.job(kind="replay"), house.job(kind="replay")
    with psycopg.connect(house.store.url) as open_one:
        open_one.execute(late, [slow])
        house.execute(late, quick)
        seen = look()["headrace_jobs_finished_total", "replay", "CANCELLED"]
        assert seen == 0, "nothing after the open one's beginning is settled"
        open_one.commit()
    assert look()["headrace_jobs_finished_total", "replay", "CANCELLED"] == 2


def test_two_processes_tell_the_same(house: House, look: Callable[[], Numbers]) -> None:
    """Covers A3.45: whichever is asked, it is right; neither did any of the work itself."""
    other = Page(
        house.store,
        Settings(_env_file=None),
        house._client.app.state.answered,  # type: ignore[attr-defined]
        Tally(margin=0),
    )
    look(), other.told("")
    house.land(house.stream(house.connection()), Record("e1", b"{}"))
    other._looked = -10.0
    mine, theirs = look(), numbers(other.told("")[0].decode())
    name = ("headrace_landed_records_total", "inserted", "rest")
    assert mine[name] == theirs[name] == 1


def test_it_tells_how_fresh_sources_are(house: House, look: Callable[[], Numbers]) -> None:
    """By provider; and of each connection by its id, in the same order at each look."""
    fresh, stale = house.connection(name="fresh"), house.connection(name="stale")
    paused = house.connection(name="paused")
    house.execute(
        "UPDATE headrace.connections SET synced_at = now() - CASE connection_id WHEN %s THEN"
        " interval '1 h' WHEN %s THEN interval '9 h' ELSE interval '1 min' END,"
        " health = CASE connection_id WHEN %s THEN 'paused' ELSE 'active' END",
        stale,
        paused,
        paused,
    )
    now = look()
    assert now["headrace_connections", "active", "rest"] == 2
    assert now["headrace_connections", "paused", "rest"] == 1
    assert now["headrace_connections", "needs_reauth", "rest"] == 0
    assert now["headrace_source_stalest_seconds", "rest"] == pytest.approx(3600, abs=60)
    assert now["headrace_source_freshest_seconds", "rest"] == pytest.approx(60, abs=59)
    assert now["headrace_connection_age_seconds", fresh, "rest"] < 300


def test_requests_are_told_by_route(house: House, look: Callable[[], Numbers]) -> None:
    """As the program writes them: what callers put into addresses is not told."""
    client = house.client()
    client.get("/api/jobs/secret-canary")
    client.get("/canary.php"), client.request("CANARY", "/api/jobs")
    now = look()
    assert now["headrace_http_requests_total", "GET", "/api/jobs/{job_id}", "404"] == 1
    assert now["headrace_http_requests_total", "GET", "none", "404"] == 1
    assert now["headrace_http_request_seconds_count", "/api/jobs/{job_id}"] == 1
    assert "canary" not in str(now).lower()


def test_no_name_that_somebody_has_chosen_is_told(house: House) -> None:
    """Covers Logs: not of a tenant, a user, a connection, an account, a stream or a key; and the
    number of lines does not grow with them."""
    client = house.client(keys.TENANT, keys.USER)
    sizes = []
    for number in (1, 5, 30):
        for one in range(number):
            name = f"canary-{number}-{one}"
            connection = house.connection(f"{name}-user", f"{name}-tenant", name)
            stream = house.stream(connection, f"{name}-stream")
            house.land(stream, Record(f"{name}-record", b"{}"), job=f"{name}-job")
            house.job(f"{name}-user", f"{name}-tenant", kind=f"{name}-kind")
            house.letter(stream, stage=f"{name}-stage", source_id=name)
            house.execute(
                "INSERT INTO headrace.allowances (tenant_id, user_id, allowance, spent_until)"
                " VALUES (%s, %s, %s, now())",
                f"{name}-tenant",
                f"{name}-user",
                f"{name}:account",
            )
        house.execute("UPDATE headrace.connections SET provider = name, account = name")
        client.app.state.metrics._looked = -10.0  # type: ignore[attr-defined]
        told = client.get("/metrics").text
        assert "canary" not in told.lower()
        sizes.append(len([line for line in told.splitlines() if "connection_age" not in line]))
    assert sizes[2] == sizes[1]


def test_who_may_read(house: House, nobody: TestClient, problem: Problem) -> None:
    """The installation's own keys, and one for nothing else; nobody else."""
    problem(nobody.get("/metrics"), 401)
    for who in (("acme", "ann", None), (keys.TENANT, keys.USER, keys.USER)):
        problem(house.client(*who).get("/metrics"), 404)
    assert house.client(keys.TENANT, keys.USER).get("/metrics").status_code == 200
    settings = Settings(_env_file=None, headrace_metrics_key=SecretStr(KEY))
    with TestClient(create_app(house.store, settings)) as client:
        bearer = {"Authorization": f"Bearer {KEY}"}
        assert client.get("/metrics", headers=bearer).status_code == 200
        assert client.get("/api/jobs", headers=bearer).status_code == 401
        assert client.get("/metrics", headers={"X-API-Key": f"{KEY}x"}).status_code == 401
        assert client.get("/metrics", headers={b"X-API-Key": b"\xe4" * 20}).status_code == 401
        assert client.get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("here", "headers", "status"),
    [
        ("127.0.0.1", {"Host": "localhost:8000"}, 200),
        ("::1", {"Host": "[::1]:8000"}, 200),
        ("10.0.0.7", {"Host": "localhost"}, 401),
        ("127.0.0.1", {"Host": "evil.example"}, 401),
        ("127.0.0.1", {"Host": "localhost", "X-Forwarded-For": "203.0.113.7"}, 401),
    ],
)
def test_open_is_for_programs_on_this_machine(
    house: House, here: str, headers: dict[str, str], status: int
) -> None:
    """Not for whom a proxy on it asks, nor for a page that calls it by a name of its own."""
    settings = Settings(_env_file=None, headrace_metrics_open=True)
    with TestClient(create_app(house.store, settings), client=(here, 5000)) as client:
        assert client.get("/metrics", headers=headers).status_code == status


def test_it_answers_without_a_database(house: House, cluster: str) -> None:
    """And says so: that nothing can be counted is the number that matters then."""
    settings = Settings(_env_file=None, headrace_metrics_key=SecretStr(KEY))
    with TestClient(create_app(house.store, settings)) as client:
        client.headers["X-API-Key"] = KEY
        assert numbers(client.get("/metrics").text)[("headrace_database_up",)] == 1
        name = urlsplit(house.store.url).path[1:]
        with psycopg.connect(cluster, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false".encode())
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            try:
                client.app.state.metrics._looked = -10.0  # type: ignore[attr-defined]
                found = numbers(client.get("/metrics").text)
            finally:
                admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true".encode())
    assert found[("headrace_database_up",)] == 0
    assert ("headrace_workers",) not in found
    assert found["headrace_info", *_info(found)] == 1


def _info(found: Numbers) -> tuple[str, ...]:
    [words] = [name[1:] for name in found if name[0] == "headrace_info"]
    return words


def test_a_redis_is_told_of(house: House, valkey: Valkey) -> None:
    """What waits in it; and, when it is away, that it is, without the password in its URL."""
    settings = Settings(_env_file=None, redis_url=valkey.url, headrace_metrics_key=SecretStr(KEY))
    with TestClient(create_app(house.store, settings)) as client:
        found = numbers(client.get("/metrics", headers={"X-API-Key": KEY}).text)
    assert (found[("headrace_redis_up",)], found[("headrace_redis_dead",)]) == (1, 0)
    away = "redis://me:canary@127.0.0.1:1/0"
    settings = Settings(_env_file=None, redis_url=away, headrace_metrics_key=SecretStr(KEY))
    with TestClient(create_app(house.store, settings)) as client:
        text = client.get("/metrics", headers={"X-API-Key": KEY}).text
    assert numbers(text)[("headrace_redis_up",)] == 0
    assert not re.search("canary", text)
