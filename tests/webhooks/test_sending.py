"""Webhooks as a receiver sees them: signed, in order, again until they are taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.webhooks.receiver import Got, Receiver

from headrace.errors import BadInput, NeedsHuman
from headrace.store import deliveries, webhooks
from headrace.webhooks import secrets

if TYPE_CHECKING:
    from tests.webhooks.conftest import Post


def states(log: list[dict[str, object]]) -> list[object]:
    return [row["state"] for row in log]


def tried(times: int, log: list[dict[str, object]]) -> bool:
    """The oldest one's so many attempts are noted."""
    history = log[0]["history"]
    assert isinstance(history, list)
    return len(history) == times


def test_what_happened_is_sent_signed_and_noted(post: Post, receiver: Receiver) -> None:
    """The receiver's own library verifies it; the log has the answer and how long it took."""
    post.endpoint(receiver)
    post.tell("alert/one", rule="stale", text="Müll \U0001f5d1")
    post.start()
    [got] = receiver.until(len)
    assert (got.event, got.data) == ("alert.raised", {"rule": "stale", "text": "Müll \U0001f5d1"})
    assert got.headers["content-type"] == "application/json"
    [row] = post.until(lambda log: states(log) == ["delivered"])
    assert (row["status"], row["answer"], row["attempts"]) == (200, "heard", 1)
    assert row["message_id"] == got.id
    assert row["took_ms"] is not None
    changed = got.body.replace(b"stale", b"fresh")
    with pytest.raises(WebhookVerificationError):
        Webhook(receiver.secrets[0]).verify(changed, got.headers)


def test_of_one_subject_the_order_is_kept(post: Post, receiver: Receiver) -> None:
    """The first is refused twice: what comes after it waits, and other subjects do not."""
    refused: list[str] = []

    def answers(got: Got) -> int:
        if got.data == {"n": 0} and len(refused) < 2:
            refused.append("x")
            return 400
        return 204

    receiver.answers = answers
    post.endpoint(receiver)
    for n in range(4):
        post.tell("stream/1", n=n)
    post.tell("stream/2", n=100)
    for _ in range(2):  # two workers
        post.start()
    receiver.until(lambda got: len(got) == 2)
    for tries in (1, 2):
        post.until(partial(tried, tries))
        post.hurry()
    post.until(lambda log: set(states(log)) == {"delivered"})
    sent = [got.data["n"] for got in receiver.got if got.data["n"] < 100]
    assert sent == [0, 0, 0, 1, 2, 3]
    assert len({got.id for got in receiver.got}) == 5
    assert [entry["status"] for entry in post.log()[0]["history"]] == [400, 400, 204]


def test_a_dead_endpoint_holds_up_nobody_else(
    post: Post, receiver: Receiver, other: Receiver
) -> None:
    """One hangs with twenty messages, and is then left alone; the other is told all of it."""
    other.answers = lambda _: None
    dead = post.endpoint(other)
    well = post.endpoint(receiver)
    for n in range(20):
        post.tell(f"alert/{n}", n=n)
    post.start()
    receiver.until(lambda got: len(got) == 20)
    log = post.until(
        lambda log: (
            all(row["state"] == "delivered" for row in log if row["webhook_id"] == well)
            and sum(row["answer"] is not None for row in log if row["webhook_id"] == dead) == 8
        )
    )
    hung = [row for row in log if row["webhook_id"] == dead]
    assert {row["state"] for row in hung} == {"pending"}
    assert sum(row["attempts"] for row in hung) == 8
    [row] = post.rows("SELECT failures, quiet_until FROM headrace.webhooks WHERE failures > 0")
    assert row["failures"] == 8
    assert row["quiet_until"] > datetime.now(UTC)
    # And it comes back: the first message that gets through has the others follow.
    other.answers = lambda _: 200
    post.rows("UPDATE headrace.webhook_deliveries SET tried_at = tried_at - interval '2 minutes'")
    post.rows("UPDATE headrace.webhooks SET quiet_until = NULL")
    post.until(lambda log: set(states(log)) == {"delivered"})


