"""The dashboard over one database for all of these tests, which holds Ann's things, and browsers
that are signed in."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from tests.api.conftest import ANN, TENANT, House
from tests.api.test_alerts import delivery, incident
from tests.api.test_attachments import letter as with_attachments
from tests.api.test_contacts import identity, suggest
from tests.api.test_strangers import webhook
from tests.dashboard.serving import served
from tests.heard import log  # noqa: F401

from headrace.dashboard.render import asset
from headrace.provider import Record
from headrace.store import contacts, sessions, uploads
from headrace.store.keys import Caller

EVIL = '<script>alert()</script>"\'><img src=x onerror=alert()><a href="javascript:alert()">'
"""What somebody writes who wants it to run in another's browser."""
ODD = "a b/c?d#e&f 100%<i>.eml"
"""What a file may be called."""
MARK = "quokka"
"""Stands in each of Ann's texts, and nowhere else."""

_ACCEPT = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="package")
def house(cluster: str, engine_template: str) -> Iterator[House]:
    """The service that is only looked at: nothing that is done to it succeeds."""
    with served(cluster, engine_template) as made:
        yield made


@pytest.fixture
def own(cluster: str, engine_template: str) -> Iterator[House]:
    """A service of the test's own."""
    with served(cluster, engine_template) as made:
        yield made


def opened(house: House, base: str = "http://testserver") -> TestClient:
    """A browser, of which nothing is known yet."""
    client = TestClient(
        house._client.app, base_url=base, raise_server_exceptions=False, follow_redirects=False
    )
    client.headers.update(_ACCEPT)
    return client


def signed_in(house: House, key: str) -> TestClient:
    """A browser that this key has signed in."""
    client = opened(house)
    assert client.post("/login", data={"key": key}).status_code == 303
    return client


def link(house: House) -> str:
    """The token of a link that `headrace open` would have made."""
    with house.store.transaction() as session:
        return sessions.link(session, Caller(TENANT, ANN, None))


@pytest.fixture(scope="package")
def ann(house: House) -> TestClient:
    """Her browser."""
    return signed_in(house, house.key())


@pytest.fixture(scope="package")
def things(house: House) -> dict[str, Any]:
    """Ann's things, in the service that is only looked at."""
    return filled(house)


