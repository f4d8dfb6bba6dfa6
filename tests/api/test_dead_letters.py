"""`/api/dead-letters`: seen, retried, dropped; a retry is one record's own transaction."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from headrace import plugins
from headrace.engine import redrive, redrive_many
from headrace.errors import BadInput, Skip
from headrace.provider import Provider, Record
from headrace.rows import EventRow
from headrace.stage import RawEvent, StreamContext, stage
from headrace.store.dead_letters import Chosen

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem

CONTENT = "text/x-test"

Failing = Exception | Callable[[RawEvent], None] | None
Reading = Callable[[Failing], None]


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    """A stage `read_test`; the test says what it fails with, or when."""
    failing: list[Failing] = [None]

    @stage(version=1, content=CONTENT)
    def read_test(raw: RawEvent, _: StreamContext) -> Iterable[EventRow]:
        if callable(failing[0]):
            failing[0](raw)
        elif failing[0] is not None:
            raise failing[0]
        yield EventRow(source_id=raw.source_id, version=raw.version, name=raw.payload.decode())

    monkeypatch.setitem(plugins.stages(), "read_test", read_test)

    def fail(error: Failing) -> None:
        failing[0] = error

    return fail


@pytest.fixture
def stream(house: House) -> int:
    return house.stream(house.connection(), content=CONTENT)


def test_they_are_listed_without_their_bytes(house: House, stream: int, client: TestClient) -> None:
    """Covers A2.44."""
    numbers = [house.letter(stream, raw=b"\xff\0" + bytes([n])) for n in range(3)]
    page = client.get("/api/dead-letters?limit=2").json()
    assert [one["dead_letter_id"] for one in page["items"]] == numbers[:0:-1]
    assert "raw" not in page["items"][0]
    rest = client.get(f"/api/dead-letters?limit=2&cursor={page['next']}").json()
    assert [one["dead_letter_id"] for one in rest["items"]] == numbers[:1]
    assert rest["next"] is None
    shown = client.get(f"/api/dead-letters/{numbers[0]}").json()
    assert base64.b64decode(shown["raw"]) == b"\xff\0\0"
    assert (shown["reason"], shown["hint"], shown["raw_bytes"]) == ("It is broken.", "Mend it.", 3)
    assert (shown["connection"], shown["stream"]) == ("shop", "events")


def test_they_are_found_by_stage_stream_and_state(
    house: House, stream: int, client: TestClient, problem: Problem
) -> None:
    house.letter(stream, raw=b"1")
    other = house.letter(house.stream(house.connection(), "clicks"), stage="read_test", raw=b"2")
    for asked in ("stage=read_test", "stream=clicks"):
        [found] = client.get(f"/api/dead-letters?{asked}").json()["items"]
        assert found["dead_letter_id"] == other
    assert client.get("/api/dead-letters?state=dropped").json()["items"] == []
    assert len(client.get("/api/dead-letters?state=all").json()["items"]) == 2
    problem(client.get("/api/dead-letters?state=closed"), 422)


def test_a_stage_reads_the_one_record_again(
    house: House, stream: int, client: TestClient, problem: Problem, reading: Reading
) -> None:
    batch = house.land(stream, Record("a", b"one"), Record("b", b"two"))
    number = house.letter(stream, stage="read_test", source_id="a", version=1, batch_id=batch)
    reading(Skip("Still not\0.", hint="Wait."))
    failed = client.post(f"/api/dead-letters/{number}/retry").json()
    assert failed["state"] == "open"
    assert failed["message"] == f"Dead letter {number} stays open: Still not."
    letter = failed["dead_letter"]
    assert (letter["attempts"], letter["reason"], letter["hint"]) == (2, "Still not.", "Wait.")
    reading(ValueError("a bug"))
    again = client.post(f"/api/dead-letters/{number}/retry").json()["dead_letter"]
    assert again["attempts"] == 3
    assert "bug" in again["reason"]
    reading(None)
    done = client.post(f"/api/dead-letters/{number}/retry").json()
    assert done["state"] == done["dead_letter"]["state"] == "retried"
    assert done["dead_letter"]["resolved_at"] is not None
    rows = house.execute("SELECT source_id, name, batch_id, user_id FROM headrace.events")
    assert rows == [{"source_id": "a", "name": "one", "batch_id": batch, "user_id": "ann"}]
    problem(client.post(f"/api/dead-letters/{number}/retry"), 409)


def test_an_old_version_does_not_come_back(house: House, stream: int, reading: Reading) -> None:
    """A retry of what has been overtaken leaves the newer row as it is."""
    old = house.land(stream, Record("a", b"old"))
    house.execute("UPDATE headrace.checkpoints SET walk = 2")
    house.land(stream, Record("a", b"new"))
    house.event(stream, "a", name="new")
    house.execute("UPDATE headrace.events SET version = 2")
    number = house.letter(stream, stage="read_test", source_id="a", version=1, batch_id=old)
    redrive.again(house.store, "acme", None, number)
    assert house.execute("SELECT name FROM headrace.events") == [{"name": "new"}]


def test_what_postgresql_refuses_stays_open(house: House, stream: int, reading: Reading) -> None:
    """The work is undone, the letter says why."""
    batch = house.land(stream, Record("a", b"nul \0 inside"))
    number = house.letter(stream, stage="read_test", source_id="a", version=1, batch_id=batch)
    done = redrive.again(house.store, "acme", "ann", number)
    assert done.state == "open"
    assert house.execute("SELECT 1 FROM headrace.events") == []


def test_a_whole_batch_gets_a_new_attempt(
    house: House, stream: int, client: TestClient, reading: Reading
) -> None:
    batch = house.land(stream, Record("a", b"one"))
    house.execute(
        "INSERT INTO headrace.stage_runs (tenant_id, user_id, batch_id, stage, version, rows_in,"
        " rows_out, dead_lettered, duration_ms, error)"
        " VALUES ('acme', 'ann', %s, 'read_test', 1, 0, 0, 0, 0, 'it fell over')",
        batch,
    )
    number = house.letter(
        stream, stage="read_test", source_id=f"batch/{batch}", batch_id=batch, raw=b""
    )
    for attempt in (1, 2):
        assert client.post(f"/api/dead-letters/{number}/retry").json()["state"] == "retried"
        queued = house.execute("SELECT workflow_uuid AS id FROM dbos.workflow_status ORDER BY 1")
        assert queued[-1]["id"] == f"stage:read_test:1:{batch}:{attempt}"
        assert house.execute("SELECT 1 FROM headrace.stage_runs") == []
        house.execute("UPDATE dbos.workflow_status SET status = 'SUCCESS'")
        house.execute("UPDATE headrace.dead_letters SET state = 'open', resolved_at = NULL")


def reread(monkeypatch: pytest.MonkeyPatch, read: Callable[[Any, str, bytes], Record]) -> None:
    monkeypatch.setattr(plugins.provider("mailbox"), "reread", read)


def mailbox(house: House) -> int:
    connection = house.connection(name="mail", provider="mailbox")
    house.execute('UPDATE headrace.connections SET config = \'{"path": "/nowhere"}\'')
    return house.stream(connection, "inbox", CONTENT)


def test_what_was_never_landed_is_read_again_and_landed(
    house: House, client: TestClient, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of its own that balances, with its follow-up work; no checkpoint moves."""
    stream = mailbox(house)
    before = house.execute("SELECT cursor, walk, pages FROM headrace.checkpoints")
    number = house.letter(stream, raw=b"id=7")
    reread(monkeypatch, lambda _, stream, raw: Record(f"{stream}/{raw.decode()[3:]}", raw))
    done = client.post(f"/api/dead-letters/{number}/retry").json()
    assert done["state"] == "retried"
    [raw] = house.execute("SELECT * FROM headrace.raw_events")
    assert (raw["source_id"], raw["payload"], raw["version"]) == ("inbox/7", b"id=7", 1)
    [batch] = house.execute("SELECT * FROM headrace.batches")
    assert (batch["job_id"], batch["fetched"], batch["inserted"]) == ("redrive", 1, 1)
    assert batch["batch_id"] == raw["batch_id"]
    [queued] = house.execute("SELECT workflow_uuid AS id FROM dbos.workflow_status")
    assert queued["id"] == f"stage:read_test:1:{batch['batch_id']}:1"
    assert house.execute("SELECT cursor, walk, pages FROM headrace.checkpoints") == before


