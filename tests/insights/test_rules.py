"""Every kind of insight by its rules: what it says, and the words that it stands on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests.insights.conftest import OWN

from headrace.errors import BadInput
from headrace.insight import made_by
from headrace.insights.lead_score import score
from headrace.insights.weekly_digest import begin, week_before
from headrace.insights.wording import listed, promises, questions
from headrace.plugins import insight_kind, insight_kinds

if TYPE_CHECKING:
    from tests.insights.conftest import Desk


def test_there_are_five_kinds() -> None:
    """Covers A1.35."""
    assert sorted(insight_kinds()) == [
        "duplicate_contact_suspected",
        "lead_score",
        "next_best_action",
        "thread_summary",
        "weekly_digest",
    ]


def test_a_thread_is_summed_up(desk: Desk, talk: None) -> None:
    """Covers A1.35: who wrote when, what is open, each word found in its source."""
    [made] = desk.make("thread_summary")
    assert made["subject"] == "thread:t1"
    assert made["title"] == "The boat"
    assert made["priority"] == "high"
    assert made["actions"] == ["Answer bob@example.com: When can I see the boat?"]
    assert "2 messages between you and bob@example.com" in made["summary"]
    assert "Open: When can I see the boat?" in made["summary"]
    quoted = {(one["source_id"], one["quote"]) for one in made["sources"]}
    assert quoted >= {("m2", "When can I see the boat?"), ("m1", "The boat is for sale.")}
    assert made_by(made["made_by"]) == "Made by rules, not by a language model."


def test_an_answered_question_is_not_open(desk: Desk, talk: None) -> None:
    desk.mail("m3", "On Friday at noon.", ago=3, sender=OWN, to="bob@example.com")
    [made] = desk.make("thread_summary", "thread:t1")
    assert made["priority"] == "low"
    assert made["actions"] == []


def test_only_conversations_of_people_are_looked_at_unasked(desk: Desk, talk: None) -> None:
    for number in range(3):
        desk.mail(f"n{number}", "Buy now?", thread="shop", automated="list")
    desk.mail("alone", "Hello.", thread="one")
    assert [one["subject"] for one in desk.make("thread_summary")] == ["thread:t1"]


def test_what_to_do_next(desk: Desk, talk: None) -> None:
    """A meeting without notes before a question, and that before a promise."""
    desk.mail("p1", "I will send you the papers.", ago=6, sender=OWN, to="bob@example.com",
              thread="t2")  # fmt: skip
    desk.meeting("c1", "Look at the boat", ahead=1, attendees=["bob@example.com", OWN])
    [made] = desk.make("next_best_action")
    assert made["subject"] == desk.contact("bob@example.com")
    assert made["priority"] == "urgent"
    assert [one.split()[0] for one in made["actions"]] == ["Note", "Answer", "Do"]
    assert [one["quote"] for one in made["sources"]] == [
        "Look at the boat",
        "When can I see the boat?",
        "I will send you the papers.",
    ]


def test_nothing_is_to_be_done_too_early_or_too_late(desk: Desk) -> None:
    desk.mail("m1", "When can I see it?", ago=1)
    desk.mail("m2", "When could I have seen it?", ago=200, thread="old")
    desk.mail("m3", "I will look it up.", ago=2, sender=OWN, to="bob@example.com", thread="t3")
    desk.meeting("c1", "Coffee and cake", ahead=1, attendees=["bob@example.com"],
                 description="Bring it")  # fmt: skip
    assert desk.make("next_best_action", desk.contact("bob@example.com")) == []


def test_a_week_in_review(desk: Desk) -> None:
    week = week_before(desk.now)
    since = begin(week)
    assert since is not None
    ago = (desk.now - since).total_seconds() / 86_400
    desk.mail("m1", "The boat is for sale.", ago=ago - 1, sender=OWN, to="bob@example.com")
    desk.mail("m2", "When can I see the boat?", ago=ago - 2)
    desk.mail("m3", "Buy more now.", ago=ago - 2, sender="shop@example.com", automated="list",
              thread="shop")  # fmt: skip
    desk.meeting("c1", "Look at the boat", ahead=-(ago - 8))
    desk.meeting("c2", "Much later on", ahead=-(ago - 16))
    [made] = desk.make("weekly_digest")
    assert made["subject"] == week
    lines = made["summary"].splitlines()
    assert lines[0].endswith("1 sent, 1 received from people, 1 from programs.")
    assert "Most with Bob (2) and Shop (1)." in lines
    assert "2 new contacts: Bob and Shop." in lines or "2 new contacts: Shop and Bob." in lines
    assert "Not answered, bob@example.com: When can I see the boat?" in lines
    assert sum("To come" in line for line in lines) == 1
    assert {one["quote"] for one in made["sources"]} == {
        "When can I see the boat?",
        "Look at the boat",
    }


def test_an_empty_week_says_nothing(desk: Desk, talk: None) -> None:
    assert desk.make("weekly_digest", "week:2019-W07") == []


@pytest.mark.parametrize(
    ("subject", "since"),
    [
        ("week:2026-W01", datetime(2025, 12, 29, tzinfo=UTC)),
        ("week:2020-W53", datetime(2020, 12, 28, tzinfo=UTC)),
        ("week:2021-W53", None),
        ("week:2021-53", None),
    ],
)
def test_weeks_are_those_of_the_calendar(subject: str, since: datetime | None) -> None:
    assert begin(subject) == since


def test_the_week_before_a_new_year() -> None:
    assert week_before(datetime(2027, 1, 4, tzinfo=UTC)) == "week:2026-W53"


def test_a_lead_is_scored_by_its_parts(desk: Desk, talk: None) -> None:
    [made] = desk.make("lead_score")
    assert made["title"] == "Bob: 64 of 100"
    assert "40 of 40 for the last contact" in made["summary"]
    assert "20 of 20 for 1 sent and 1 received" in made["summary"]
    assert made["priority"] == "medium"


def test_a_score_is_between_nothing_and_a_hundred(desk: Desk) -> None:
    all_ = {"interactions": 500, "sent": 200, "received": 200, "meetings": 50, "last": desk.now}
    assert sum(score(desk.now, all_).values()) == 100
    one_way = {**all_, "sent": 0, "meetings": 0, "interactions": 1, "last": desk.days(80)}
    assert sum(score(desk.now, one_way).values()) == 17


def test_a_duplicate_is_suspected(desk: Desk, talk: None) -> None:
    """A suggestion becomes a sentence, and nothing is joined."""
    desk.mail("b1", "It is me again, from home.", sender="bob@home.example", thread="t9")
    pair = desk.suggest("bob@example.com", "bob@home.example")
    [made] = desk.make("duplicate_contact_suspected")
    assert made["subject"] == pair
    assert "Nothing was joined." in made["summary"]
    assert {one["source_id"] for one in made["sources"]} == {"m1", "m2", "b1"}


@pytest.mark.parametrize("decision", ["same", "different"])
def test_a_person_has_the_last_word_on_duplicates(desk: Desk, talk: None, decision: str) -> None:
    desk.suggest("bob@example.com", "bob@home.example", decision, "person:ann")
    pair = desk.suggest("bob@example.com", "bob@home.example")
    assert desk.make("duplicate_contact_suspected") == []
    assert desk.make("duplicate_contact_suspected", pair) == []


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("thread_summary", "t1"),
        ("lead_score", "contact:bob"),
        ("weekly_digest", "week:2026-W99"),
        ("duplicate_contact_suspected", "pair:a:b"),
        ("thread_summary", "thread:\0"),
        ("thread_summary", "thread:" + 2000 * "x"),
    ],
)
def test_what_is_no_subject_is_refused(kind: str, subject: str) -> None:
    with pytest.raises(BadInput):
        insight_kind(kind).check_subject(subject)


def test_a_kind_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(BadInput) as refused:
        insight_kind("thread_sumary")
    assert refused.value.hint == "Did you mean thread_summary?"


def test_another_user_of_the_tenant_is_nobody(desk: Desk) -> None:
    """Covers RLS: what is made for one user reads nothing of another's."""
    desk.mail("x1", "When can I see the boat?", user="zoe", ago=4)
    desk.mail("x2", "Tell me, when can I see it?", user="zoe", ago=3)
    assert desk.make("thread_summary") == []
    assert desk.make("thread_summary", "thread:t1") == []
    assert desk.make("lead_score") == []
    assert desk.make("weekly_digest", week_before(desk.days(-7))) == []


def test_questions_and_promises() -> None:
    text = (
        "Hello Ann. Could you call me? See https://x.example/?a=b? I'll bring cake. I will not go."
    )
    assert questions(text) == ["Could you call me?"]
    assert promises(text) == ["I'll bring cake."]
    assert promises("If it rains, I will stay.") == []
    assert questions("\u3044\u3064\u8239\u3092\u898b\u3089\u308c\u307e\u3059\u304b\uff1f") != []


def test_names_in_a_row() -> None:
    assert listed(["A"]) == "A"
    assert listed(["A", "B", "C"]) == "A, B and C"
    assert listed(["A", "B", "C", "D", "E", "F"]) == "A, B, C, D and 2 others"
