"""The door at a real Redis: entries in, each one job, whoever dies or vanishes on either side."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
import structlog
from tests.valkey import Valkey

from headrace import plugins, telemetry
from headrace.engine.door import Door, take
from headrace.redis_streams import DEAD, GROUP, JOBS
from headrace.redis_streams.entry import Entry
from headrace.redis_streams.group import Group
from headrace.redis_streams.look import look
from headrace.redis_streams.server import Server
from headrace.settings import Settings
from headrace.store import connections
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

Doors = Callable[..., Door]
MINE = json.dumps({"userId": "ann", "tenantId": "acme"})


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def doors(pool: Database, valkey: Valkey) -> Iterator[Doors]:
    """`doors("name", **settings)` is a worker's door, open until the test ends."""
    with ExitStack() as stack:

        def make(name: str = "one", **settings: Any) -> Door:
            made = Settings(_env_file=None, **{"redis_url": valkey.url, **settings})
            assert made.redis_url is not None
            door = Door(pool, Server(made.redis_url), made, name)
            door.start()
            stack.callback(door.stop)
            return door

        yield make


def jobs_of(bench: Bench) -> list[dict[str, Any]]:
    return bench.rows("SELECT * FROM headrace.jobs ORDER BY created_at, job_id")


def over(bench: Bench) -> None:
    """Every job has ended."""
    bench.rows(
        "UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now()"
        " WHERE completed_at IS NULL RETURNING job_id"
    )


def quiet(valkey: Valkey) -> bool:
    """Everything in the stream has been read and acknowledged."""
    found = look(valkey.url)
    return found["answers"] and (found["lag"], found["pending"]) == (0, 0)


def logged(capsys: pytest.CaptureFixture[str], *events: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line for line in lines if line["event"] in events]


def test_every_kind_and_alias_makes_its_job(bench: Bench, valkey: Valkey, doors: Doors) -> None:
    """Covers A0.2, A0.26, A0.27, A0.28, A0.29, X3: `type` and `payload`, read by the group; the
    job has its canonical name, is its user's, and keeps the payload."""
    kinds = plugins.sync_kinds()
    assert {"gmail:fetch", "gmail_sync", "calendar:fetch", "github:fetch"} < set(kinds)
    with bench.database.transaction() as session:
        for kind, provider in kinds.items():
            for user in (f"user of {kind}", f"another of {kind}"):
                connections.save(
                    session,
                    tenant="default",
                    user=user,
                    provider=provider.name,
                    name=provider.name,
                    config={},
                )
    for kind in kinds:
        options = {"userId": f"user of {kind}", "options": {"since": "yesterday"}}
        valkey.add(kind, json.dumps(options))
    doors()
    bench.until(lambda: len(jobs_of(bench)) == len(kinds) and quiet(valkey))
    made = {row["user_id"]: row for row in jobs_of(bench)}
    assert {user: row["kind"] for user, row in made.items()} == {
        f"user of {kind}": provider.kind for kind, provider in kinds.items()
    }
    assert {row["payload"]["options"]["since"] for row in made.values()} == {"yesterday"}
    assert bench.one("SELECT count(*) FROM dbos.workflow_status") == len(kinds)
    assert valkey.entries(DEAD) == []


def test_the_same_entry_is_the_same_job(bench: Bench) -> None:
    """Covers A0.24: read again, even when its job is long over, it makes no other one; an entry of
    the same id with other words in it does, for an emptied Redis begins its ids again."""
    bench.connect()
    first = Entry("7-0", {b"type": b"probe:fetch", b"payload": MINE.encode()})
    assert take(bench.database, [first]) == []
    assert take(bench.database, [first]) == []
    over(bench)
    assert take(bench.database, [first]) == []
    # Its job may be known for longer than the entry is.
    bench.rows("DELETE FROM headrace.redis_entries RETURNING entry_id")
    assert take(bench.database, [first]) == []
    [job] = jobs_of(bench)
    assert bench.one("SELECT job_ids FROM headrace.redis_entries") == [job["job_id"]]
    assert job["idempotency_key"].startswith("redis:7-0:")
    urgent = json.dumps({**json.loads(MINE), "priority": "urgent"}).encode()
    assert take(bench.database, [Entry("7-0", {b"type": b"probe:fetch", b"payload": urgent})]) == []
    assert [row["priority"] for row in jobs_of(bench)] == ["medium", "urgent"]


