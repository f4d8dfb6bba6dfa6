"""What is attached to mail that was imported: it is in the message that lies here."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from tests.api.conftest import ANN, BOB

from headrace.engine.cascade import run_stage
from headrace.provider import Record

if TYPE_CHECKING:
    from tests.api.conftest import House

PICTURE = bytes(range(256)) * 10


def letter() -> bytes:
    """A message with a picture, and another message."""
    inner = EmailMessage(policy=SMTP)
    inner["Subject"] = "Old news"
    inner.set_content("Long ago.")
    made = EmailMessage(policy=SMTP)
    made["From"], made["Subject"] = "bob@b.example", "Look"
    made.set_content("See below.")
    made.add_attachment(PICTURE, "image", "png", filename="a.png")
    made.add_attachment(inner)
    return made.as_bytes()


def test_it_is_read_out_of_the_message(house: House) -> None:
    """Covers A1.40, A3.5: by its number, for its owner, as a file; and nothing is there that is not
    in the message. The mailbox it came from may be gone."""
    connection = house.connection(provider="mailbox")
    house.execute(
        "UPDATE headrace.connections SET trusted = true, config = %s WHERE connection_id = %s",
        '{"path": "/gone"}',
        connection,
    )
    stream = house.stream(connection, "mail", "message/rfc822")
    batch = house.land(stream, Record("cd/ab", letter()))
    run_stage(house.store, "normalize_mail", batch)
    ann, bob = house.client(key_user=ANN), house.client(user=BOB, key_user=BOB)
    path = f"/api/interactions/{stream}/cd%2Fab"
    assert ann.get(path).json()["attachments"] == ["a.png", "Old news.eml"]
    picture = ann.get(f"{path}/attachments/0")
    assert (picture.status_code, picture.content) == (200, PICTURE)
    assert picture.headers["Content-Type"] == "image/png"
    message = ann.get(f"{path}/attachments/1")
    assert b"Long ago." in message.content
    named = message.headers["Content-Disposition"]
    assert named == "attachment; filename*=UTF-8''Old%20news.eml"
    assert ann.get(f"{path}/attachments/2").status_code == 404
    assert bob.get(f"{path}/attachments/0").status_code == 404
