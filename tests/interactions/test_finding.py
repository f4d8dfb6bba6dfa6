"""Messages and meetings are found by what they mean, by who took part and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from tests.interactions.conftest import TENANT, USER, Post, wrote

from headrace.errors import BadInput, NeedsHuman
from headrace.out import said
from headrace.out.memory import recall
from headrace.out.search import Hit, search
from headrace.rows import CalendarEventRow
from headrace.store.projection import write

Ask = Callable[..., list[Hit]]
ANN, BOB = UUID(int=1), UUID(int=2)
MAIL = [
    wrote(
        "parcel", "The delivery arrived broken, and nobody wants to pay for it.", subject="Parcel"
    ),
    wrote("leave", "I am on holiday for two weeks in March.", subject="Away"),
    wrote("chess", "Do you still have the travel chess?", subject="Question"),
    wrote("sale", "Everything for half the price, holidays included", automated="list"),
    wrote("thanks", "Thank you!"),
]
MEETING = wrote(
    "plan", "We agree on what to build next.", subject="Roadmap", source="google_calendar",
    kind="meeting_created",
)  # fmt: skip


def took_part(post: Post, source_id: str, who: UUID) -> None:
    post.rows(
        "INSERT INTO headrace.participants (tenant_id, user_id, stream_id, source_id, role,"
        " identity_id, version, batch_id, occurred_at)"
        " SELECT tenant_id, user_id, stream_id, source_id, 'from', %s, 1, 1, occurred_at"
        " FROM headrace.interactions WHERE source_id = %s RETURNING 1 AS n",
        who,
        source_id,
    )


@pytest.fixture
def filled(post: Post) -> Post:
    """Some mail and a meeting, embedded, with who took part."""
    mail = post.land(*MAIL)
    calendar = post.land(MEETING, stream="calendar")
    for number in (mail, calendar):
        post.embed(number)
    [row] = post.rows("SELECT stream_id FROM headrace.batches WHERE batch_id = %s", calendar)
    event = CalendarEventRow(source_id="plan", version=1, title="Roadmap", description="A plan.")
    with post.database.transaction() as session:
        write(session, CalendarEventRow, [event], tenant=TENANT, user=USER, batch_id=calendar,
              stream_id=row["stream_id"], merge=False)  # fmt: skip
    for at, source_id in enumerate(("parcel", "leave", "chess", "plan", "thanks")):
        post.rows(
            "UPDATE headrace.interactions SET occurred_at = %s WHERE source_id = %s"
            " RETURNING 1 AS n",
            datetime(2026, 1, 1 + at, tzinfo=UTC),
            source_id,
        )
    for who, value, name in ((ANN, "ann@x.org", "Ann Lee"), (BOB, "bob@x.org", "Bob")):
        post.rows(
            "INSERT INTO headrace.contact_identities (tenant_id, user_id, identity_id, kind, value,"
            " name, contact_id, batch_id) VALUES (%s, %s, %s, 'email', %s, %s, %s, 1)"
            " RETURNING 1 AS n",
            TENANT, USER, who, value, name, who,
        )  # fmt: skip
    took_part(post, "parcel", ANN)
    took_part(post, "plan", ANN)
    took_part(post, "leave", BOB)
    return post


@pytest.fixture
def ask(filled: Post) -> Ask:
    def asked(text: str, who: tuple[str, str | None] = (TENANT, USER), **more: Any) -> list[Hit]:
        with filled.database.people(*who) as session:
            return search(session, text, settings=filled.settings, **more)

    return asked


def found(hits: list[Hit]) -> list[tuple[str, str]]:
    return [(hit.kind, hit.source_id) for hit in hits]


def test_by_meaning_and_by_words(ask: Ask) -> None:
    """Covers A1.33: what has none of the words is found by what it means, and what has them first;
    programs' mail by its words only."""
    question = "compensation for a damaged shipment"
    assert ask(question, mode="text") == []
    [hit] = ask(question, mode="vector")[:1]
    assert (hit.kind, hit.source_id, hit.title) == ("interactions", "parcel", "Parcel")
    assert hit.citation is not None
    assert hit.citation.text.startswith("Parcel\n\nThe delivery arrived broken")
    assert found(ask(question))[0] == ("interactions", "parcel")
    words = ask("travel chess")
    assert found(words)[0] == ("interactions", "chess")
    assert words[0].score > 1
    assert "**travel** **chess**" in words[0].snippet
    assert ("interactions", "sale") in found(ask("half the price"))
    assert ("interactions", "sale") not in found(ask("half the price", mode="vector"))


