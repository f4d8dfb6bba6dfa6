"""What Google refuses, and what becomes of it: waits, words for a person, or one dead letter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.accounts import connect

from headrace.google.choice import GmailConfig
from headrace.providers.gmail import Gmail
from headrace.store.allowances import BURST

if TYPE_CHECKING:
    from tests.gmail.box import Box

Open = Callable[..., Awaitable["Box"]]


def refusal(code: int, reason: str, message: str = "No.", **error: str) -> dict[str, Any]:
    """A rule's answer in Google's shape."""
    detail = {"message": message, "domain": "global", "reason": reason}
    body = {"error": {"code": code, "message": message, "errors": [detail], **error}}
    return {"kind": "answer", "status": code, "json": body}


@pytest.mark.parametrize(
    ("status", "reason", "more"),
    [
        (429, "rateLimitExceeded", {}),
        (403, "rateLimitExceeded", {}),
        (403, "userRateLimitExceeded", {}),
        (403, "quotaExceeded", {}),
        (403, "somethingNew", {"status": "RESOURCE_EXHAUSTED"}),
    ],
)
async def test_a_rate_limit_is_waited_for(
    open_box: Open, status: int, reason: str, more: dict[str, str]
) -> None:
    """Covers G10: until the time that stands in the text alone; it is no failure."""
    box = await open_box(messages=5)
    until = datetime.now(UTC) + timedelta(seconds=90)
    text = f"User-rate limit exceeded.  Retry after {until:%Y-%m-%dT%H:%M:%S.000Z}"
    box.faults({"on": {"call": "messages.list"}, "do": refusal(status, reason, text, **more)})
    outcome = await box.sync()
    assert outcome.state == "retry"
    assert outcome.after is not None
    assert 80 < outcome.after <= 90
    assert outcome.failure is False
    assert box.calls()["calls"]["messages.list"] == 1


@pytest.mark.parametrize(
    ("reason", "reauth", "words", "cure"),
    [
        ("insufficientPermissions", True, "Gmail was not allowed", "tick the box"),
        ("domainPolicy", False, "administrators", "Ask them"),
        ("accessNotConfigured", False, "may not use Gmail's API", "Enable the API"),
    ],
)
async def test_a_missing_right_is_for_a_person(
    open_box: Open, reason: str, reauth: bool, words: str, cure: str
) -> None:
    """Covers G10, O7: never tried again, and said in words that lead to the cure."""
    box = await open_box(messages=5)
    box.faults({"on": {"call": "messages.list"}, "do": refusal(403, reason)})
    outcome = await box.sync()
    assert (outcome.state, outcome.reauth) == ("human", reauth)
    assert words in outcome.error
    assert cure in outcome.hint
    assert box.calls()["calls"]["messages.list"] == 1


async def test_an_unticked_box(open_box: Open) -> None:
    """Covers O7: consent to something else is said before anything is listed."""
    box = await open_box(messages=5)
    scopes = ["https://www.googleapis.com/auth/calendar.readonly"]
    connect(box.database, box.google, "gmail", scopes=scopes)
    with pytest.raises(Exception, match="Gmail was not allowed") as refused:
        await box.sync()
    assert getattr(refused.value, "reauth", False)


async def test_a_precondition_is_tried_a_few_times(open_box: Open) -> None:
    """Covers G10: 400 failedPrecondition passes, or a person is told after all attempts."""
    box = await open_box(messages=5)
    does = refusal(400, "failedPrecondition", "Mail service not enabled")
    box.faults({"on": {"call": "messages.list", "request": [1, 2]}, "do": does})
    await box.synced()
    assert box.shown() == box.truth()
    box.faults({"on": {"call": "history.list"}, "do": does})
    outcome = await box.sync()
    assert (outcome.state, outcome.failure) == ("retry", True)
    assert "Mail service not enabled" in outcome.error


async def test_one_bad_part_of_a_chunk_is_asked_again_alone(open_box: Open) -> None:
    """Covers G12, A1.14: there are no batches; each message is a request of its own."""
    box = await open_box(messages=60)
    on = {"call": "messages.get", "request": [3, 11]}
    box.faults({"on": on, "do": {"kind": "answer", "status": 500}})
    await box.synced()
    assert box.shown() == box.truth()
    listed = box.truth(frozenset({"SPAM", "TRASH"}))
    assert box.calls()["calls"]["messages.get"] == len(listed) + 2


@pytest.mark.parametrize(
    "drift",
    [
        {"set": {"historyId": 17}},
        {"set": {"historyId": "-1"}},
        {"drop": ["historyId"]},
        {"set": {"labelIds": "INBOX"}},
        {"set": {"id": "somebody"}},
    ],
    ids=str,
)
async def test_a_message_of_another_shape_is_put_aside(
    open_box: Open, drift: dict[str, Any]
) -> None:
    """Covers R13, G4: alone; and in a listing it counts as there."""
    box = await open_box(messages=30)
    await box.synced()
    before = box.shown()
    box.mail.expire_history()
    odd = {"kind": "drift", **drift}
    box.faults({"on": {"call": "messages.get", "request": 3}, "do": odd})
    await box.synced()
    assert box.shown() == before
    [letter] = box.letters()
    assert letter["stage"] == "landing"
    assert letter["source_id"] in before


async def test_brackets_without_end(open_box: Open) -> None:
    """Covers R11, G15: a message that nests without end is one dead letter."""
    box = await open_box(messages=10)
    name = box.mail.nth(0)
    deep = "[" * 100_000 + "]" * 100_000
    body = f'{{"id": "{name}", "payload": {deep}, "historyId": "1"}}'
    does = {"kind": "answer", "text": body, "headers": {"Content-Type": "application/json"}}
    box.faults({"on": {"call": "messages.get", "times": 1}, "do": does})
    await box.synced()
    assert len(box.letters()) == 1
    assert len(box.shown()) == len(box.truth()) - 1


@pytest.mark.parametrize("date", ["9" * 15, "9" * 30, "soon", "-9999999999999", ""])
async def test_an_absurd_internal_date(open_box: Open, date: str) -> None:
    """Covers G14: the message is there, without a time of Gmail's."""
    box = await open_box(messages=3)
    does = {"kind": "drift", "set": {"internalDate": date}}
    box.faults({"on": {"call": "messages.get"}, "do": does})
    await box.synced()
    assert box.shown() == box.truth()
    assert {row["occurred_at"] for row in box.of_stream("occurred_at", "raw_events")} == {None}


