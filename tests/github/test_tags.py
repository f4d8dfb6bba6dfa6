"""Validators, links to elsewhere, answers that are none, and feeds that are only hints."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.github.conftest import Open

from headrace.twin.faults import AnswerWith, On
from headrace.twin.github.changes import EditIssue, EditRelease, Notify, PublishRelease
from headrace.twin.github.rules import CallRule, Headers

REPO = 1001
RELEASES = f"{REPO}/releases"


async def test_an_etag_is_of_one_token(open_hub: Open) -> None:
    """Covers H6: free while the token stays, and not sent with another one."""
    tokens = [{"token": "ghp_twin"}, {"token": "ghp_other"}]
    hub = await open_hub({"kinds": ["releases"]}, tokens=tokens)
    await hub.synced()
    await hub.synced()
    assert hub.twin.stats.not_modified["releases.list"] == 1
    release = next(iter(hub.twin.world.repositories[REPO].releases))
    hub.change(EditRelease(repo=REPO, release=release, body="news"))
    hub.secret("ghp_other")
    # Whoever sends the tag of the other token is told that nothing has changed.
    hub.faults(CallRule(AnswerWith(304), "releases.list", On(request=1)))
    await hub.synced()
    assert hub.live() == hub.truth("releases")
    await hub.synced()
    assert hub.twin.stats.not_modified["releases.list"] == 2


async def test_a_304_nobody_asked_for_is_no_empty_list(open_hub: Open) -> None:
    """Covers H7: nothing is taken to be gone, and the cursor stays."""
    hub = await open_hub({"kinds": ["releases", "issues"]})
    await hub.synced()
    before = hub.live(), hub.cursor(RELEASES)
    hub.rows("UPDATE headrace.checkpoints SET cursor = NULL RETURNING 1")
    hub.faults(CallRule(AnswerWith(304)))
    assert [one.state for one in (await hub.sync()).values()] == ["retry"]
    hub.faults(*(CallRule(AnswerWith(304), name) for name in ("releases.list", "issues.list")))
    outcomes = await hub.sync()
    assert {one.state for one in outcomes.values()} == {"retry"}
    assert hub.live() == before[0]
    hub.faults()
    await hub.synced()
    assert hub.live() == hub.truth("releases", "issues")


async def test_releases_are_read_whole(open_hub: Open) -> None:
    """Covers H8: edited, published and deleted ones, from the next sync on."""
    hub = await open_hub({"kinds": ["releases"]})
    await hub.synced()
    first, second, *_ = hub.twin.world.repositories[REPO].releases
    hub.later(10)
    hub.change(
        EditRelease(repo=REPO, release=first, body="news"), PublishRelease(repo=REPO, tag="v9")
    )
    del hub.twin.world.repositories[REPO].releases[second]
    await hub.synced()
    assert hub.live() == hub.truth("releases")


async def test_a_next_link_to_another_host_is_not_followed(open_hub: Open) -> None:
    """Covers H4: nobody there sees the token, or anything."""
    seen: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(100))
        writer.close()

    hub = await open_hub({"kinds": ["releases", "issues"]})
    async with await asyncio.start_server(listen, "127.0.0.1", 0) as elsewhere:
        port = elsewhere.sockets[0].getsockname()[1]
        link = f'<http://127.0.0.1:{port}/repositories/{REPO}/releases?page=2>; rel="next"'
        hub.faults(CallRule(Headers({"Link": link}), "releases.list"))
        outcomes = await hub.sync()
    assert outcomes[RELEASES].state == "human"
    assert "points to" in outcomes[RELEASES].error
    assert outcomes[f"{REPO}/issues"].state == "done"
    assert seen == []


async def test_notifications_are_not_asked_for_sooner_than_github_wants(open_hub: Open) -> None:
    """Covers H9: X-Poll-Interval is kept, and a 304 costs nothing."""
    hub = await open_hub({"kinds": ["notifications"]}, poll_interval_s=90)
    await hub.synced()
    assert hub.live() == hub.truth("notifications")
    for seconds, asked in ((0, 1), (89, 1), (1, 2), (90, 3), (90, 4)):
        hub.later(seconds)
        await hub.synced()
        assert hub.calls("notifications.list") == asked
    assert hub.twin.stats.not_modified["notifications.list"] > 0
    hub.change(Notify(repo=REPO, number=1))
    hub.later(90)
    await hub.synced()
    assert hub.live() == hub.truth("notifications")


async def test_a_notification_that_is_done_goes_at_the_sweep(open_hub: Open) -> None:
    """Covers H8: and so does a title that changed without a date."""
    hub = await open_hub({"kinds": ["notifications"]}, issues=70)
    threads = hub.twin.world.repositories[REPO].threads
    hub.change(*(Notify(repo=REPO, number=number) for number in range(1, 71)))
    await hub.synced()
    del threads[5]
    hub.change(EditIssue(repo=REPO, number=9, title="another title"))
    hub.later(7 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("notifications")
    assert len(threads) > 50


async def test_the_events_feed_is_no_source(open_hub: Open) -> None:
    """Covers H9: it holds 300 events of some days; nothing is read of it."""
    hub = await open_hub(issues=400)
    await hub.synced()
    assert hub.live() == hub.truth()
    assert hub.calls("events.list") == 0


@pytest.mark.parametrize(
    "said",
    [
        {"data": None, "errors": [{"type": "RATE_LIMITED", "message": "later"}]},
        {"data": {"issues": [{"node_id": "I_1"}]}, "errors": [{"message": "partial"}]},
        {"message": "Server Error"},
        [[]],
        None,
        "busy",
    ],
)
async def test_a_200_that_is_no_list_is_no_success(open_hub: Open, said: Any) -> None:
    """Covers H11: whatever else it says, nothing of it is stored, and nothing is gone by it."""
    hub = await open_hub({"kinds": ["issues"]})
    await hub.synced()
    hub.later(8 * 86_400)
    before, versions = hub.live(), hub.versions()
    hub.faults(CallRule(AnswerWith(200, json=said), "issues.list"))
    [ended] = (await hub.sync()).values()
    assert (ended.state, ended.failure) == ("retry", True)
    assert (hub.live(), hub.versions()) == (before, versions)
    hub.faults()
    hub.later(8 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("issues")