def test_an_entry_for_what_is_under_way_is_answered_by_it(bench: Bench) -> None:
    """As by the API: one job at a time per connection. Read again after its end, they make none."""
    bench.connect()
    several = [
        Entry(f"{n}-0", {b"type": b"probe_sync", b"payload": MINE.encode()}) for n in range(3)
    ]
    assert take(bench.database, several) == []
    [job] = jobs_of(bench)
    over(bench)
    assert take(bench.database, several) == []
    assert jobs_of(bench)[1:] == []
    answered = bench.rows("SELECT entry_id, job_ids FROM headrace.redis_entries ORDER BY 1")
    assert [row["job_ids"] for row in answered] == [[job["job_id"]]] * 3


def test_all_connections_of_a_user_or_the_one_that_is_named(bench: Bench) -> None:
    one, two, paused = (bench.connect(name) for name in ("one", "two", "paused"))
    with bench.database.transaction() as session:
        connections.pause(session, paused["connection_id"])

    def asked(id_: str, **payload: str) -> list[str]:
        fields = {b"type": b"probe_sync", b"payload": json.dumps(payload).encode()}
        assert take(bench.database, [Entry(id_, fields)]) == []
        ids = [row["connection_id"] for row in jobs_of(bench) if row["status"] == "PENDING"]
        over(bench)
        return sorted(ids)

    both = sorted([one["connection_id"], two["connection_id"]])
    assert asked("1-0", tenantId="acme", userId="ann") == both
    assert asked("2-0", tenantId="acme", connectionId=paused["connection_id"]) == [
        paused["connection_id"]
    ]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no type": ({"payload": MINE}, "no field `type`"),
    "a kind that is none": ({"type": "gmail:fetsch", "payload": MINE}, "Unknown job kind: gmail"),
    "no payload": ({"type": "probe_sync"}, "not JSON"),
    "not JSON": ({"type": "probe_sync", "payload": "{'userId': 1}"}, "not JSON"),
    "not UTF-8": ({"type": "probe_sync", "payload": b'{"userId": "\xff"}'}, "not JSON"),
    "a list": ({"type": "probe_sync", "payload": "[]"}, "cannot be used"),
    "a number": ({"type": "probe_sync", "payload": '{"userId": 7}'}, "userId"),
    "nobody": ({"type": "probe_sync", "payload": "{}"}, "names nobody"),
    "a stranger": ({"type": "probe_sync", "payload": '{"userId": "bob"}'}, "has no connection"),
    "another tenant's": ({"type": "probe_sync", "payload": '{"userId": "ann"}'}, "'default'"),
    "no such connection": (
        {"type": "probe_sync", "payload": '{"tenantId": "acme", "connectionId": "x"}'},
        "There is no connection 'x'",
    ),
    "another provider": (
        {"type": "probe_sync", "payload": MINE[:-1] + ', "provider": "gmail"}'},
        "of the provider probe, not 'gmail'",
    ),
    "a priority": (
        {"type": "probe_sync", "payload": MINE[:-1] + ', "priority": "asap"}'},
        "priority",
    ),
    "NUL": ({"type": "probe_sync", "payload": MINE[:-1] + ', "a": "\\u0000"}'}, "No job can"),
    "deep": ({"type": "probe_sync", "payload": "[" * 200_000}, "JSON"),
    "large": ({"type": "probe_sync", "payload": " " * 300_000 + MINE}, "300,"),
}


def test_bad_entries_go_aside_alone(bench: Bench, valkey: Valkey, doors: Doors) -> None:
    """Each with its reason and what to do, its id and its bytes; those between them are taken."""
    good = [bench.connect(f"good {n}") for n in range(len(BAD))]
    ids = {}
    with valkey.client() as client:
        for (name, (fields, _)), connection in zip(BAD.items(), good, strict=True):
            ids[name] = client.xadd(JOBS, fields)
            named = {"tenantId": "acme", "connectionId": connection["connection_id"]}
            valkey.add("probe:fetch", json.dumps(named))
    doors()
    bench.until(lambda: len(jobs_of(bench)) == len(good) and quiet(valkey))
    with valkey.client() as client:
        client.connection_pool.connection_kwargs["encoding_errors"] = "replace"
        aside = {fields["id"]: fields for _, fields in client.xrange(DEAD)}
    assert set(aside) == set(ids.values())
    for name, (fields, reason) in BAD.items():
        found = aside[ids[name]]
        assert reason in found["reason"], name
        assert found["hint"]
        assert found["type"] == fields.get("type", "")
        if isinstance(fields.get("payload"), str):
            assert found["payload"] == fields["payload"]


