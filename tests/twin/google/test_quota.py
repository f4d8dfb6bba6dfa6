"""What calls cost, what a minute holds, and what becomes of those who do not listen."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from tests.twin.google.visitor import EVENTS, GMAIL, Visitor

Start = Callable[..., Awaitable[Visitor]]
RETRY = re.compile(r"Retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$")
PROFILE = f"{GMAIL}/profile"


def reason(refused: dict[str, Any]) -> str:
    return str(refused["error"]["errors"][0]["reason"])


async def test_every_call_is_billed_what_google_bills(start: Start) -> None:
    """Covers G11, the server's side of it."""
    visitor = await start(messages=100)
    listed = await visitor.get(f"{GMAIL}/messages", {"maxResults": "1"})
    one = listed["messages"][0]
    draft = (await visitor.get(f"{GMAIL}/drafts"))["drafts"][0]["id"]
    profile = await visitor.get(PROFILE)
    await visitor.get(f"{GMAIL}/messages/{one['id']}")
    await visitor.get(f"{GMAIL}/messages/{one['id']}/attachments/none", status=400)
    await visitor.get(f"{GMAIL}/history", {"startHistoryId": profile["historyId"]})
    await visitor.get(f"{GMAIL}/labels")
    await visitor.get(f"{GMAIL}/drafts/{draft}")
    await visitor.get(f"{GMAIL}/settings/sendAs")
    await visitor.get(f"{GMAIL}/threads/{one['threadId']}")
    told = await visitor.stats()
    assert told["units"] == {
        "getProfile": 1,
        "messages.list": 5,
        "messages.get": 5,
        "messages.attachments.get": 5,
        "history.list": 2,
        "labels.list": 1,
        "drafts.list": 5,
        "drafts.get": 5,
        "settings.sendAs.list": 1,
        "threads.get": 10,
    }
    assert told["peakUnits"] == 40
    assert told["byStatus"] == {"200": 9, "400": 1}


@pytest.mark.parametrize(
    ("over_budget", "statuses"), [("429", [429, 429]), ("403", [403, 403]), ("both", [429, 403])]
)
async def test_a_minute_holds_so_many_units_and_the_refusal_says_when_more(
    start: Start, over_budget: str, statuses: list[int]
) -> None:
    """Covers G10, the server's side of it: the wait is in the text alone."""
    visitor = await start(user_units=3, over_budget=over_budget)
    for _ in range(3):
        await visitor.get(PROFILE)
    for status in statuses:
        refused = await visitor.get(PROFILE, status=status)
        assert reason(refused) == "userRateLimitExceeded"
        found = RETRY.search(refused["error"]["message"])
        assert found
        wait_s = datetime.fromisoformat(found[1]).timestamp() - visitor.google.clock.now()
        assert 50 < wait_s <= 60
    await visitor.post("/admin/clock", {"advance_s": wait_s + 0.01})
    await visitor.get(PROFILE)
    told = await visitor.stats()
    assert (told["refusals"], told["bans"], told["peakUnits"]) == (2, 0, 3)


async def test_accounts_share_what_the_project_has(start: Start) -> None:
    visitor = await start(account=["2"], project_units=3, over_budget="429")
    await visitor.get(PROFILE)
    await visitor.get(PROFILE)
    other = visitor.google.grant("user2@example.com", ["https://mail.google.com/"])
    visitor.token = str(other["access_token"])
    await visitor.get(PROFILE)
    assert reason(await visitor.get(PROFILE, status=429)) == "rateLimitExceeded"


async def test_who_does_not_listen_is_banned(start: Start) -> None:
    """Covers G11, the server's side of it."""
    visitor = await start(user_units=1, overdrafts=3, ban_s=300, over_budget="429")
    await visitor.get(PROFILE)
    for _ in range(5):
        await visitor.get(PROFILE, status=429)
    told = await visitor.stats()
    assert (told["refusals"], told["bans"], told["bannedCalls"]) == (3, 1, 2)
    await visitor.post("/admin/clock", {"advance_s": 61})
    await visitor.get(PROFILE, status=429)
    await visitor.post("/admin/clock", {"advance_s": 240})
    await visitor.get(PROFILE)


async def test_refusals_far_apart_are_no_reason_for_a_ban(start: Start) -> None:
    visitor = await start(user_units=1, overdrafts=2, over_budget="429")
    for _ in range(3):
        await visitor.get(PROFILE)
        await visitor.get(PROFILE, status=429)
        await visitor.post("/admin/clock", {"advance_s": 61})
    assert (await visitor.stats())["bans"] == 0


async def test_calendar_counts_requests_by_itself(start: Start) -> None:
    visitor = await start(user_requests=2, over_budget="403")
    await visitor.get(EVENTS)
    await visitor.get(EVENTS)
    assert reason(await visitor.get(EVENTS, status=403)) == "userRateLimitExceeded"
    await visitor.get(PROFILE)
    assert (await visitor.stats())["peakRequests"] == 2