def test_two_secrets_sign_while_one_takes_the_others_place(post: Post, receiver: Receiver) -> None:
    """The receiver may know either; a day later the older one is no longer good."""
    id_ = post.endpoint(receiver)
    with post.store.transaction() as session:
        row = webhooks.one(session, id_)
        assert row is not None
        receiver.secrets.append(webhooks.rotate(session, post.vault, row))
    assert len(set(receiver.secrets)) == 2
    post.tell("alert/one")
    post.start()
    [got] = receiver.until(len)  # which has verified it with both
    assert len(got.headers["webhook-signature"].split()) == 2
    with post.store.transaction() as session:
        row = webhooks.one(session, id_)
    assert row is not None
    known = secrets.unseal(post.vault, "acme", id_, row["secrets"])
    assert receiver.secrets[0].encode() not in bytes(row["secrets"])
    later = datetime.now(UTC) + timedelta(days=1, minutes=1)
    assert secrets.good(known, later) == [receiver.secrets[1]]
    assert len(secrets.rotated(known, later)) == 1 + 1


def test_it_is_given_up_and_sent_again_when_somebody_asks(post: Post, receiver: Receiver) -> None:
    """Under the same id, so that a receiver which had taken it knows."""
    receiver.answers = lambda _: 500
    id_ = post.endpoint(receiver)
    post.tell("alert/one", n=1)
    post.tell("alert/one", n=2)
    post.rows("UPDATE headrace.webhook_deliveries SET asked_at = now() - interval '25 hours'")
    post.start()
    receiver.until(len)
    post.until(lambda log: log[0]["state"] == "failed")
    with post.store.connection() as session:
        assert deliveries.give_up(session, 24) == 1  # it never came to the second
    assert states(post.log()) == ["failed", "failed"]
    receiver.answers = lambda _: 200
    with post.store.transaction() as session:
        assert deliveries.redeliver(session, id_) == 2
    post.until(lambda log: states(log) == ["delivered", "delivered"])
    assert [got.data["n"] for got in receiver.got] == [1, 1, 2]
    assert receiver.got[0].id == receiver.got[1].id
    with post.store.transaction() as session:
        assert deliveries.redeliver(session, id_, post.log()[1]["delivery_id"]) == 1
    receiver.until(lambda got: len(got) == 4)
    assert receiver.got[2].id == receiver.got[3].id


def test_an_endpoint_that_is_gone_is_told_nothing_more(post: Post, receiver: Receiver) -> None:
    """410, by Standard Webhooks."""
    receiver.answers = lambda _: 410
    post.endpoint(receiver)
    post.tell("alert/one")
    post.start()
    post.until(lambda log: states(log) == ["failed"])
    [row] = post.rows("SELECT paused, reason FROM headrace.webhooks")
    assert row == {"paused": True, "reason": "The endpoint said that it is gone (410)."}
    post.tell("alert/two")
    assert len(post.log()) == 1


def test_it_is_left_alone_for_as_long_as_it_asks(post: Post, receiver: Receiver) -> None:
    receiver.answers = lambda _: 429
    receiver.headers = {"Retry-After": "1000"}
    post.endpoint(receiver)
    post.tell("alert/one")
    post.start()
    post.until(lambda log: log[0]["status"] == 429)
    [row] = post.rows("SELECT quiet_until - now() > interval '15 minutes' AS long FROM"
                      " headrace.webhooks")  # fmt: skip
    assert row["long"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "https://10.0.0.1:8443/hook",
        "https://localhost/hook",
        "https://ann:secret@example.com/",
        "https://example.com:22/",
        "ftp://example.com/",
        "nonsense",
    ],
)
def test_callers_may_not_have_just_anything_called(post: Post, url: str) -> None:
    """As with sources that they name."""
    with post.store.transaction() as session, pytest.raises(NeedsHuman):
        webhooks.add(
            session, post.vault, post.settings, tenant="acme", user="ann", key_user=None, url=url
        )


def test_a_name_that_leads_inside_is_not_called(post: Post, receiver: Receiver) -> None:
    """It was let in, and then its name came to mean another address."""
    post.endpoint(receiver)
    post.rows("UPDATE headrace.webhooks SET trusted = false, url = 'https://127.0.0.1:8443/'")
    post.tell("alert/one")
    post.start()
    [row] = post.until(lambda log: log[0]["answer"])
    assert "not at a public address" in row["answer"]
    assert receiver.got == []


def test_an_event_that_there_is_not_is_refused(post: Post, receiver: Receiver) -> None:
    with pytest.raises(BadInput, match=r"job\.succeded"):
        post.endpoint(receiver, "job.succeded")
