"""Whether a person wrote it: a labelled set of headers, and of addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from headrace.mail.automated import nobodys
from headrace.rows import InteractionRow

Normalise = Callable[..., InteractionRow]

NEWS = "List-Unsubscribe: <https://x.example/u>"
LIST = "List-Id: Dev <dev.lists.example>\nList-Post: <mailto:dev@lists.example>"
REPLY = "In-Reply-To: <1@x.example>"
ANN = "From: Ann Lee <ann@x.example>"

# name: headers, why the mail is automated, why its sender is no person
MAILS: dict[str, tuple[str, str | None, str | None]] = {
    "a person": (ANN, None, None),
    "a reply": (f"{ANN}\n{REPLY}", None, None),
    "not automatic, it says": (f"{ANN}\nAuto-Submitted: no", None, None),
    "a role's address": ("From: Support <support@x.example>", None, None),
    "an information desk": ("From: info@x.example", None, None),
    "a newsletter": (f"From: News <hello@x.example>\n{NEWS}", "list", "list"),
    "a newsletter by its list's name": (
        "From: hello@x.example\nList-Id: <abc.list-id.x.example>", "list", "list"),
    "bulk": ("From: offers@x.example\nPrecedence: bulk", "list", "list"),
    "junk, and an answer": (f"From: o@x.example\nPrecedence: junk\n{REPLY}", "list", "list"),
    "an announcement": ("From: a@x.example\nPrecedence: list\nList-Post: NO", "list", "list"),
    "somebody on a list": (f"{ANN}\n{LIST}", None, None),
    "somebody on a list, answering": (
        f"{ANN}\n{LIST}\n{NEWS}\nPrecedence: list\n{REPLY}", None, None),
    "an answer where letters are counted": (f"{ANN}\n{NEWS}\n{REPLY}", None, None),
    "an answer on a list that does not say more": (
        f"{ANN}\nList-Id: <dev.lists.example>\n{REPLY}", None, None),
    "the list itself": (f"From: Dev <dev@lists.example>\n{LIST}\n{REPLY}", "list", "list"),
    "the list, by its name": (
        f"From: dev@lists.example\nList-Id: <dev.lists.example>\n{REPLY}", "list", "list"),
    "somebody in the list's name": (
        f"From: Ann via Dev <other@lists.example>\n{LIST}", "list", "list"),
    "somebody in the list's name, who is told": (
        f"From: 'Ann' via Dev <dev@lists.example>\n{LIST}\nX-Original-From: Ann <ann@x.example>",
        None, None),
    "no-reply": ("From: Shop <no-reply@x.example>", "no-reply", "no-reply"),
    "noreply": ("From: noreply@x.example", "no-reply", "no-reply"),
    "of a department": ("From: accounts-noreply@x.example", "no-reply", "no-reply"),
    "do not reply": ("From: Do.Not.Reply@x.example", "no-reply", "no-reply"),
    "numbered": ("From: noreply2@x.example", "no-reply", "no-reply"),
    "notifications": (
        f"From: Ann Lee <notifications@github.com>\n{LIST}\n{REPLY}", "no-reply", "no-reply"),
    "bounced": (
        "From: MAILER-DAEMON@x.example\nAuto-Submitted: auto-replied", "no-reply", "no-reply"),
    "the postmaster": ("From: postmaster@x.example", "no-reply", "no-reply"),
    "bounces": ("From: bounces+7-ann=x.example@mail.example", "no-reply", "no-reply"),
    "an absence": (f"{ANN}\nAuto-Submitted: auto-replied\n{REPLY}", "auto-reply", None),
    "an absence, otherwise": (f"{ANN}\nX-Autoreply: yes", "auto-reply", None),
    "an absence, by its precedence": (f"{ANN}\nPrecedence: auto_reply", "auto-reply", None),
    "nobody to answer to": (f"{ANN}\nReturn-Path: <>", "auto-reply", None),
    "a report": (f"{ANN}\nContent-Type: multipart/report; boundary=b", "auto-reply", None),
    "generated": ("From: jobs@x.example\nAuto-Submitted: auto-generated", "auto-reply", None),
    "gitlab": (f"From: Ann <git@x.example>\nX-GitLab-Project: p\n{REPLY}", "bot", "bot"),
    "jira": ("From: Ann (Jira) <jira@x.example>\nX-JIRA-FingerPrint: 1", "bot", "bot"),
    "an invitation": (f"{ANN}\nContent-Type: text/calendar; method=REQUEST", "calendar", None),
    "an invitation's answer": (
        f"{ANN}\nContent-Type: text/calendar; charset=utf-8; METHOD=\"REPLY\"", "calendar", None),
    "a calendar's file": (f"{ANN}\nContent-Type: text/calendar; name=a.ics", None, None),
    "an invitation by a program": (
        "From: calendar-notification@google.com\nContent-Type: text/calendar; method=CANCEL",
        "calendar", "no-reply"),
    "one's own, back from a list": (f"From: me@x.example\n{LIST}\nPrecedence: bulk", None, None),
    "one's own absence": ("From: me@x.example\nAuto-Submitted: auto-replied", "auto-reply", None),
    "nobody at all": ("Subject: x", None, None),
}  # fmt: skip


def people(row: InteractionRow) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(row.people)
    return found


@pytest.mark.parametrize(("headers", "why", "no_person"), MAILS.values(), ids=MAILS)
def test_who_wrote_it(
    normalise: Normalise, headers: str, why: str | None, no_person: str | None
) -> None:
    """Covers A1.41: who is a candidate for a contact, and who is not."""
    row = normalise(f"{headers}\n\ntext".encode(), own=("me@x.example",))
    assert row.automated == why
    assert [one.get("automated") for one in people(row)] == (
        [no_person] if row.from_address else []
    )


@pytest.mark.parametrize(
    "address",
    ["ann@x.example", "reply@x.example", "a.notify@x.example", "noreen@x.example",
     "ann.bouncer@x.example", "no@x.example", "alerting@x.example", "norepl.y@x.example"],
)  # fmt: skip
def test_addresses_where_somebody_may_be(address: str) -> None:
    assert nobodys(address) is None


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("c_1@group.calendar.google.com", "calendar"),
        ("room@resource.calendar.google.com", "calendar"),
        ("reply+abc@reply.github.com", "no-reply"),
        ("ne-pas-repondre@x.example", "no-reply"),
        ("dev-bounces@lists.example", "no-reply"),
    ],
)
def test_addresses_where_nobody_is(address: str, why: str) -> None:
    assert nobodys(address) == why


def test_everybody_of_a_mail(normalise: Normalise) -> None:
    """Covers A1.38, A1.41: names decoded, groups, blind copies, and whom to answer."""
    row = normalise(
        b"From: =?utf-8?q?Z=C3=B6e?= <ZOE@x.example>\nReply-To: Zoe at home <zoe@home.example>,"
        b" noreply@x.example\nTo: Team: \"Doe, Jane\" <jane@x.example>, bob@x.example;\n"
        b"Cc: zoe@x.example\nBcc: Secret <s@x.example>\n\n"
        b"Hello, call +1 415 555 0199.\n\n-- \nZ\n+44 20 7946 0000"
        b"\n\nOn 1/1/2026 10:00, Bob wrote:\n> -- \n> Bob\n> +49 30 1234567\n"
    )  # fmt: skip
    assert people(row) == [
        {"role": "from", "kind": "email", "value": "zoe@x.example", "name": "Zöe"},
        {"role": "reply_to", "kind": "email", "value": "zoe@home.example", "name": "Zoe at home"},
        {"role": "to", "kind": "email", "value": "jane@x.example", "name": "Doe, Jane"},
        {"role": "to", "kind": "email", "value": "bob@x.example"},
        {"role": "cc", "kind": "email", "value": "zoe@x.example"},
        {"role": "bcc", "kind": "email", "value": "s@x.example", "name": "Secret"},
        {"role": "from", "kind": "phone", "value": "+442079460000", "name": "Zöe"},
    ]
    assert row.unquoted == "Hello, call +1 415 555 0199."
    assert row.signature == "Z\n+44 20 7946 0000"


def test_a_list_is_nobody(normalise: Normalise) -> None:
    """The list among the receivers, and the one where its answers go to."""
    to = "To: dev@lists.example, b@x.example\nReply-To: dev@lists.example"
    row = normalise(f"{ANN}\n{to}\n{LIST}\n\nx".encode())
    assert [(one["role"], one.get("automated")) for one in people(row)] == [
        ("from", None), ("to", "list"), ("to", None),
    ]  # fmt: skip


def test_who_wrote_to_a_list_that_hides_it(normalise: Normalise) -> None:
    headers, _, _ = MAILS["somebody in the list's name, who is told"]
    row = normalise(f"{headers}\n\nx".encode())
    assert people(row)[0]["value"] == "ann@x.example"
    assert row.from_address == "dev@lists.example"


def test_what_is_embedded(normalise: Normalise) -> None:
    """Covers A1.33: nothing of a blank mail, or of a program's that says nothing."""
    assert normalise(b"From: a@x.example\n\n").text_hash is None
    assert normalise(b"From: noreply@x.example\nSubject: Hello\n\n").text_hash is None
    assert normalise(b"From: a@x.example\nSubject: Hello\n\n").text_hash is not None
    one = normalise(b"Subject: Hello\n\nAll well.\n\n> quoted")
    other = normalise(b"Subject: HELLO\n\nall well.\n-- \nAnn")
    assert one.text_hash == other.text_hash
    assert one.text_hash != normalise(b"Subject: Hello\n\nAll well!").text_hash