def test_a_meeting_is_found_once(ask: Ask) -> None:
    """Covers A4.8: as an event of its calendar, by its own words or by what it means."""
    for text in ("roadmap", "deciding the next features of the product"):
        for kinds in (["interactions", "calendar_events"], ["calendar_events"]):
            hits = found(ask(text, kinds=kinds))
            assert hits.count(("calendar_events", "plan")) == 1, (text, kinds)
            assert ("interactions", "plan") not in hits
        assert ("interactions", "plan") not in found(ask(text, kinds=["interactions"]))


def test_by_person(ask: Ask) -> None:
    """Covers A4.8, A1.43: whoever took part, by whatever names them."""
    for person in ("ann@x.org", str(ANN), "ann lee"):
        hits = found(ask("parcel, holiday or roadmap", person=person))
        assert set(hits) == {("interactions", "parcel"), ("calendar_events", "plan")}
    assert found(ask("time off work", person="bob@x.org")) == [("interactions", "leave")]
    assert found(ask("chess", person="bob@x.org", mode="text")) == []
    with pytest.raises(BadInput, match="nobody called 'zoe'"):
        ask("chess", person="zoe")


@pytest.mark.parametrize("few", [0, 5_000])
def test_by_time(ask: Ask, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Covers A4.8: whichever way the nearest are looked for."""
    monkeypatch.setattr(said, "FEW", few)
    since, until = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    for text in ("holiday", "time off work", "compensation for a damaged shipment"):
        assert {key for _, key in found(ask(text, since=since, until=until))} <= {"leave"}
    assert ("interactions", "leave") in found(ask("time off work", since=since))


def test_what_is_quoted_or_unwanted_is_meant(ask: Ask) -> None:
    assert found(ask('"two weeks" vacation')) == [("interactions", "leave")]
    assert ("interactions", "leave") not in found(ask("vacation -march"))


def test_the_newest_of_what_is_said_again_and_again(filled: Post, ask: Ask) -> None:
    number = filled.land(*[wrote(f"thanks{at}", "Thank you!") for at in range(9)])
    assert filled.embed(number) == 0
    assert len(ask("gratitude", mode="vector")) <= 3 + len(MAIL)


@pytest.mark.parametrize("who", [(TENANT, "bob"), ("other", USER), ("", None)])
def test_nobody_finds_what_is_anothers(ask: Ask, who: tuple[str, str | None]) -> None:
    """Covers A4.8, RLS."""
    for text in ("compensation for a damaged shipment", "chess", "roadmap"):
        assert ask(text, who) == []


def test_without_a_model_the_words_have_to_do(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise NeedsHuman("The local model is not installed.")

    monkeypatch.setattr("headrace.out.meant.open_embedder", missing)
    notes: list[str] = []
    assert found(ask("travel chess", tell=notes.append)) == [("interactions", "chess")]
    assert notes == [
        "Messages were searched by their words only. The local model is not installed."
    ]
    with pytest.raises(NeedsHuman):
        ask("travel chess", mode="vector")


def test_agents_are_told_short_texts(filled: Post) -> None:
    """Who said it, when, and where it is; whole passages, and not too long."""
    with filled.database.people(TENANT, USER) as session:
        told = recall(
            session, "compensation for a damaged shipment", limit=2, settings=filled.settings
        )
        short = recall(session, "chess", characters=50, settings=filled.settings)
    assert (told[0].source_id, told[0].connection, told[0].stream) == ("parcel", "mail", "mail")
    assert told[0].text.endswith("nobody wants to pay for it.")
    assert told[0].occurred_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert len(told) <= 2
    assert all(len(one.text) <= 50 for one in short)
    assert short[0].text == "Do you still have the travel chess?"
