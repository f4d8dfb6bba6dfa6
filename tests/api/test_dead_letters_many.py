"""Many dead letters: counted by reason, retried at once, exported; and one that is mended."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient
from tests.api.test_dead_letters import Reading, mailbox, reading, reread, stream

from headrace.engine import job_letters, redrive, redrive_many
from headrace.errors import Skip
from headrace.provider import BadRecord, Record

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem

__all__ = ["reading", "stream"]


def test_they_are_counted_by_reason(house: House, stream: int, client: TestClient) -> None:
    """Numbers, ids and quoted words do not tell reasons apart; words do."""
    for n in range(3):
        house.letter(stream, raw=bytes([n]), reason=f"Row {n} of 'file-{n}.csv' isn't 1{n} long.")
    house.letter(stream, raw=b"x", reason="It is something else.")
    told = client.get("/api/dead-letters/counts").json()
    assert told["total"] == 4
    assert [(one["letters"], one["reason"]) for one in told["items"]] == [
        (3, "Row … of … isn't … long."),
        (1, "It is something else."),
    ]
    [found] = client.get("/api/dead-letters?reason=something").json()["items"]
    assert found["reason"] == "It is something else."
    assert len(client.get("/api/dead-letters?reason=row*long").json()["items"]) == 3
    assert client.get("/api/dead-letters?reason=100%25").json()["items"] == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("connection=shop", 1),
        ("connection=other", 0),
        ("provider=rest", 1),
        ("provider=gmail", 0),
        ("level=record", 1),
        ("level=batch", 0),
        ("source_id=a", 1),
        ("since=2100-01-01T00:00:00Z", 0),
        ("since=2020-01-01T00:00:00Z", 1),
    ],
)
def test_every_filter_narrows(
    house: House, stream: int, client: TestClient, asked: str, found: int
) -> None:
    house.letter(stream, source_id="a")
    assert len(client.get(f"/api/dead-letters?{asked}").json()["items"]) == found
    exported = client.get(f"/api/dead-letters/export?{asked}").text.splitlines()
    assert len(exported) == found


def test_letters_of_one_batch_are_retried_at_once(
    house: House, stream: int, client: TestClient, reading: Reading
) -> None:
    """One transaction for all; those refused again stay open, each with its own reason."""
    batch = house.land(stream, *[Record(str(n), b"%d" % n) for n in range(50)])
    numbers = [
        house.letter(stream, stage="read_test", source_id=str(n), version=1, batch_id=batch)
        for n in range(50)
    ]

    def odd(raw: Any) -> None:
        if int(raw.payload) % 2:
            raise Skip(f"{raw.source_id} is odd.", hint="Halve it.")

    reading(odd)
    done = redrive_many.retry_all(house.store, "acme", None, by="ann")
    assert (done.retried, done.still_open, done.after) == (25, 25, None)
    assert len(house.execute("SELECT 1 FROM headrace.events")) == 25
    shown = client.get(f"/api/dead-letters/{numbers[1]}").json()
    assert (shown["reason"], shown["attempts"]) == ("1 is odd.", 2)
    assert [one["what"] for one in shown["history"]] == ["refused", "failed"]
    assert shown["history"][1]["by"] == "ann"
    assert shown["history"][1]["code"].endswith("read_test 1")
    assert shown["history"][0]["reason"] == "It is broken."
    times = {row["n"] for row in house.execute("SELECT xmin::text AS n FROM headrace.events")}
    assert len(times) == 1


def test_many_are_a_job(
    house: House, stream: int, client: TestClient, reading: Reading, problem: Problem
) -> None:
    """It can be seen, and its legs go through all that are chosen."""
    batch = house.land(stream, *[Record(str(n), b"x") for n in range(10)])
    for n in range(10):
        house.letter(stream, stage="read_test", source_id=str(n), version=1, batch_id=batch)
    other = house.letter(stream, reason="Not meant.")
    body = {"stage": "read_test", "background": True}
    job_id = client.post("/api/dead-letters/retry", json=body).json()["job_id"]
    assert client.get(f"/api/jobs/{job_id}").json()["kind"] == redrive_many.KIND
    house.execute("UPDATE headrace.jobs SET status = 'RUNNING'")
    assert redrive_many.leg(house.store, job_id, 1).state == "done"
    [row] = house.execute("SELECT summary FROM headrace.jobs")
    assert (row["summary"]["retried"], row["summary"]["of"]) == (10, 10)
    [left] = client.get("/api/dead-letters").json()["items"]
    assert left["dead_letter_id"] == other
    problem(client.post("/api/jobs", json={"kind": redrive_many.KIND}), 422)


def test_bytes_are_landed_again_at_once(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Letters of landing, of one stream: one batch holds what can be read now."""
    box = mailbox(house)
    for n in range(4):
        house.letter(box, raw=b"%d" % n, source_id=f"m{n}")

    def read(_: Any, __: str, raw: bytes) -> Record:
        if raw == b"3":
            raise Skip("Still no mail.")
        return Record(f"m{int(raw)}", raw)

    reread(monkeypatch, read)
    done = redrive_many.retry_all(house.store, "acme", None)
    assert (done.retried, done.still_open) == (3, 1)
    [batch] = house.execute("SELECT fetched, inserted, job_id FROM headrace.batches")
    assert batch == {"fetched": 3, "inserted": 3, "job_id": "redrive"}


