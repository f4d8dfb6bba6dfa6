"""Every id of the API, in the hands of another tenant or another user: 404, and nothing changes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient
from tests.api.test_alerts import delivery, incident
from tests.api.test_auth import routes
from tests.api.test_contacts import identity, suggest

from headrace.provider import Record
from headrace.store import uploads

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem


ATTACHED = b"Content-Disposition: attachment; filename=a.txt\r\n\r\nx"
"""A mail that is nothing but what is attached to it."""


@pytest.fixture
def things(house: House) -> dict[str, Any]:
    """Ann's things, one of each kind that has an id."""
    connection = house.connection()
    stream = house.stream(connection)
    batch = house.land(stream, Record("e1", b"{}"))
    house.event(stream, "e1")
    mailbox = house.connection(name="mailbox", provider="mailbox")
    house.execute(
        "UPDATE headrace.connections SET trusted = true, config = %s WHERE connection_id = %s",
        '{"path": "/gone"}',
        mailbox,
    )
    mail = house.stream(mailbox, "mail", "message/rfc822")
    house.land(mail, Record("folder/m1", ATTACHED))
    house.mail(mail, "folder/m1")
    house.meeting(stream, "c1")
    letter = house.letter(
        stream, stage="normalize_events", source_id="e1", version=1, batch_id=batch
    )
    contact = identity(house, "zoe@acme.example", "Zoe")
    with house.store.people("acme", "ann") as session:
        uploads.put(session, "acme", "ann", "plan.md", BytesIO(b"text"), bytes(32))
    alert = incident(house)
    over = house.job(kind="replay")
    house.execute("UPDATE headrace.jobs SET status = 'CANCELLED', completed_at = now()")
    return {
        "connection": connection,
        "connection_id": connection,
        "stream_id": stream,
        "mailbox": mail,
        "index": 0,
        "job_id": house.job(connection_id=connection),
        "ingestion": house.job(
            kind="documents_ingest",
            connection_id=house.connection(name="papers", provider="documents"),
        ),
        "number": letter,
        "replay": house.job(kind="replay"),
        "over": over,
        "contact_id": contact,
        "link_id": suggest(house, contact, identity(house, "z@acme.example", "Zoe")),
        "insight_id": house.insight(stream, "folder/m1"),
        "name": "plan.md",
        "incident_id": alert,
        "alert_delivery_id": delivery(house, alert),
        "schedule_id": house.client()
        .post("/api/schedules", json={"connection": connection, "spec": "every 1h"})
        .json()["schedule_id"],
        **webhook(house),
    }


def webhook(house: House) -> dict[str, Any]:
    """An endpoint of Ann's, with a delivery."""
    ann = house.client(key_user="ann")
    made = ann.post("/api/webhooks", json={"url": "https://example.com/"}).json()
    told = ann.post(f"/api/webhooks/{made['webhook_id']}/test").json()
    return {"webhook_id": made["webhook_id"], "delivery_id": told["delivery_id"]}


def urls(app: object, things: dict[str, Any]) -> list[tuple[str, str]]:
    """Every route with an id in it, with Ann's ids filled in. An upload is put under a name of the
    caller's own: what is Ann's has nothing to do with it."""
    found = []
    for method, path in routes(app):
        # Whose rows a request for an account is about, its body says.
        if "{" in path and "{account}" not in path and method != "PUT":
            ids = {"/api/events": "e1", "/api/calendar-events": "c1"}
            source = ids.get(path.partition("/{")[0], "folder/m1")
            own = {**things, "source_id": source}
            if path.startswith("/api/interactions"):
                own["stream_id"] = things["mailbox"]
            if path.startswith("/ingestion"):
                own["job_id"] = things["ingestion"]
            if path.endswith("/events"):
                own["job_id"] = things["over"]  # what is told of others has no end
            if path.startswith("/api/replay"):
                own["job_id"] = things["replay"]
            if path.startswith("/api/why"):
                own |= {"kind": "interaction", "name": f"{things['mailbox']}/folder/m1"}
            found.append((method, path.format(**own)))
    return found


def _body(url: str, things: dict[str, Any]) -> Any:
    """What a request needs so that its body is not what is wrong with it."""
    bodies = {"split": {"identities": [things["contact_id"]]}, "mend": {"text": "mended"}}
    return bodies.get(url.rpartition("/")[2])


STRANGERS = [("other", "ann", None), ("other", "zoe", "ann"), ("acme", "bob", "bob")]


