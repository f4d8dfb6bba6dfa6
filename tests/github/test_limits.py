"""Both of GitHub's limits, met for real."""

from __future__ import annotations

import asyncio

import pytest
from tests.github.conftest import Open
from tests.github.hub import NOW_S, Hub

from headrace.engine.sync import Outcome
from headrace.twin.faults import AnswerWith, On
from headrace.twin.github.changes import OpenIssue
from headrace.twin.github.rules import CallRule

KINDS = ["issues", "comments", "reviews", "commits"]


async def until_done(hub: Hub) -> list[Outcome]:
    """Sync until everything is done, each time as late as was asked for; how runs were put off."""
    put_off: list[Outcome] = []
    for _ in range(20):
        outcomes = await hub.sync(resume=bool(put_off))
        waiting = [one for one in outcomes.values() if one.state != "done"]
        if not waiting:
            return put_off
        assert all(one.state == "retry" for one in waiting), waiting
        put_off += waiting
        longest = max(one.after or 0 for one in waiting)
        # Where GitHub does not say, it may want longer each time: here, as long as it ever does.
        hub.later(3_600 if any(one.doubles for one in waiting) else int(longest + 0.999))
    raise AssertionError(f"It does not end: {put_off}")


async def test_the_primary_limit_is_waited_out(open_hub: Open) -> None:
    """Covers H5: to the reset, and no request is made before."""
    hub = await open_hub({"kinds": KINDS}, issues=30, rate_limit=9)
    put_off = await until_done(hub)
    assert hub.live() == hub.truth(*KINDS)
    assert put_off
    assert {(round(one.after or 0), one.failure) for one in put_off} == {(3_600, False)}
    stats = hub.twin.stats
    assert (stats.refused["primary"], stats.inside_wait) == (0, 0)


@pytest.mark.parametrize("status", [403, 429])
async def test_a_refusal_by_the_primary_limit(open_hub: Open, status: int) -> None:
    """Covers H5: nobody had said that so few were left."""
    hub = await open_hub({"kinds": ["issues"]})
    said = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW_S + 600)}
    hub.faults(CallRule(AnswerWith(status, headers=said), "issues.list"))
    [ended] = (await hub.sync()).values()
    assert (ended.state, ended.after, ended.failure) == ("retry", 600, False)
    hub.faults()
    hub.later(600)
    await hub.synced()
    assert hub.live() == hub.truth("issues")


@pytest.mark.parametrize("retry_after", ["always", "never", "alternating"])
@pytest.mark.parametrize("status", [403, 429])
async def test_the_secondary_limit_is_waited_out(
    open_hub: Open, retry_after: str, status: int
) -> None:
    """Covers H5: as long as it says or a minute at first, and no request comes inside the ban."""
    limits = {"points_per_minute": 8, "retry_after": retry_after, "limit_status": status}
    kinds = ["issues", "comments", "review_comments", "commits"]
    hub = await open_hub({"kinds": kinds}, issues=50, repositories=2, **limits)
    put_off = await until_done(hub)
    assert hub.live() == hub.truth(*kinds)
    assert hub.twin.stats.bans > 0
    assert hub.twin.stats.inside_wait == 0
    assert all(round(one.after or 0) >= 60 for one in put_off)
    if retry_after == "never":
        assert any(one.doubles and one.failure and one.after == 60 for one in put_off)


async def test_requests_go_one_at_a_time(open_hub: Open) -> None:
    """Covers H5: streams are walked side by side, and still GitHub sees one request at once."""
    hub = await open_hub({"kinds": KINDS}, issues=40, repositories=2, concurrent=1, latency_ms=5)
    await hub.synced()
    assert hub.live() == hub.truth(*KINDS)
    assert hub.twin.stats.bans == 0


async def test_an_account_has_one_allowance(open_hub: Open) -> None:
    """Covers H5: fewer requests a minute than GitHub bears, drawn from one row of the database."""
    hub = await open_hub({"kinds": ["issues"], "requests_per_minute": 120}, issues=3)
    began = asyncio.get_running_loop().time()
    await hub.synced()
    hub.change(OpenIssue(repo=1001))
    await hub.synced()
    assert asyncio.get_running_loop().time() - began > 2


async def test_a_refusal_that_is_no_limit_is_not_waited_for(open_hub: Open) -> None:
    """Covers H5, H8: what the token may not read is its stream's matter."""
    hub = await open_hub({"kinds": ["issues", "comments"]})
    words = {"message": "Resource not accessible by personal access token"}
    hub.faults(CallRule(AnswerWith(403, json=words), "comments.list", On(request=1)))
    await hub.synced()
    assert hub.live() == hub.truth("issues")
    await hub.synced()
    assert hub.live() == hub.truth("issues", "comments")