def test_the_export_holds_the_bytes_and_the_history(
    house: House, stream: int, client: TestClient
) -> None:
    """Bytes as text where they are one; those of a raw event as well."""
    batch = house.land(stream, Record("a", "Grüße".encode()))
    house.letter(stream, stage="read_test", source_id="a", version=1, batch_id=batch, raw=b"")
    house.letter(stream, raw=b"\xff\0")
    answer = client.get("/api/dead-letters/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    first, second = map(json.loads, answer.text.splitlines())
    assert first["raw"] == "Grüße"
    assert base64.b64decode(second["raw_base64"]) == b"\xff\0"
    assert second["history"][0]["what"] == "refused"
    [shown] = [client.get(f"/api/dead-letters/{first['dead_letter_id']}").json()]
    assert base64.b64decode(shown["raw"]).decode() == "Grüße"


@pytest.fixture
def refusing(house: House, stream: int, reading: Reading) -> dict[str, Any]:
    """A raw event `a` that the stage refuses, because it says "bad"; and its letter."""

    def refuse(raw: Any) -> None:
        if b"bad" in raw.payload:
            raise Skip("It says bad.", hint="Say good.")

    reading(refuse)
    batch = house.land(stream, Record("a", b"bad"))
    number = house.letter(stream, stage="read_test", source_id="a", version=1, batch_id=batch)
    house.execute("UPDATE headrace.checkpoints SET walk = 2")
    return {"number": number, "stream": stream}


def test_a_mended_record_is_a_version_that_says_so(
    house: House, refusing: dict[str, Any], client: TestClient, problem: Problem
) -> None:
    """What was received stays; the mended bytes come after it, and the stages run on them."""
    url = f"/api/dead-letters/{refusing['number']}/mend"
    failed = client.post(url, json={"text": "still bad"}).json()
    assert (failed["state"], failed["dead_letter"]["reason"]) == ("open", "It says bad.")
    assert len(house.execute("SELECT 1 FROM headrace.raw_events")) == 1
    problem(client.post(url, json={"text": "x", "base64": "eA=="}), 422)
    done = client.post(url, json={"base64": base64.b64encode(b"good").decode()}).json()
    assert done["state"] == "retried"
    assert done["dead_letter"]["is_mended"]
    rows = house.execute(
        "SELECT version, payload, b.job_id, mends IS NOT NULL AS mends FROM headrace.raw_events"
        " JOIN headrace.batches b USING (tenant_id, batch_id) ORDER BY version"
    )
    assert [(one["version"], one["payload"], one["mends"]) for one in rows] == [
        (1, b"bad", False),
        (2, b"good", True),
    ]
    assert rows[1]["job_id"] == "mend"
    queued = house.execute("SELECT workflow_uuid AS id FROM dbos.workflow_status")
    assert [one["id"].split(":")[:2] for one in queued] == [["stage", "read_test"]]
    shown = client.get(f"/api/dead-letters/{refusing['number']}").json()
    assert [one["what"] for one in shown["history"]] == ["refused", "mended, failed", "mended"]
    assert base64.b64decode(shown["mended"]) == b"good"
    assert base64.b64decode(shown["raw"]) == b"bad"
    problem(client.post(url, json={"text": "again"}), 409)


@pytest.mark.parametrize(("sent", "newest"), [(b"bad", b"good"), (b"newer", b"newer")])
def test_the_sources_next_version_wins_over_a_mended_one(
    house: House, refusing: dict[str, Any], client: TestClient, sent: bytes, newest: bytes
) -> None:
    """The same bytes sent once more are no next version."""
    url = f"/api/dead-letters/{refusing['number']}/mend"
    assert client.post(url, json={"text": "good"}).json()["state"] == "retried"
    house.land(refusing["stream"], Record("a", sent))
    rows = house.execute("SELECT payload FROM headrace.raw_events ORDER BY version DESC LIMIT 1")
    assert rows == [{"payload": newest}]


def test_what_was_mended_stays_so_when_the_source_sends_it_again(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = mailbox(house)
    bad = BadRecord(b"broken", "It is broken.", "Mend it.", "m1")
    house.land(box, bad=[bad])
    [letter] = client.get("/api/dead-letters").json()["items"]
    reread(monkeypatch, lambda _, __, raw: Record("m1", raw))
    url = f"/api/dead-letters/{letter['dead_letter_id']}/mend"
    assert client.post(url, json={"text": "whole"}).json()["state"] == "retried"
    house.land(box, bad=[bad])
    assert client.get("/api/dead-letters").json()["items"] == []
    [row] = house.execute("SELECT payload, mends IS NOT NULL AS mends FROM headrace.raw_events")
    assert row == {"payload": b"whole", "mends": True}


def test_what_has_no_bytes_or_has_been_overtaken_is_not_mended(
    house: House, stream: int, refusing: dict[str, Any], client: TestClient, problem: Problem
) -> None:
    batch = house.land(stream, Record("b", b"x"))
    whole = house.letter(stream, stage="read_test", source_id=f"batch/{batch}", batch_id=batch)
    told = problem(client.post(f"/api/dead-letters/{whole}/mend", json={"text": "x"}), 409)
    assert "no bytes to mend" in told["detail"]
    house.execute("UPDATE headrace.checkpoints SET walk = 3")
    house.land(stream, Record("a", b"anew"))
    url = f"/api/dead-letters/{refusing['number']}/mend"
    assert "anew since" in problem(client.post(url, json={"text": "x"}), 409)["detail"]


def test_a_failed_job_is_a_dead_letter(house: House, client: TestClient) -> None:
    """One a connection and reason; retried, its job goes on; a success ends it."""
    connection = house.connection()
    for n in range(2):
        job = house.job(connection_id=connection)
        [row] = house.execute(
            "UPDATE headrace.jobs SET status = 'FAILED', completed_at = now(),"
            " last_error = %s WHERE job_id = %s RETURNING *",
            f"It answered 50{n}.",
            job,
        )
        with house.store.transaction() as session:
            job_letters.keep(session, row)
    [letter] = client.get("/api/dead-letters?level=job").json()["items"]
    assert (letter["attempts"], letter["job_id"], letter["connection"]) == (2, job, "shop")
    number = letter["dead_letter_id"]
    assert client.post(f"/api/dead-letters/{number}/retry").json()["state"] == "retried"
    [row] = house.execute("SELECT status, turn FROM headrace.jobs WHERE job_id = %s", job)
    assert row == {"status": "PENDING", "turn": 2}
    house.execute("UPDATE headrace.dead_letters SET state = 'open', resolved_at = NULL")
    [row] = house.execute(
        "UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now()"
        " WHERE job_id = %s RETURNING *",
        job,
    )
    with house.store.transaction() as session:
        job_letters.keep(session, row)
    shown = client.get(f"/api/dead-letters/{number}").json()
    assert (shown["state"], shown["history"][-1]["what"]) == ("retried", "succeeded")


def test_a_history_is_bounded(house: House, stream: int) -> None:
    """Its beginning and the last of it."""
    number = house.letter(stream, stage="gone")
    for _ in range(30):
        assert redrive.again(house.store, "acme", None, number).state == "open"
    [row] = house.execute("SELECT history, attempts FROM headrace.dead_letters")
    assert (len(row["history"]), row["attempts"]) == (20, 31)
    assert row["history"][0]["what"] == "refused"


def test_only_those_meant_are_dropped(house: House, stream: int, client: TestClient) -> None:
    for n in range(3):
        house.letter(stream, raw=bytes([n]), reason=f"Row {n} is wrong.")
    kept = house.letter(stream, raw=b"x", reason="Other.")
    dropped = client.post("/api/dead-letters/drop", json={"reason": "row * wrong"}).json()
    assert dropped == {"dropped": 3, "more": False}
    assert [one["dead_letter_id"] for one in client.get("/api/dead-letters").json()["items"]] == [
        kept
    ]


def test_retention_says_what_is_kept(client: TestClient) -> None:
    """The policies, as the settings have them; nothing of what other tenants have lost."""
    told = client.get("/api/retention").json()["items"]
    said = {one["subject"]: one["policy"] for one in told}
    assert said["workflows"] == "kept 7 days"
    assert said["versions"] == "the newest 20, and all of the last 365 days"
    assert said["open_letters"] == "kept for ever"
    assert not any("removed" in name for one in told for name in one)