def test_two_who_retry_at_once_land_it_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them does it; the others learn that it is done."""
    number = house.letter(mailbox(house), raw=b"7")
    reread(monkeypatch, lambda *_: Record("7", b"7"))

    def ask(_: int) -> bool:
        try:
            return redrive.again(house.store, "acme", None, number).state == "retried"
        except BadInput:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(8))) == 1
    [batch] = house.execute("SELECT fetched, inserted FROM headrace.batches")
    assert batch == {"fetched": 1, "inserted": 1}


def test_what_the_source_has_mended_since_is_left(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = mailbox(house)
    number = house.letter(stream, raw=b"old", batch_id=1)
    house.execute("SELECT setval('headrace.batches_batch_id_seq', 10)")
    house.land(stream, Record("7", b"mended"))
    reread(monkeypatch, lambda *_: Record("7", b"old"))
    done = client.post(f"/api/dead-letters/{number}/retry").json()
    assert done["state"] == "retried"
    assert "anew" in done["message"]
    assert [row["payload"] for row in house.execute("SELECT payload FROM headrace.raw_events")] == [
        b"mended"
    ]


def test_a_source_may_not_know_how_to_read_again(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = house.letter(mailbox(house))
    reread(monkeypatch, Provider.reread)
    done = client.post(f"/api/dead-letters/{number}/retry").json()
    assert done["state"] == "open"
    assert done["dead_letter"]["attempts"] == 2
    assert "cannot read a dead letter again" in done["dead_letter"]["reason"]


@pytest.mark.parametrize("bad_id", ["", "x" * 3000, "nul\0"])
def test_what_cannot_be_landed_stays_open(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch, bad_id: str
) -> None:
    number = house.letter(mailbox(house), raw=b"id")
    reread(monkeypatch, lambda *_: Record(bad_id, b"id"))
    assert client.post(f"/api/dead-letters/{number}/retry").json()["state"] == "open"
    assert house.execute("SELECT 1 FROM headrace.batches") == []


def test_many_are_retried_in_rounds(
    house: House, stream: int, client: TestClient, reading: Reading
) -> None:
    """Each has its turn once; a round that runs out of time says where to go on."""
    batch = house.land(stream, *[Record(str(n), b"x") for n in range(4)])
    numbers = [
        house.letter(stream, stage="read_test", source_id=str(n), version=1, batch_id=batch)
        for n in range(4)
    ]
    house.letter(stream, stage="gone")
    cut = redrive_many.retry_all(house.store, "acme", "ann", Chosen(stage="read_test"), seconds=-1)
    assert (cut.retried, cut.after) == (0, 0)
    body = {"stage": "read_test", "stream": "events", "after": numbers[0]}
    done = client.post("/api/dead-letters/retry", json=body).json()
    assert done == {"retried": 3, "still_open": 0, "after": None, "job_id": None}
    done = client.post("/api/dead-letters/retry").json()
    assert done == {"retried": 1, "still_open": 1, "after": None, "job_id": None}
    assert len(house.execute("SELECT 1 FROM headrace.events")) == 4


def test_one_can_be_dropped(
    house: House, stream: int, client: TestClient, problem: Problem
) -> None:
    number = house.letter(stream)
    assert client.post(f"/api/dead-letters/{number}/drop").json()["state"] == "dropped"
    problem(client.post(f"/api/dead-letters/{number}/drop"), 409)
    problem(client.post(f"/api/dead-letters/{number}/retry"), 409)


def test_many_can_be_dropped_by_name_only(
    house: House, stream: int, client: TestClient, problem: Problem
) -> None:
    other = house.stream(house.connection(), "clicks")
    for n in range(3):
        house.letter(stream, raw=bytes([n]))
        house.letter(other, raw=bytes([n]), stage="read_test")
    problem(client.post("/api/dead-letters/drop", json={}), 422)
    assert client.post("/api/dead-letters/drop", json={"stream": "clicks"}).json()["dropped"] == 3
    body = {"stage": "read_test", "stream": "events"}
    assert client.post("/api/dead-letters/drop", json=body).json()["dropped"] == 0
    assert client.post("/api/dead-letters/drop", json={"stage": "landing"}).json()["dropped"] == 3
