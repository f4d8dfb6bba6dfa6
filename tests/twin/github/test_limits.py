"""Both limits, and the answers that cost nothing."""

from __future__ import annotations

import asyncio

from tests.twin.github.twin import NOW_S, Start

ISSUES = "/repos/ada/repo-1/issues"


async def test_every_answer_tells_what_is_left(start: Start) -> None:
    """Covers H5."""
    twin = await start(rate_limit=10)
    for path, used in {ISSUES: "1", "/repos/no/where": "2", "/rate_limit": "2"}.items():
        headers = (await twin.get(path)).headers
        assert headers["X-RateLimit-Used"] == used, path
        assert headers["X-RateLimit-Remaining"] == str(10 - int(used))
        assert headers["X-RateLimit-Limit"] == "10"
        assert headers["X-RateLimit-Reset"] == str(NOW_S + 3_600)
        assert headers["X-RateLimit-Resource"] == "core"
    core = (await twin.get("/rate_limit")).body["resources"]["core"]
    assert core == {"limit": 10, "used": 2, "remaining": 8, "reset": NOW_S + 3_600}


async def test_the_primary_limit_holds_until_its_reset(start: Start) -> None:
    """Covers H5: all tokens of a person count together, those of others do not."""
    tokens = [{"token": "a"}, {"token": "b"}, {"token": "c", "login": "grace"}]
    twin = await start(rate_limit=3, tokens=tokens)
    for token in "aba":
        assert (await twin.get(ISSUES, token=token)).status == 200
    refused = await twin.get(ISSUES, token="b")
    assert (refused.status, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert "rate limit exceeded" in refused.body["message"]
    assert "Retry-After" not in refused.headers
    assert (await twin.get(ISSUES, token="c")).status == 200
    await twin.get(ISSUES, token="a")
    stats = await twin.stats()
    assert (stats["refused"], stats["insideWait"], stats["bans"]) == ({"primary": 2}, 1, 0)
    await twin.post("/admin/clock", {"advance_s": 3_600})
    assert (await twin.get(ISSUES, token="a")).status == 200


async def test_without_a_token_there_are_sixty(start: Start) -> None:
    twin = await start(limit_status=429)
    statuses = [(await twin.get(ISSUES, token=None)).status for _ in range(61)]
    assert statuses == [200] * 60 + [429]


async def test_an_answer_one_has_is_free_and_bound_to_the_token(start: Start) -> None:
    """Covers H6."""
    twin = await start(tokens=[{"token": "a"}, {"token": "b"}])
    got = await twin.get(ISSUES, token="a")
    etag = got.headers["ETag"]
    assert etag.startswith('W/"')
    again = await twin.get(ISSUES, token="a", **{"If-None-Match": f'"other", {etag}'})
    assert (again.status, again.body) == (304, "")
    assert again.headers["ETag"] == etag
    assert again.headers["X-RateLimit-Used"] == "1"
    other = await twin.get(ISSUES, token="b", **{"If-None-Match": etag})
    assert (other.status, other.headers["X-RateLimit-Used"]) == (200, "2")
    await twin.change({"do": "open_issue", "repo": "ada/repo-1"})
    assert (await twin.get(ISSUES, token="a", **{"If-None-Match": etag})).status == 200
    assert (await twin.stats())["notModified"] == {"issues.list": 1}


async def test_a_304_costs_those_who_have_no_token(start: Start) -> None:
    """Covers H6."""
    twin = await start()
    etag = (await twin.get(ISSUES, token=None)).headers["ETag"]
    again = await twin.get(ISSUES, token=None, **{"If-None-Match": etag})
    assert (again.status, again.headers["X-RateLimit-Used"]) == (304, "2")


async def test_one_object_says_when_it_was_modified(start: Start) -> None:
    twin = await start()
    last = (await twin.get(f"{ISSUES}/1")).headers["Last-Modified"]
    asked = {"If-Modified-Since": last}
    assert (await twin.get(f"{ISSUES}/1", **asked)).status == 304
    await twin.change({"do": "edit_issue", "repo": "ada/repo-1", "number": 1})
    assert (await twin.get(f"{ISSUES}/1", **asked)).status == 200
    assert (await twin.get(f"{ISSUES}/1", **{"If-Modified-Since": "soon"})).status == 200


async def test_too_many_points_a_minute_are_a_ban_that_grows(start: Start) -> None:
    """Covers H5: asking during the wait begins it anew, and the next ban is twice as long."""
    twin = await start(points_per_minute=3)
    for _ in range(3):
        assert (await twin.get(ISSUES)).status == 200
    refused = await twin.get(ISSUES)
    assert (refused.status, refused.headers["Retry-After"]) == (403, "60")
    assert "secondary rate limit" in refused.body["message"]
    assert refused.headers["X-RateLimit-Remaining"] == "4997"
    await twin.post("/admin/clock", {"advance_s": 59})
    assert (await twin.get(ISSUES)).status == 403
    await twin.post("/admin/clock", {"advance_s": 59})
    assert (await twin.get(ISSUES)).status == 403
    await twin.post("/admin/clock", {"advance_s": 60})
    statuses = [(await twin.get(ISSUES)).status for _ in range(4)]
    assert statuses == [200, 200, 200, 403]
    stats = await twin.stats()
    assert (stats["bans"], stats["insideWait"]) == (2, 2)
    again = await twin.get(ISSUES)
    assert again.headers["Retry-After"] == "120"


async def test_anything_but_a_get_costs_five_points(start: Start) -> None:
    twin = await start(points_per_minute=9)
    assert (await twin.post("/graphql", {}, Authorization="Bearer ghp_twin")).status == 200
    assert (await twin.post("/graphql", {}, Authorization="Bearer ghp_twin")).status == 403


async def test_too_many_at_once_are_a_ban(start: Start) -> None:
    """Covers H5: with a Retry-After only sometimes."""
    twin = await start(concurrent=2, latency_ms=100, retry_after="alternating")
    told = []
    for _ in range(2):
        got = await asyncio.gather(*(twin.get(ISSUES) for _ in range(3)))
        assert sorted(one.status for one in got) == [200, 200, 403]
        told.append(["Retry-After" in one.headers for one in got if one.status == 403])
        await twin.post("/admin/clock", {"advance_s": 3_600})
    assert told == [[True], [False]]
    for _ in range(3):
        assert (await twin.get(ISSUES)).status == 200
