"""A message's page: whose it is, what it says, its conversation, what is attached."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP

from starlette.testclient import TestClient
from tests.api.conftest import ANN, BOB, TIME, House
from tests.dashboard.data.conftest import EVIL
from tests.dashboard.serving import signed_in

from headrace.engine.cascade import run_stage
from headrace.provider import Record


def letter(number: int, subject: str, answers: int | None = None, file: bytes = b"") -> bytes:
    """A message, perhaps an answer, perhaps with a file."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = "Bob <bob@b.example>", "ann@a.example", subject
    made["Message-ID"] = f"<m{number}@b.example>"
    made["Date"] = TIME + timedelta(hours=number)
    if answers is not None:
        made["In-Reply-To"] = made["References"] = f"<m{answers}@b.example>"
    made.set_content(f"The {number}th. {EVIL}")
    if file:
        made.add_attachment(file, "text", "html", filename=f"{EVIL}.html")
    return made.as_bytes()


def mailbox(house: House, *letters: bytes, user: str = ANN) -> int:
    """These messages, read by their stage. Their stream; they are called m0, m1 and so on."""
    connection = house.connection(provider="mailbox", user=user, name=f"mail of {user}")
    house.execute(
        'UPDATE headrace.connections SET trusted = true, config = \'{"path": "/gone"}\''
        " WHERE connection_id = %s",
        connection,
    )
    stream = house.stream(connection, "mail", "message/rfc822")
    records = [Record(f"a/m{at}", raw) for at, raw in enumerate(letters)]
    run_stage(house.store, "normalize_mail", house.land(stream, *records))
    return stream


def test_a_subject_with_html_in_it_is_shown_and_not_run(ann: TestClient, house: House) -> None:
    """Covers X7: wherever it stands, and in no page without the policy that runs nothing."""
    stream = mailbox(house, letter(0, EVIL, file=b"<script>alert(3)</script>"))
    for path in (f"/records/messages/{stream}/a%2Fm0", "/search?q=0th", f"/why/raw/{stream}:a/m0"):
        answer = ann.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    page = ann.get(f"/records/messages/{stream}/a%2Fm0").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "From</dt>" in page
    assert "/contacts?q=bob%40b.example" in page


def test_the_conversation_is_there_in_order(ann: TestClient, house: House) -> None:
    """One's own, not another user's of the same tenant."""
    stream = mailbox(house, letter(0, "Tea"), letter(1, "Re: Tea", 0), letter(2, "Re: Tea", 0))
    mailbox(house, letter(0, "Tea"), letter(9, "Re: Tea", 0), user=BOB)
    page = ann.get(f"/records/messages/{stream}/a%2Fm1").text
    found = re.search(r'id="thread">.*?</section>', page, re.DOTALL)
    assert found
    said = [found[0].find(f"The {number}th.") for number in (0, 1, 2)]
    assert -1 < said[0] < said[1] < said[2]
    assert found[0].count("<li") == 3
    assert "The 9th" not in found[0]
    assert found[0].count('aria-current="true"') == 1
    assert f"/records/messages/{stream}/a%2Fm0" in found[0]


def test_what_is_attached_is_a_file_and_never_a_page(ann: TestClient, house: House) -> None:
    """Covers A1.40: to keep, sandboxed, and for its owner alone."""
    stream = mailbox(house, letter(0, "Look", file=b"<script>alert(3)</script>"))
    page = ann.get(f"/records/messages/{stream}/a%2Fm0").text
    found = re.search(r'href="(/attachments/[^"]+)"', page)
    assert found
    answer = ann.get(found[1])
    assert answer.status_code == 200, answer.text
    assert answer.content.strip() == b"<script>alert(3)</script>"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert ann.get(found[1].replace("/0/", "/7/", 1)).status_code == 404
    assert ann.get(found[1].replace("/0/", "/-1/", 1)).status_code == 404
    for stranger in (signed_in(house, "acme", BOB, BOB), signed_in(house, "other", "zoe")):
        assert stranger.get(found[1]).status_code == 404
        assert stranger.get(f"/records/messages/{stream}/a%2Fm0").status_code == 404


def test_why_leads_from_a_message_to_its_source(ann: TestClient, house: House) -> None:
    """Covers A3.29: also where the id has a slash, a colon and a question mark in it."""
    stream = mailbox(house, letter(0, "Tea"))
    [row] = house.execute("SELECT * FROM headrace.connections")
    odd = "m:0?x#y/é"
    house.land(stream, Record(odd, b"{}"))
    house.mail(stream, odd)
    for path in ("a%2Fm0", "m:0%3Fx%23y%2F%C3%A9"):
        page = ann.get(f"/records/messages/{stream}/{path}").text
        found = re.search(r'href="(/why/[^"]+)"', page)
        assert found
        why = ann.get(found[1])
        assert why.status_code == 200, why.text
        assert f'href="/sources/{row["connection_id"]}"' in why.text
