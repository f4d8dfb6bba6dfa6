"""What a timeline says of an interaction."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.rows import InteractionRow, Person, TimelineRow
from headrace.stage import StreamContext
from headrace.stages.sentences import LONGEST
from headrace.stages.timeline import timeline

OWN = frozenset({"me@example.com"})
ME, ANN = (
    Person("to", "email", "me+x@example.com"),
    Person("from", "email", "ann@x.org", "Ann Lee"),
)
BOB, CAT = Person("to", "email", "bob@x.org", "Bob"), Person("cc", "email", "cat@x.org", "Cat")
ANA = Person("author", "github", "ana", None)


def told(*people: Person, stream: str = "mail", **more: Any) -> list[TimelineRow]:
    """What the stage makes of one interaction."""
    known: dict[str, Any] = {
        "source": "gmail",
        "kind": "email_received",
        "direction": "inbound",
        "occurred_at": datetime(2026, 1, 1, tzinfo=UTC),
        "people": msgspec.json.encode(people),
    }
    row = InteractionRow(source_id="a", version=3, **{**known, **more})
    own = frozenset({"me@example.com"})
    return list(timeline.run([row], StreamContext("gmail", stream, "", "{}", own)))


def said(*people: Person, **more: Any) -> str:
    [row] = told(*people, **more)
    return row.sentence


SENT = {"kind": "email_sent", "direction": "outbound"}
HUB = {"source": "github", "direction": None, "thread_id": "77#12"}
MEET = {"source": "google_calendar", "kind": "meeting_created"}


@pytest.mark.parametrize(
    ("people", "more", "sentence"),
    [
        ([ANN], {"subject": "Q3 report"}, "Ann Lee wrote: Q3 report"),
        ([ANN], {"subject": "RE: AW: Q3 report"}, "Ann Lee replied: Q3 report"),
        ([ANN], {"subject": "Fwd: Re[2]: Q3"}, "Ann Lee forwarded: Q3"),
        ([ANN], {"subject": "Rent: due"}, "Ann Lee wrote: Rent: due"),
        ([ANN], {"subject": "", "body": "Lunch\nat noon?"}, "Ann Lee wrote: Lunch at noon?"),
        ([ANN], {"subject": None}, "Ann Lee wrote."),
        ([ANN, BOB], {"subject": "Hi", **SENT}, "You wrote to Bob: Hi"),
        ([ANN, BOB, CAT], {"subject": "Hi", **SENT}, "You wrote to Bob and Cat: Hi"),
        (
            [ANN, BOB, CAT, Person("cc", "email", "d@x.org"), Person("cc", "email", "bob@x.org")],
            {"subject": "Re: Hi", **SENT},
            "You replied to Bob and 2 others: Hi",
        ),
        ([ANN, BOB], {"subject": "Hi", "direction": None}, "Ann Lee wrote to Bob: Hi"),
        ([], {"subject": "Hi", "from_address": "z@x.org"}, "z@x.org wrote: Hi"),
        ([], {"subject": "Hi"}, "Somebody wrote: Hi"),
        ([ANN], {"subject": "Sale", "automated": "list"}, "Automated mail from Ann Lee: Sale"),
        ([ANN], {"subject": "A", "attachments": ["q.pdf"]}, "Ann Lee wrote: A (attached: q.pdf)"),
        (
            [ANN],
            {"subject": "A", "attachments": ["q.pdf", "b", "c"]},
            "Ann Lee wrote: A (attached: q.pdf and 2 more files)",
        ),
        ([ANN], {"subject": "<b>Bold</b> <a href='x'>no</a>"}, "Ann Lee wrote: Bold no"),
        ([ANN], {"subject": "1 < 2 and <ann@x.org>"}, "Ann Lee wrote: 1 < 2 and <ann@x.org>"),
        ([ME, BOB], {"subject": "Planning", **MEET}, "Meeting with Bob: Planning"),
        ([ME], {"subject": "Dentist", **MEET}, "Appointment: Dentist"),
        (
            [ME, BOB],
            {"subject": "Planning", **MEET, "kind": "meeting_cancelled"},
            "Cancelled: meeting with Bob: Planning",
        ),
        ([ANA], {"subject": "Slow", "kind": "issue", **HUB}, "ana opened issue #12: Slow"),
        (
            [ANA],
            {"subject": "Fast", "kind": "pull_request", **HUB},
            "ana opened pull request #12: Fast",
        ),
        (
            [ANA],
            {"body": "> so\n\n<!-- x -->**Not** [here](http://x), `a_b`", "kind": "comment", **HUB},
            "ana commented on #12: Not here, a_b",
        ),
        (
            [ANA],
            {"kind": "review", "labels": ["changes_requested"], **HUB},
            "ana asked for changes in #12.",
        ),
        ([ANA], {"kind": "review", "labels": ["approved"], **HUB}, "ana approved #12."),
        (
            [ANA],
            {"kind": "commit", "subject": "Mend", **HUB, "direction": "outbound"},
            "You committed: Mend",
        ),
        ([ANA], {"kind": "release", "subject": "v1", **HUB}, "ana published release v1"),
        (
            [],
            {"kind": "notification", "subject": "Slow", "labels": ["review_requested"], **HUB},
            "GitHub notified you (review requested): Slow",
        ),
    ],
)
def test_sentences(people: list[Person], more: dict[str, Any], sentence: str) -> None:
    """Covers A1.34, A1.45, A1.46: each kind in its own words, with names, without markup."""
    assert said(*people, **more) == sentence


@pytest.mark.parametrize(
    "more",
    [
        {"labels": ["INBOX", "SPAM"]},
        {"labels": ["DRAFT"]},
        {"stream": "INBOX.Drafts"},
        {"stream": "Mail/Junk.mbox"},
        {"labels": ["Entwürfe"]},
        {"source": "github", "kind": "release", "labels": ["draft"]},
    ],
)
def test_drafts_and_spam_are_none(more: dict[str, Any]) -> None:
    assert told(ANN, **{"subject": "Hi", **more}) == []


def test_kinds_and_details() -> None:
    """Covers A1.47: what a program wants to know stands beside the sentence."""
    [row] = told(ANN, ME, subject="Re: Hi", body="See you.", attachments=["a.pdf"], thread_id="t")
    assert (row.kind, row.source_id, row.version) == ("email_received", "a", 3)
    details = msgspec.json.decode(row.details)
    assert details["people"][0] == {
        "role": "from",
        "kind": "email",
        "value": "ann@x.org",
        "name": "Ann Lee",
    }
    assert (details["verb"], details["excerpt"], details["attachments"]) == (
        "replied",
        "See you.",
        ["a.pdf"],
    )
    assert [told(ANN, automated="list")[0].kind, told(ME, **MEET)[0].kind] == [
        "automated_email",
        "meeting",
    ]


_TEXTS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40
) | st.sampled_from(["<b>x</b>", "Re: " * 9, "\u202e\x1b[2J", "<!--", "`" * 30, "[a](b)" * 9])


@given(
    st.lists(
        st.builds(
            Person,
            st.sampled_from(["from", "to", "cc", "organizer", "attendee", "author", "odd"]),
            st.sampled_from(["email", "phone", "github"]),
            _TEXTS,
            st.none() | _TEXTS,
        ),
        max_size=4,
    ),
    st.sampled_from(["gmail", "github", "mailbox", "google_calendar", "other"]),
    st.sampled_from(["email_received", "meeting_created", "issue", "review", "commit", "odd"]),
    st.none() | _TEXTS,
    _TEXTS,
    st.lists(_TEXTS, max_size=3),
)
def test_any_interaction_has_one_short_line(
    people: list[Person],
    source: str,
    kind: str,
    subject: str | None,
    body: str,
    several: list[str],
) -> None:
    """Covers A1.52: pure, never fails, whatever is in it; nothing that steers a terminal."""
    more: dict[str, Any] = {"source": source, "kind": kind, "subject": subject, "body": body * 50}
    more |= {"attachments": several, "labels": several, "thread_id": subject}
    rows = told(*people, **more)
    assert rows == told(*people, **more)
    for row in rows:
        assert 0 < len(row.sentence) <= LONGEST
        assert row.sentence.isprintable()
        assert len(row.details) < 40_000


@pytest.mark.parametrize("piece", ["<!--", "<a ", "[", "Re:", "> ", "-", " ", "_", "![a](", "`"])
def test_no_text_takes_long(piece: str) -> None:
    hostile = piece * 30_000
    began = time.process_time()
    told(ANN, subject=hostile, body=hostile, attachments=[hostile])
    told(ANN, subject=hostile, body=hostile, source="github", kind="comment")
    assert time.process_time() - began < 0.5
