"""`/api/why`: from a row to the record, batch, job and stages it came of, and back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.types.json import Jsonb
from starlette.testclient import TestClient

from headrace.engine.cascade import run_stage
from headrace.provider import Record

if TYPE_CHECKING:
    from tests.api.conftest import House

BOB, STRANGER = "bob", "zoe"
MESSAGE = b"""From: Ann Lee <ann@example.org>
To: Bob <bob@example.org>
Subject: Tea at %d
Message-ID: <tea@example.org>
Date: Mon, 5 Jan 2026 10:00:00 +0000

Come at four."""
NAME = "a/b:c d"
"""An id as difficult as ids are."""


@pytest.fixture
def stream(house: House) -> int:
    """A message in two versions, worked through."""
    stream = house.stream(
        house.connection(provider="mailbox", name="mail"), "inbox", "message/rfc822"
    )
    job = house.job()
    for hour in (4, 5):
        batch = house.land(stream, Record(NAME, MESSAGE % hour), job=job)
        run_stage(house.store, "normalize_mail", batch)
    return stream


def person(house: House, stream: int) -> tuple[str, str]:
    """Ann, known by two addresses, who wrote the message. The contact's id and the other one."""
    first, second = sorted([uuid.uuid4(), uuid.uuid4()])
    for identity, value in ((first, "ann@example.org"), (second, "ann.lee@example.org")):
        house.execute(
            "INSERT INTO headrace.contact_identities (tenant_id, user_id, identity_id, kind, value,"
            " contact_id, batch_id) VALUES ('acme', 'ann', %s, 'email', %s, %s, 1)",
            identity, value, first,
        )  # fmt: skip
    house.execute(
        "INSERT INTO headrace.contacts (tenant_id, user_id, contact_id, name, identities)"
        " VALUES ('acme', 'ann', %s, 'Ann Lee', 2)",
        first,
    )
    house.execute(
        "INSERT INTO headrace.contact_links (tenant_id, user_id, first_id, second_id, decision,"
        " rule, decided_by, score, evidence) VALUES ('acme', 'ann', %s, %s, 'same', 'domain',"
        " 'rule', 0.97, %s)",
        first, second, Jsonb({"domain": "example.org"}),
    )  # fmt: skip
    house.execute(
        "INSERT INTO headrace.participants (tenant_id, user_id, stream_id, source_id, role,"
        " identity_id, version, batch_id) VALUES ('acme', 'ann', %s, %s, 'from', %s, 2, 2)",
        stream, NAME, second,
    )  # fmt: skip
    return str(first), str(second)


def test_from_an_interaction_to_its_record(house: House, client: TestClient, stream: int) -> None:
    """Covers C5: both versions, the batch, cursors and job of each, the stages with their versions
    and times."""
    for kind in ("interaction", "interactions"):
        answer = client.get(f"/api/why/{kind}/{stream}/{NAME}")
        assert answer.status_code == 200, answer.text
        said = answer.json()
    assert said["row"]["told"] == "Tea at 5"
    assert said["stages"][0] == "normalize_mail"
    [record] = said["records"]
    assert record["source"]["connection"] == "mail"
    assert [one["version"] for one in record["versions"]] == [2, 1]
    assert {"cursor_before", "cursor_after", "slice", "walk", "job_id"} <= set(
        record["versions"][0]
    )
    assert [job["kind"] for job in record["jobs"]] == ["rest_sync"]
    runs = [(one["stage"], one["batch_id"]) for one in record["stage_runs"]]
    assert runs == [("normalize_mail", one["batch_id"]) for one in record["versions"]]


def test_from_a_record_to_all_that_was_made_of_it(
    house: House, client: TestClient, stream: int
) -> None:
    """Covers C5: the way back, with the people in it, and what was refused."""
    contact, _ = person(house, stream)
    house.letter(stream, stage="normalize_mail", source_id=NAME, version=1)
    said = client.get(f"/api/why/raw/{stream}:{NAME}").json()
    assert said["made"]["interactions"][0]["version"] == 2
    [who] = said["made"]["participants"]
    assert (who["role"], who["contact_id"], who["contact"]) == ("from", contact, "Ann Lee")
    [letter] = said["records"][0]["dead_letters"]
    assert letter["reason"] == "It is broken."


def test_from_a_contact_to_the_messages(house: House, client: TestClient, stream: int) -> None:
    """Covers C5: its identities, the links with their evidence, what they took part in, and the
    record of that; any identity's id finds the contact."""
    contact, identity = person(house, stream)
    for named in (contact, identity):
        said = client.get(f"/api/why/contact/{named}").json()
        assert said["row"]["contact_id"] == contact
        assert said["row"]["interactions"] == 1
        assert {one["value"] for one in said["identities"]} == {
            "ann@example.org", "ann.lee@example.org",
        }  # fmt: skip
        [link] = said["links"]
        assert link["evidence"] == {"domain": "example.org"}
        assert said["interactions"][0]["subject"] == "Tea at 5"
        assert said["records"][0]["source_id"] == NAME
    assert (
        client.get(f"/api/why/identity/{identity}").json()["row"]["value"] == "ann.lee@example.org"
    )


def test_a_stranger_is_told_nothing(
    house: House, stream: int, problem: Callable[..., dict[str, Any]]
) -> None:
    """What others own is answered like what does not exist."""
    contact, identity = person(house, stream)
    names = [
        *[f"{kind}/{stream}/{NAME}" for kind in ("interaction", "raw", "timeline", "document")],
        *[f"contact/{contact}", f"identity/{identity}", f"chunk/{stream}/00ff:0"],
    ]
    strangers = (
        house.client(tenant="other", user=STRANGER), house.client(user=BOB, key_user=BOB)
    )  # fmt: skip
    for stranger in strangers:
        for name in names:
            problem(stranger.get(f"/api/why/{name}"), 404)


@pytest.mark.parametrize(
    "name", ["interactoin/1/a", "interaction/a", "interaction/1", "contact/x", "chunk/1/zz:0"]
)
def test_what_names_no_row_is_refused(
    client: TestClient, problem: Callable[..., dict[str, Any]], name: str
) -> None:
    assert problem(client.get(f"/api/why/{name}"), 422)["hint"]


def test_a_passage_of_a_document(house: House, client: TestClient) -> None:
    stream = house.stream(house.connection(provider="documents", name="docs"), "docs", "x/y")
    house.land(stream, Record("a.txt", b"text"))
    [raw] = house.execute("SELECT content_hash FROM headrace.raw_events")
    for table, columns, values in (
        (
            "texts",
            "batch_id, media_type, body, pages, headings",
            "1, 'text/plain', 'text', '{}', '[]'",
        ),
        (
            "chunks",
            "position, batch_id, start_at, end_at, body, chunk_hash, headings",
            "0, 1, 0, 4, 'text', '', '{}'",
        ),
        ("documents", "source_id, version, batch_id, size", "'a.txt', 1, 1, 4"),
    ):
        house.execute(
            f"INSERT INTO headrace.{table} (tenant_id, user_id, stream_id, content_hash, {columns})"
            f" VALUES ('acme', 'ann', %s, %s, {values})",
            stream, raw["content_hash"],
        )  # fmt: skip
    name = f"{stream}:{raw['content_hash'].hex()}:0"
    said = client.get(f"/api/why/chunk/{name}").json()
    assert said["row"]["body"] == "text"
    assert [one["source_id"] for one in said["records"]] == ["a.txt"]
    back = client.get(f"/api/why/raw/{stream}/a.txt").json()["made"]
    assert back["chunks"][0]["chunks"] == 1
    assert back["documents"]