def test_two_workers_share_the_stream(bench: Bench, valkey: Valkey, doors: Doors) -> None:
    """Covers A0.29: every entry is taken by one of them, and once."""
    made = [bench.connect(f"c{n}") for n in range(100)]
    first, second = doors("one"), doors("two")
    for row in made:
        named = {"tenantId": "acme", "connectionId": row["connection_id"]}
        valkey.add("probe:fetch", json.dumps(named))
    bench.until(lambda: len(jobs_of(bench)) == len(made) and quiet(valkey))
    assert bench.one("SELECT count(*) FROM dbos.workflow_status") == len(made)
    first.stop()
    second.stop()
    with valkey.client() as client:
        assert client.xinfo_consumers(JOBS, GROUP) == []


def test_what_a_dead_consumer_had_read_is_taken_over(
    bench: Bench, valkey: Valkey, doors: Doors
) -> None:
    bench.connect()
    valkey.add("probe:fetch", MINE)
    with valkey.client() as client:
        Group(client, "dead").make()
        client.xreadgroup(GROUP, "dead", {JOBS: ">"})
    doors(headrace_redis_claim_seconds=0.3)
    bench.until(lambda: len(jobs_of(bench)) == 1 and quiet(valkey))


def test_nothing_is_acknowledged_while_postgresql_is_away(
    bench: Bench, url: str, cluster: str, valkey: Valkey, doors: Doors
) -> None:
    """Covers A0.24: the entry is read and stays pending; when PostgreSQL is back it is a job."""
    bench.connect()
    doors()
    bench.until(lambda: look(valkey.url)["lag"] == 0)
    name = urlsplit(url).path.lstrip("/")
    with psycopg.connect(cluster, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false".encode())
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        valkey.add("probe:fetch", MINE)
        bench.until(lambda: valkey.pending() == 1)
        admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true".encode())
    bench.until(lambda: len(jobs_of(bench)) == 1 and quiet(valkey))


def test_redis_may_be_killed_emptied_and_frozen(
    bench: Bench, valkey: Valkey, doors: Doors, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it had on its disk is taken when it is back; after it was emptied, what is new. The log
    says once that it is away, and once that it is back."""
    telemetry.configure("INFO")
    made = [bench.connect(f"c{n}") for n in range(3)]
    named = [json.dumps({"tenantId": "acme", "connectionId": r["connection_id"]}) for r in made]
    door = doors()
    valkey.add("probe:fetch", named[0])
    bench.until(lambda: len(jobs_of(bench)) == 1)
    door.stop()
    valkey.add("probe:fetch", named[1])
    valkey.kill()
    door = doors("two")
    said: list[dict[str, Any]] = []

    def says(*events: str) -> bool:
        said.extend(logged(capsys, "redis_away", "redis_back", "redis_emptied", "bug"))
        return [line["event"] for line in said] == list(events)

    bench.until(lambda: says("redis_away"))
    valkey.start()
    bench.until(lambda: len(jobs_of(bench)) == 2 and quiet(valkey))
    bench.until(lambda: says("redis_away", "redis_back"))
    with valkey.client() as client:
        client.flushall()
    bench.until(lambda: says("redis_away", "redis_back", "redis_emptied"))
    valkey.add("probe:fetch", named[2])
    bench.until(lambda: len(jobs_of(bench)) == 3 and quiet(valkey))
    assert said[0]["hint"]
    assert valkey.url.removeprefix("redis://") == said[0]["address"]


def test_a_wrong_password_is_said_and_nothing_stops(
    bench: Bench, tmp_path: Any, doors: Doors, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, with what to do, and without any password."""
    telemetry.configure("INFO")
    guarded = Valkey(tmp_path, password="right").start()
    try:
        door = doors(redis_url=guarded.url.replace("right", "wr0ng"))
        said: list[dict[str, Any]] = []

        def says() -> bool:
            said.extend(logged(capsys, "redis_away", "bug"))
            return bool(said)

        bench.until(says)
        assert "password" in said[0]["hint"]
        assert "wr0ng" not in str(said)
        with guarded.client() as client:  # the right password, and then that it is the one
            client.config_set("requirepass", "wr0ng")
        guarded.url = guarded.url.replace("right", "wr0ng")
        bench.connect()
        guarded.add("probe:fetch", MINE)
        bench.until(lambda: len(jobs_of(bench)) == 1)
        assert [one["event"] for one in said] == ["redis_away"]
        door.stop()
    finally:
        guarded.kill()


def test_trimming_loses_nothing_that_is_needed(valkey: Valkey) -> None:
    """What any group has to read or to acknowledge stays, with all that came after it."""
    with valkey.client() as client:
        door = Group(client, "one")
        door.make()
        with client.pipeline() as pipe:
            for _ in range(2500):
                pipe.xadd(JOBS, {"type": "probe:fetch", "payload": MINE})
            ids = pipe.execute()
        assert door.trim(10) == 0
        while read := door.new(1).entries:
            door.done([one.id for one in read if one.id != ids[700]], (), 10)
        while door.trim(10):
            pass
        assert client.xrange(JOBS, count=1)[0][0] == ids[700]
        client.xgroup_create(JOBS, "others", ids[800])
        door.done([ids[700]], (), 10)
        while door.trim(10):
            pass
        assert client.xrange(JOBS, count=1)[0][0] == ids[801]
        client.xgroup_destroy(JOBS, "others")
        while door.trim(10):
            pass
        assert client.xlen(JOBS) == 10


def test_entries_that_a_producer_deletes_unfinished_are_said(
    bench: Bench, valkey: Valkey, doors: Doors, capsys: pytest.CaptureFixture[str]
) -> None:
    """A producer's own MAXLEN can delete what was read and not finished: it blocks nothing."""
    telemetry.configure("INFO")
    bench.connect()
    valkey.add("probe:fetch", MINE)
    with valkey.client() as client:
        Group(client, "dead").make()
        client.xreadgroup(GROUP, "dead", {JOBS: ">"})
    valkey.add("probe:fetch", MINE, maxlen=1, approximate=False)
    doors(headrace_redis_claim_seconds=0.2)
    said: list[dict[str, Any]] = []

    def says() -> bool:
        said.extend(logged(capsys, "redis_lost"))
        return bool(said)

    bench.until(says)
    bench.until(lambda: len(jobs_of(bench)) == 1 and quiet(valkey))
    assert said[0]["entries"] == 1


def test_consumers_that_are_long_gone_are_forgotten(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that hold something are not: it would be lost with them."""
    monkeypatch.setattr("headrace.redis_streams.group._GONE_MS", -1)
    with valkey.client() as client:
        Group(client, "idle").make()
        for name in ("holds", "idle"):
            valkey.add("probe:fetch", MINE)
            client.xreadgroup(GROUP, name, {JOBS: ">"}, count=1)
        client.xack(JOBS, GROUP, client.xinfo_stream(JOBS)["last-generated-id"])
        assert Group(client, "me").forget_the_gone() == 1
        left: Any = client.xinfo_consumers(JOBS, GROUP)
        assert [one["name"] for one in left] == ["holds"]


RIGHTS = (
    "~ingestion:* +@stream +multi +exec +eval +info +exists +ping +client|setinfo +client|setname"
)
"""What docs/how-to/redis.md tells operators to give."""


def test_a_user_with_few_rights_is_enough(
    bench: Bench, valkey: Valkey, doors: Doors, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that the page lists; all that a door does is done by it."""
    telemetry.configure("INFO")
    assert RIGHTS in (Path(__file__).parents[2] / "docs/how-to/redis.md").read_text()
    with valkey.client() as client:
        client.execute_command("ACL", "SETUSER", "headrace", "on", ">secret", *RIGHTS.split())
    mine = valkey.url.replace("redis://", "redis://headrace:secret@")
    bench.connect()
    valkey.add("probe:fetch", MINE)
    valkey.add("probe:fetch", "not JSON")
    door = doors(redis_url=mine, headrace_redis_keep=1)
    bench.until(lambda: len(jobs_of(bench)) == 1 and quiet(valkey))
    assert look(mine)["dead"] == 1
    door.stop()
    with Server(mine).client() as client:
        group = Group(client, "me")
        assert (group.trim(1), group.forget_the_gone()) == (1, 0)
    assert logged(capsys, "redis_away") == []


def test_threads_end_with_their_door(doors: Doors, valkey: Valkey) -> None:
    door = doors()
    door.stop()
    assert not [one for one in threading.enumerate() if one.name == "headrace-door"]
