"""The first page: how fresh a source is, what waits, what is wrong, what mends it."""

from __future__ import annotations

import re

from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.dashboard.serving import signed_in
from tests.oauth.world import World

from headrace.engine.chain import enqueue_stage
from headrace.plugins import raw_stages
from headrace.provider import Record
from headrace.store import connections


def card(client: TestClient, connection_id: str, path: str = "/") -> str:
    """What the first page says of one source, as words."""
    page = client.get(path).text
    begin = rf'<section class="card source" id="source-{connection_id}">'
    found = re.search(rf"{begin}.*?</section>", page, re.DOTALL)
    assert found, page
    return re.sub(r"\s+", " ", re.sub(r"<(?!form)[^>]+>", " ", found[0]))


def test_items_and_what_waits_for_its_stages(ann: TestClient, house: House) -> None:
    """Covers A3.29: stage by stage, with how much it is; not what is another tenant's."""
    stream = house.stream(house.connection())
    batch = house.land(stream, *(Record(f"e{n}", b"{}") for n in range(7)))
    theirs = house.stream(house.connection(tenant="other", user="zoe"))
    other = house.land(theirs, Record("x", b"{}"))
    first = raw_stages("application/json")[0]
    with house.store.transaction() as session:
        for one in (batch, other):
            enqueue_stage(session, first, one)
    [row] = house.execute("SELECT * FROM headrace.connections WHERE tenant_id = 'acme'")
    said = card(ann, row["connection_id"])
    assert "Items 7" in said
    assert f"Waiting: {first.name.replace('_', ' ')} 7 , since" in said
    page = ann.get(f"/sources/{row['connection_id']}").text
    assert f'id="backlog-{first.name}"' in page


def test_the_access_of_an_account(ann: TestClient, house: House, world: World) -> None:
    """Covers O5: good until when; over, and renewed by the next sync; ended."""
    row = world.connect("gmail")
    at = row["connection_id"]
    world.lasts(row, 1830)
    assert "Access good, renewed by itself in 30 minutes" in card(ann, at)
    world.lasts(row, -130)
    assert "Access ended 2 minutes ago , renewed by the next sync" in card(ann, at)
    house.execute(
        "UPDATE headrace.grants SET revoked_at = now() - interval '3 hours' WHERE grant_id = %s",
        row["grant_id"],
    )
    assert "Access ended 3 hours ago" in card(ann, at)


def test_the_allowance_that_was_learned(ann: TestClient, house: House, world: World) -> None:
    """Covers G11: what the source says is left, and until when."""
    row = world.connect("gmail")
    house.execute(
        "INSERT INTO headrace.allowances (tenant_id, allowance, user_id, spent_until, remaining,"
        " most, window_seconds, resets_at) VALUES ('acme', %s, 'ann', to_timestamp(0), 4900, 5000,"
        " 3600, now() + interval '30.5 minutes')",
        f"gmail:{row['grant_id']}",
    )
    assert "4,900 of 5,000 left, anew in 30 minutes" in card(ann, row["connection_id"])
    house.execute("UPDATE headrace.allowances SET resets_at = now(), share = 0.7, share_at = now()")
    assert "70 % of its rate, after a refusal" in card(ann, row["connection_id"])


def test_the_button_mends_what_is_wrong(ann: TestClient, house: House) -> None:
    """Covers A3.29: the last error in words, and what to do about it, by what it is."""
    at = house.connection(provider="gmail")
    mends = {"needs_reauth": "reconnect", "error": "sync", "paused": "resume", "active": "sync"}
    for health, act in mends.items():
        with house.store.transaction() as session:
            connections.resume(session, at)
            reason = "" if health == "active" else "The <b>key</b> is refused."
            connections.health(session, at, health, reason, "Do it.")
        said = card(ann, at)
        assert f'action="/sources/{at}/{act}"' in said
        assert ("&lt;b&gt;key&lt;/b&gt; is refused. Do it." in said) == bool(reason)


def test_a_job_that_is_tried_again_says_why(ann: TestClient, house: House) -> None:
    at = house.connection()
    job = house.job(connection_id=at)
    house.execute(
        "UPDATE headrace.jobs SET status = 'RUNNING', last_error = 'The source is busy.',"
        " resume_at = now() + interval '10.5 minutes' WHERE job_id = %s",
        job,
    )
    said = card(ann, at)
    assert "The source is busy. It is tried again in 10 minutes" in said
    assert f'action="/sources/{at}/sync"' not in said


def test_many_are_filtered_and_cut(ann: TestClient, house: House) -> None:
    """Those that need somebody come first; a filter stays in the address."""
    for number in range(65):
        house.connection(name=f"shop {number:03}")
    house.execute("UPDATE headrace.connections SET health = 'error' WHERE name = 'shop 064'")
    page = ann.get("/").text
    shown = re.findall(r'id="source-[^"]+">\s*<h2><a [^>]+>([^<]+)', page)
    assert shown[:2] == ["shop 064", "shop 000"]
    assert len(shown) == 60
    assert "60 of 65" in page
    assert ann.get("/", params={"health": "error"}).text.count('id="source-') == 1
    found = ann.get("/", params={"q": "SHOP 01"}).text
    assert found.count('id="source-') == 10
    assert "?q=SHOP+01&amp;health=error" in found


def test_a_user_s_key_sees_the_user_s(house: House) -> None:
    """Covers X7: another's source is not there, and not to be acted on."""
    mine, theirs = house.connection(), house.connection(user="bob", name="theirs")
    client = signed_in(house, "acme", "ann", "ann")
    assert f"source-{mine}" in client.get("/").text
    assert f"source-{theirs}" not in client.get("/").text
    assert client.get(f"/sources/{theirs}").status_code == 404
    for act in ("preview", "sync", "pause", "resume", "reconnect"):
        assert client.post(f"/sources/{theirs}/{act}").status_code == 404, act
