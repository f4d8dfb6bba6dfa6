"""Connecting and approving an account on pages, through the issuer and back."""

from __future__ import annotations

import re
from html import unescape
from urllib.request import Request as Ask

from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.dashboard.serving import FORM
from tests.oauth.world import World, staying

from headrace.api import create_app
from headrace.settings import Settings
from headrace.store.database import Database

BOTH = ["gmail", "google_calendar"]


def goes(ann: TestClient, **form: object) -> str:
    """Where the form sends the browser: to the issuer."""
    answer = ann.post("/connect", data={"provider": BOTH, **form})
    assert answer.status_code == 200, answer.text
    found = re.search(r'href="(http[^"]+)"', answer.text)
    assert found, answer.text
    there = unescape(found[1])
    assert answer.headers["Refresh"] == f"0; url={there}"
    return there


def comes_back(ann: TestClient, there: str) -> str:
    """The page that the browser ends on, having said yes."""
    answer = ann.get(staying(Ask(there)))
    assert answer.status_code == 200
    assert str(answer.url).removeprefix("http://127.0.0.1") == "/"
    return answer.text


def test_two_accounts_by_one_consent(ann: TestClient, world: World) -> None:
    """Covers A3.29, O7: ticked together, asked once, connected and said."""
    page = comes_back(ann, goes(ann))
    assert "Connected: gmail:ada@example.com, google_calendar:ada@example.com." in page
    assert page.count('class="card source"') == 2
    assert "Connected: gmail" not in ann.get("/").text


def test_a_first_sync_waits_for_its_approval(ann: TestClient, house: House, world: World) -> None:
    """Covers A3.18: its preview is asked for by a button, and costs calls; looking costs none."""
    page = comes_back(ann, goes(ann, provider=["gmail"], approve="true"))
    assert "waits for approval" in page
    [row] = house.execute("SELECT * FROM headrace.connections")
    here = f"/sources/{row['connection_id']}"
    before = world.ask("/admin/stats")["calls"]
    for path in ("/", here):
        assert f'action="{here}/preview"' in ann.get(path).text
    assert world.ask("/admin/stats")["calls"] == before
    preview = ann.post(f"{here}/preview").text
    assert re.search(r"<dt>Records</dt><dd>30</dd>", preview)
    assert re.search(r"<dt>Minutes, about</dt><dd>0\.1</dd>", preview)
    assert house.execute("SELECT * FROM headrace.jobs") == []
    approved = ann.post(f"{here}/sync")
    assert "It is being brought up to date." in approved.text
    [job] = house.execute("SELECT * FROM headrace.jobs")
    assert job["connection_id"] == row["connection_id"]
    [row] = house.execute("SELECT * FROM headrace.connections")
    assert row["health"] == "active"


def test_a_preview_that_fails_says_why(ann: TestClient, world: World, house: House) -> None:
    row = world.connect("gmail")
    world.ask("/admin/suspend", {"how": "policy"})
    answer = ann.post(f"/sources/{row['connection_id']}/preview")
    assert answer.status_code == 200
    assert '<p class="notice">' in answer.text
    calendar = world.connect("google_calendar")
    answer = ann.post(f"/sources/{calendar['connection_id']}/preview")
    assert "cannot say what a sync would take" in answer.text


def test_what_the_issuer_says_is_said_on_the_page(ann: TestClient, world: World) -> None:
    """Covers O7: a consent that was declined, a token that is not given: in words, once, and never
    by an address that somebody else could send."""
    state = re.search(r"state=([^&]+)", goes(ann))
    assert state
    back = {"state": state[1], "error": "access_denied"}
    page = ann.get("/connections/callback", params=back).text
    assert '<p class="notice bad" role="status">The consent was declined. Nothing' in page
    there = goes(ann)
    world.says({"error": "invalid_client", "error_description": "<b>No</b>"}, 401)
    page = comes_back(ann, there)
    assert '<p class="notice bad" role="status">' in page
    assert "<b>No" not in page
    assert 'class="notice bad"' not in ann.get("/", params={"error": "Call 555"}).text


def test_nobody_waits_for_a_consent_that_is_used(ann: TestClient, world: World) -> None:
    answer = ann.get("/connections/callback", params={"state": "x", "code": "y"})
    assert answer.status_code == 400
    assert "Nobody is waiting for this consent." in answer.text
    assert "headrace.css" in answer.text


def test_an_issuer_that_is_not_set_up(store: Database) -> None:
    """It says what to set, before anybody presses anything; and what the command line does."""
    app = create_app(store, Settings(_env_file=None, google_client_id="", github_client_id=""))
    with TestClient(app, raise_server_exceptions=False) as client:
        key = House(store, client).key()
        client.headers.update(FORM)
        client.post("/login", data={"key": key})
        page = client.get("/connect").text
        assert "set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET" in page
        assert page.count("<fieldset disabled>") == 2
        for way in ("--paste", "--device", "--key -", "headrace ingest", "--spec"):
            assert way in page
        answer = client.post("/connect", data={"provider": ["github"]})
        assert "Headrace has no OAuth client at GitHub" in answer.text
        assert "Tick what is to be read." in client.post("/connect").text
