"""`headrace contacts`: from messages to people, merged and parted."""

from __future__ import annotations

import psycopg
from tests.cli.command import House

MAIL = b"""From x Mon Jan  5 08:00:00 2026
Message-ID: <%d@x>
From: %s
To: me@home.example
Date: Mon, 5 Jan 2026 08:00:00 +0000
Subject: Tea

With milk?

"""
SENDERS = [
    b"John Smith <john.smith@acme.example>",
    b"John Smith <jsmith@acme.example>",
    b"John Smith <john@else.example>",
]
PEOPLE = """
UPDATE headrace.interactions SET people = json_build_array(json_build_object(
  'role', 'from', 'kind', 'email', 'value', from_address, 'name', from_name))
"""


def test_from_messages_to_people(house: House) -> None:
    """Covers A3.36, X6: extracted when a person asks; and then merged, parted, answered."""
    house.environment["HEADRACE_EXTRACT_CONTACTS"] = "manual"
    mails = b"".join(MAIL % (number, sender) for number, sender in enumerate(SENDERS))
    (house.folder / "mail.mbox").write_bytes(mails)
    house.run("ingest", "mail.mbox", "--address", "me@home.example").ok()
    assert house.json("contacts", "list") == []
    with psycopg.connect(house.environment["DATABASE_URL"]) as connection:
        connection.execute(PEOPLE)
    assert "SUCCEEDED" in house.run("contacts", "extract").ok().out

    found = {row["email"]: row["contact_id"] for row in house.json("contacts", "list")}
    assert len(found) == 2
    assert "John Smith" in house.look("contacts", "list", "else").ok().out
    [suggested, *_] = house.json("contacts", "suggestions")
    assert "<john@else.example>" in house.look("contacts", "suggestions").ok().out
    made = house.json("contacts", "accept", str(suggested["link_id"]))
    assert made["identities"] == 3
    shown = house.look("contacts", "show", made["contact_id"]).ok().out
    assert "jsmith@acme.example" in shown
    assert "domain" in shown
    apart = found["john@else.example"]
    assert "of its own" in house.look("contacts", "split", made["contact_id"], apart).ok().out
    assert len(house.json("contacts", "list")) == 2
    house.run("contacts", "show", "00000000-0000-0000-0000-000000000001").refused(
        64, "There is no contact", "contacts list"
    )