def filled(house: House) -> dict[str, Any]:
    """Ann's things, one of each kind that has an id, with markup in every text. The keys are what
    the addresses of pages call them."""
    evil = f"{EVIL} {MARK}"
    connection = house.connection(name=evil)
    house.execute(
        "UPDATE headrace.connections SET account = %s, health = 'error', health_reason = %s,"
        " health_hint = %s WHERE connection_id = %s",
        *(evil, evil, evil, connection),
    )
    stream = house.stream(connection, name=ODD)
    job = house.job(connection_id=connection)
    batch = house.land(stream, Record("e1", b"{}"), job=job)
    house.event(stream, ODD, name=evil, properties={evil: evil})
    box = house.connection(name="mail", provider="mailbox")
    house.execute(
        "UPDATE headrace.connections SET trusted = true, config = %s WHERE connection_id = %s",
        '{"path": "/gone"}',
        box,
    )
    mail = house.stream(box, "mail", "message/rfc822")
    house.land(mail, Record(ODD, with_attachments()), job=job)
    house.execute(
        "INSERT INTO headrace.documents (tenant_id, user_id, stream_id, source_id, version,"
        " batch_id, content_hash, indexed_hash, size) SELECT tenant_id, user_id, stream_id, %s, 1,"
        " %s, 'h', 'h', 1 FROM headrace.streams WHERE stream_id = %s",
        *(ODD, batch, mail),
    )
    house.execute(
        "INSERT INTO headrace.chunks (tenant_id, user_id, stream_id, content_hash, position,"
        " batch_id, start_at, end_at, headings, body, chunk_hash, kind, cut_by, embedded_by)"
        " SELECT tenant_id, user_id, stream_id, 'h', 0, 1, 0, 9, ARRAY[%s], %s, 'c', 'documents',"
        " 1, 0 FROM headrace.streams WHERE stream_id = %s",
        *(evil, evil, mail),
    )
    house.mail(mail, ODD, subject=evil, body=f"{evil} teapot", sender=f'"{evil}" <m@x.example>')
    house.execute(
        "INSERT INTO headrace.timeline_events (tenant_id, user_id, stream_id, source_id, version,"
        " batch_id, occurred_at, kind, sentence, details) SELECT tenant_id, user_id, stream_id,"
        " source_id, version, batch_id, occurred_at, 'email_received', subject, '{}'"
        " FROM headrace.interactions"
    )
    house.meeting(stream, ODD)
    house.execute(
        "UPDATE headrace.calendar_events SET title = %s, location = %s, occurred_at = now()",
        *(evil, evil),
    )
    letter = house.letter(
        stream, source_id=ODD, version=1, batch_id=batch, reason=evil, raw=evil.encode()
    )
    house.execute("UPDATE headrace.dead_letters SET job_id = %s", job)
    contact = identity(house, "zoe@acme.example", evil)
    other = identity(house, "z@acme.example", f"{evil}!")
    apart = [identity(house, f"{name}@acme.example", evil) for name in ("x", "y")]
    question = suggest(house, *apart)
    with house.store.people(TENANT, ANN) as session:
        contacts.answer(session, question, same=False, by=ANN)
    [answer] = house.execute("SELECT max(link_id) AS n FROM headrace.contact_links")
    answered = answer["n"]
    with house.store.people(TENANT, ANN) as session:
        uploads.put(session, TENANT, ANN, "plan.md", BytesIO(b"text"), bytes(32))
    house.execute(
        "UPDATE headrace.jobs SET status = 'FAILED', last_error = %s, hint = %s,"
        " started_at = now(), completed_at = now() WHERE job_id = %s",
        *(evil, evil, job),
    )
    endpoint = webhook(house)
    made = house.client().post(
        "/api/schedules", json={"connection": connection, "spec": "every 1h"}
    )
    alert = incident(house, evil, hint=evil, link=f"/sources/{connection}")
    return {
        "connection_id": connection,
        "stream_id": mail,
        "source_id": ODD,
        "job_id": job,
        "number": letter,
        "contact_id": contact,
        "link_id": suggest(house, contact, other),
        "answered": answered,
        "index": 0,
        "schedule_id": made.json()["schedule_id"],
        "identity": other,
        "incident_id": alert,
        "alert_delivery_id": delivery(house, alert),
        "webhook_id": endpoint["webhook_id"],
        "webhook_delivery": endpoint["delivery_id"],
        "link": link(house),
    }


def methods(route: APIRoute) -> set[str]:
    """What may be done there."""
    return route.methods or set()


def address(route: APIRoute, things: dict[str, Any]) -> str:
    """A page of Ann's things. A page that is added later and names something else fails here: say
    in `things` what it is called."""
    named = things
    if "/records/" in route.path:
        named = things | {"kind": "messages"}
    if "/links/" in route.path:
        named = things | {"link_id": things["answered"]}
    if "/why/" in route.path:
        named = things | {"kind": "interaction", "name": f"{things['stream_id']}/{ODD}"}
    if "/webhooks/" in route.path:
        named = things | {"number": things["webhook_delivery"]}
    if "/static/" in route.path:
        return asset("headrace.css")
    path = route.path
    for name in route.param_convertors:
        path = path.replace(f"{{{name}}}", quote(str(named[name]), safe=""))
        path = path.replace(f"{{{name}:path}}", quote(str(named[name]), safe="/"))
    return path


def fields(things: dict[str, Any]) -> dict[str, Any]:
    """What any of the forms asks for."""
    return {
        "same": "true",
        "text": "mended",
        "act": "cancel",
        "job": [things["job_id"]],
        "contact": [things["contact_id"], things["identity"]],
        "identity": [things["identity"]],
        "provider": "gmail",
        "hours": "1",
    }
