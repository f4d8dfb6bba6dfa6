"""The pages of webhooks: what was told, what was answered, and telling it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.testclient import TestClient

if TYPE_CHECKING:
    from tests.api.conftest import House

HERE = "/system/webhooks"
OWN = {"Sec-Fetch-Site": "same-origin"}


def browser(house: House, tenant: str = "acme", user: str = "ann") -> TestClient:
    """Somebody who has signed in with a key."""
    made = TestClient(house._client.app, raise_server_exceptions=False)
    signed_in = made.post(
        "/login", data={"key": house.key(tenant, user)}, headers=OWN, follow_redirects=False
    )
    assert signed_in.status_code == 303, signed_in.text
    return made


def test_a_delivery_is_seen_and_sent_again(house: House) -> None:
    """What the endpoint has answered is shown, and never run."""
    made = house.client().post("/api/webhooks", json={"url": "https://example.com/x"}).json()
    told = house.client().post(f"/api/webhooks/{made['webhook_id']}/test").json()
    house.execute(
        "UPDATE headrace.webhook_deliveries SET state = 'failed', status = 500, attempts = 9,"
        " answer = '<script>alert(1)</script>'"
    )
    ann = browser(house)
    listed = ann.get(HERE)
    assert listed.status_code == 200
    assert "https://example.com/x" in listed.text
    assert made["secret"] not in listed.text
    page = ann.get(f"{HERE}/{made['webhook_id']}")
    assert told["message_id"] in page.text
    assert "500 &lt;script&gt;alert(1)" in page.text
    at = f"{HERE}/{made['webhook_id']}"
    again = ann.post(f"{at}/deliveries/{told['delivery_id']}/redeliver", headers=OWN)
    assert "It is sent again, under the same id." in again.text
    [row] = house.execute("SELECT state, attempts FROM headrace.webhook_deliveries")
    assert row == {"state": "pending", "attempts": 0}
    for act, said in (("pause", "It is paused."), ("resume", "It goes on"), ("test", "a test")):
        assert said in ann.post(f"{at}/{act}", headers=OWN).text
    assert "0 are sent again" in ann.post(f"{at}/redeliver", headers=OWN).text
    other_site = ann.post(f"{at}/pause", headers={"Sec-Fetch-Site": "cross-site"})
    assert other_site.status_code == 403


def test_somebody_elses_is_not_there(house: House) -> None:
    made = house.client().post("/api/webhooks", json={"url": "https://example.com/x"}).json()
    told = house.client().post(f"/api/webhooks/{made['webhook_id']}/test").json()
    stranger = browser(house, "other", "zoe")
    at = f"{HERE}/{made['webhook_id']}"
    assert "example.com/x" not in stranger.get(HERE).text
    assert stranger.get(at).status_code == 404
    for act in ("test", "pause", "redeliver", f"deliveries/{told['delivery_id']}/redeliver"):
        assert stranger.post(f"{at}/{act}", headers=OWN).status_code == 404
