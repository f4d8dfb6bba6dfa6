"""`/api/webhooks` and `/api/changes`, as programs use them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from headrace.provider import Record

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem

URL = "https://example.com/hooks"


def test_an_endpoint_from_its_beginning_to_its_end(client: TestClient, problem: Problem) -> None:
    """Its secret is told when it is made and when it is changed, and never again."""
    made = client.post("/api/webhooks", json={"url": URL, "events": ["job.failed"], "name": "ops"})
    assert made.status_code == 201
    hook = made.json()
    assert hook["secret"].startswith("whsec_")
    at = f"/api/webhooks/{hook['webhook_id']}"
    shown = client.get(at).json()
    assert shown == {name: value for name, value in hook.items() if name != "secret"}
    assert client.get("/api/webhooks").json() == {"items": [shown], "next": None}
    changed = client.patch(at, json={"paused": True, "events": []}).json()
    assert (changed["paused"], len(changed["events"])) == (True, 6)
    assert changed["reason"] == "Somebody has paused it."
    assert client.patch(at, json={"paused": False}).json()["reason"] is None
    other = client.post(f"{at}/rotate").json()["secret"]
    assert other.startswith("whsec_")
    assert other != hook["secret"]
    told = client.post(f"{at}/test").json()
    assert (told["event"], told["state"]) == ("webhook.test", "pending")
    log = client.get(f"{at}/deliveries").json()["items"]
    assert log == [client.get(f"{at}/deliveries/{told['delivery_id']}").json()]
    assert client.get(f"{at}/deliveries?state=failed").json()["items"] == []
    again = client.post(f"{at}/deliveries/{told['delivery_id']}/redeliver")
    assert (again.status_code, again.json()["message_id"]) == (202, told["message_id"])
    assert client.post(f"{at}/redeliver").json() == {"redelivered": 0}
    assert client.delete(at).status_code == 204
    problem(client.get(at), 404)
    problem(client.post("/api/webhooks", json={"url": URL, "events": ["job.lost"]}), 422)
    problem(client.post("/api/webhooks", json={"url": "http://10.0.0.1/"}), 409)


def test_a_key_of_one_user_is_told_of_their_rows_only(house: House, client: TestClient) -> None:
    """And does not see what is told of the whole tenant."""
    bob = house.client(user="bob", key_user="bob")
    for one in (client, bob):
        one.post("/api/webhooks", json={"url": URL})
    assert len(client.get("/api/webhooks").json()["items"]) == 2
    [own] = bob.get("/api/webhooks").json()["items"]
    stream = house.stream(house.connection())
    house.land(stream, Record("e1", b"{}"))
    client.get("/api/changes")
    told = house.execute("SELECT webhook_id FROM headrace.webhook_deliveries")
    assert len(told) == 1
    assert told[0]["webhook_id"] != own["webhook_id"]


def changed(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["change"], one["source_id"]) for item in page["items"] for one in item["records"]]


def test_a_reader_keeps_its_place(house: House, client: TestClient, problem: Problem) -> None:
    """Batch by batch, with the stream and its checkpoint, to the end, and on from there."""
    connection = house.connection()
    stream = house.stream(connection)
    batch = house.land(stream, Record("e1", b"{}"), Record("e2", b"{}"))
    page = client.get("/api/changes?limit=1").json()
    assert changed(page) == [("added", "e1")]
    [item] = page["items"]
    assert (item["batch_id"], item["stream"], item["connection_id"]) == (
        batch,
        "events",
        connection,
    )
    assert item["checkpoint"] == {"from": None, "to": None}
    page = client.get("/api/changes", params={"after": page["next"]}).json()
    assert (changed(page), page["more"]) == ([("added", "e2")], False)
    end = page["next"]
    assert client.get("/api/changes", params={"after": end}).json()["items"] == []
    assert client.get("/api/changes?after=newest").json()["items"] == []
    house.land(stream, Record("e2", b"[]"))
    page = client.get("/api/changes", params={"after": end}).json()
    assert changed(page) == [("updated", "e2")]
    problem(client.get("/api/changes?after=nonsense"), 422)
    problem(client.get("/api/changes?wait=61"), 422)


def test_a_reader_may_wait(house: House, client: TestClient) -> None:
    """It is answered when something is there, and when its time is up."""
    stream = house.stream(house.connection())
    before = time.monotonic()
    page = client.get("/api/changes?wait=0.2").json()
    assert page["items"] == []
    assert time.monotonic() - before >= 0.2
    later = threading.Timer(0.3, lambda: house.land(stream, Record("e1", b"{}")))
    later.start()
    page = client.get("/api/changes", params={"wait": 60, "after": page["next"]}).json()
    later.join()
    assert changed(page) == [("added", "e1")]
    assert time.monotonic() - before < 50