@pytest.mark.parametrize("who", STRANGERS)
def test_an_id_of_somebody_else_is_not_there(
    house: House, things: dict[str, Any], problem: Problem, who: tuple[str, str, str | None]
) -> None:
    """Covers A4.8, CVE-2026-41949, CVE-2026-42276: every id, every method; never a 403, which would
    tell that it exists."""
    stranger = house.client(*who)
    tables = "SELECT j.*, d.*, s.*, w.*, v.* FROM headrace.jobs j, headrace.dead_letters d,"
    tables += " headrace.schedules s, headrace.webhooks w, headrace.webhook_deliveries v"
    before = house.execute(tables)
    assert before
    asked = urls(stranger.app, things)
    assert len(asked) >= 8
    for method, url in asked:
        body = _body(url, things)
        told = problem(stranger.request(method, url, json=body), 404)
        assert set(told) == {*told} - {"errors"}
    job = {"kind": "rest_sync", "connection": things["connection"]}
    problem(stranger.post("/api/jobs", json=job), 404)
    assert house.execute(tables) == before
    assert house.execute("SELECT name FROM headrace.uploads") == [{"name": "plan.md"}]


@pytest.mark.parametrize("who", STRANGERS)
def test_listings_of_somebody_else_are_empty(
    house: House, things: dict[str, Any], who: tuple[str, str, str | None]
) -> None:
    stranger = house.client(*who)
    listings = ["jobs", "connections", "dead-letters", "interactions", "calendar-events", "events"]
    listings += ["search?q=teapot", "insights", "contacts", "contacts/suggestions", "timeline"]
    listings += ["schedules", "alerts?state=all", "webhooks", "changes"]
    for listing in listings:
        assert stranger.get(f"/api/{listing}").json()["items"] == [], listing
    assert stranger.post("/api/dead-letters/retry").json()["retried"] == 0
    dropped = stranger.post("/api/dead-letters/drop", json={"stage": "normalize_events"})
    assert dropped.json()["dropped"] == 0
    assert stranger.get("/api/dead-letters/counts").json() == {"total": 0, "items": []}
    assert stranger.get("/api/dead-letters/export").content == b""
    assert stranger.post("/api/jobs/runner").json()["waiting"] == []


def test_a_missing_id_reads_the_same_as_a_foreign_one(
    house: House, things: dict[str, Any], problem: Problem
) -> None:
    """But for the id itself, which the stranger knew: nothing can be told apart."""
    stranger = house.client("other", "zoe")
    foreign, missing = things["job_id"], "00000000-0000-4000-8000-000000000000"
    told = [problem(stranger.get(f"/api/jobs/{one}"), 404) for one in (foreign, missing)]
    for one, job_id in zip(told, (foreign, missing), strict=True):
        one.pop("request_id")
        assert job_id in one.pop("detail")
        assert job_id in one.pop("instance")
    assert told[0] == told[1]


def test_its_owner_finds_every_one(house: House, things: dict[str, Any]) -> None:
    """The requests above fail for whose they are, and for no other reason."""
    for key_user in (None, "ann"):
        ann = house.client(key_user=key_user)
        for method, url in urls(ann.app, things):
            if method == "GET":
                assert ann.get(url).status_code == 200, url
    ann = house.client()
    number, job = things["number"], things["job_id"]
    assert ann.post(f"/api/dead-letters/{number}/retry").status_code == 200
    assert ann.post(f"/api/jobs/{job}/cancel").status_code == 200


def test_a_key_of_the_tenant_sees_all_of_its_users(house: House, things: dict[str, Any]) -> None:
    house.connection(user="bob")
    names = [row["user_id"] for row in house.client().get("/api/connections").json()["items"]]
    assert set(names) == {"ann", "bob"}
    [row] = house.client(key_user="bob").get("/api/connections").json()["items"]
    assert row["user_id"] == "bob"


def test_nobody_can_make_rows_for_another_user(house: House, problem: Problem) -> None:
    """Covers A1.20, RLS: the row is refused even where the code would have let it through."""
    connection = house.connection()
    with house.store.people("acme", "bob") as session, pytest.raises(Exception, match="row-level"):
        session.execute(
            "INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, connection_id)"
            " VALUES ('acme', 'ann', 'x', 'rest_sync', %s)",
            [connection],
        )


def test_search_reads_only_what_the_caller_may_see(
    house: House, things: dict[str, Any], client: TestClient
) -> None:
    """The same words in three people's rows: each finds their own."""
    for user, tenant in (("bob", "acme"), ("zoe", "other")):
        stream = house.stream(house.connection(user, tenant))
        house.event(stream, f"of-{user}")
    found = {
        who: {
            hit["source_id"]
            for hit in house.client(*who).get("/api/search?q=teapot").json()["items"]
        }
        for who in (("acme", "ann", None), ("acme", "bob", "bob"), ("other", "zoe", None))
    }
    assert found[("acme", "ann", None)] == {"e1", "folder/m1", "c1", "of-bob"}
    assert found[("acme", "bob", "bob")] == {"of-bob"}
    assert found[("other", "zoe", None)] == {"of-zoe"}