async def test_the_internal_date_orders(open_box: Open) -> None:
    """Covers G14: whatever the Date header says."""
    box = await open_box(messages=5)
    raw = b"From: a@b.example\r\nDate: Fri, 31 Dec 9999 23:59:59 +0000\r\n\r\nx"
    name = box.mail.deliver(raw, ms=1_700_000_000_123)
    await box.synced()
    when = {row["source_id"]: row["occurred_at"] for row in _times(box)}
    assert when[name] == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
    assert when == {one.id: datetime.fromtimestamp(one.ms / 1_000, UTC) for one in box.mail}


def _times(box: Box) -> list[dict[str, Any]]:
    return box.of_stream("source_id, occurred_at", "interactions")


async def test_the_allowance_keeps_google_content(open_box: Open) -> None:
    """Covers G11: as many units as may be used in a minute, and never one refusal."""
    rate = {"units_per_minute": 15_000, "pause_ms": 0}
    box = await open_box(rate, messages=160, overdrafts=1)
    await box.synced()
    stats = box.calls()
    assert (stats["refusals"], stats["bans"]) == (0, 0)
    gets = stats["calls"]["messages.get"]
    assert stats["units"]["messages.get"] == 5 * gets
    # A minute of Google's may begin anywhere, and then holds the bucket's burst as well.
    allowed = Gmail(GmailConfig()).units_per_minute
    assert allowed is not None
    assert 0.9 * 15_000 < allowed * (60 + BURST) / 60 < 15_000


async def test_a_preview(open_box: Open) -> None:
    """How many messages there are, what they cost, and how long that takes."""
    box = await open_box(messages=3_000)
    gmail = Gmail(GmailConfig())
    gmail.base_url, gmail.private_hosts = box.settings.gmail_base_url, True
    token = box.google.grant("", Gmail.scopes)["access_token"]

    async def access(_refused: str | None) -> str:
        return str(token)

    gmail.token = access
    try:
        estimate = await gmail.estimate()
    finally:
        await gmail.aclose()
    assert estimate.records == 3_000
    assert estimate.units == 3_000 * 5 + 61 * 5 + 3
    assert 1 < estimate.minutes < 1.1


async def test_whose_account_it_is(open_box: Open) -> None:
    """Covers A1.39: every address that its owner sends from; one that is not verified may be
    anybody's."""
    box = await open_box(messages=3)
    box.mail.alias("Ada@Work.example")
    await box.synced()
    [row] = box.rows("SELECT account, addresses FROM headrace.connections")
    assert (row["account"], row["addresses"]) == (
        "ada@example.com",
        ["ada@example.com", "ada@work.example"],
    )


async def test_a_consent_that_has_ended(open_box: Open) -> None:
    """Covers O8: what the cause was is said in words."""
    box = await open_box(messages=3)
    await box.synced()
    box.ask("POST", "/admin/suspend", {})
    with pytest.raises(Exception, match="Account has been suspended") as refused:
        await box.sync()
    assert getattr(refused.value, "reauth", False)
