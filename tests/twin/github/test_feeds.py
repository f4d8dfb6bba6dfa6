"""Events, notifications, GraphQL and faults: hints and answers that are not what they seem."""

from __future__ import annotations

import pytest
from aiohttp import ClientError
from tests.twin.github.twin import Start

ONE = "/repos/ada/repo-1"
HERE = {"repo": "ada/repo-1"}


async def test_there_are_never_more_than_300_events(start: Start) -> None:
    """Covers H9."""
    twin = await start(issues=400)
    pages = await twin.walk(f"{ONE}/events?per_page=100")
    assert [len(page) for page in pages] == [100, 100, 100]
    times = [event["created_at"] for page in pages for event in page]
    assert times == sorted(times, reverse=True)
    got = await twin.get(f"{ONE}/events?per_page=100&page=4")
    assert (got.status, "pagination" in got.body["message"]) == (422, True)


async def test_events_come_late_and_say_how_often_to_ask(start: Start) -> None:
    """Covers H9."""
    twin = await start(issues=0, events_delay_s=30, poll_interval_s=90)
    await twin.change({"do": "open_issue", "title": "then", **HERE})
    await twin.change({"do": "edit_issue", "number": 1, "title": "now", **HERE})
    got = await twin.get(f"{ONE}/events")
    assert (got.body, got.headers["X-Poll-Interval"]) == ([], "90")
    await twin.post("/admin/clock", {"advance_s": 30})
    later = await twin.get(f"{ONE}/events", **{"If-None-Match": got.headers["ETag"]})
    assert [event["payload"]["issue"]["title"] for event in later.body] == ["then"]
    again = await twin.get(f"{ONE}/events", **{"If-None-Match": later.headers["ETag"]})
    assert (again.status, again.headers["X-Poll-Interval"]) == (304, "90")


async def test_notifications_are_modified_when_there_is_news(start: Start) -> None:
    twin = await start()
    first = await twin.get("/notifications")
    asked = {"If-Modified-Since": first.headers["Last-Modified"]}
    unchanged = await twin.get("/notifications", **asked)
    assert (unchanged.status, unchanged.headers["X-Poll-Interval"]) == (304, "60")
    await twin.change({"do": "notify", "number": 2, "reason": "author", **HERE})
    news = await twin.get("/notifications", **asked)
    assert news.status == 200
    assert (news.body[0]["reason"], news.body[0]["subject"]["type"]) == ("author", "Issue")
    assert news.body[0]["updated_at"] == "2027-01-15T08:00:00Z"


async def test_notifications_are_of_a_time_and_unread_unless_asked(start: Start) -> None:
    twin = await start()
    unread = (await twin.get("/notifications")).body
    everything = (await twin.get("/notifications?all=true")).body
    assert all(row["unread"] for row in unread)
    assert len(everything) == 30 > len(unread)
    middle = everything[15]["updated_at"]
    since = (await twin.get(f"/notifications?all=true&since={middle}")).body
    before = (await twin.get(f"/notifications?all=true&before={middle}")).body
    assert {row["id"] for row in since} | {row["id"] for row in before} == {
        row["id"] for row in everything
    }
    assert len(since) + len(before) == 30
    assert len((await twin.get("/notifications?all=true&per_page=99")).body) == 30


async def test_graphql_answers_200_whatever_it_says(start: Start) -> None:
    """Covers H11."""
    twin = await start()
    limited = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    partial = {"data": {"repository": None}, "errors": [{"type": "NOT_FOUND", "path": ["x"]}]}
    sign = {"Authorization": "Bearer ghp_twin"}
    unscripted = await twin.post("/graphql", {"query": "{viewer{login}}"}, **sign)
    assert unscripted.body["errors"][0]["type"] == "NOT_SCRIPTED"
    await twin.post("/admin/graphql", [limited, partial])
    bodies = [await twin.post("/graphql", {"query": "{}"}, **sign) for _ in range(3)]
    assert [got.status for got in bodies] == [200] * 3
    assert [got.body for got in bodies] == [limited, partial, partial]
    assert bodies[0].headers["X-RateLimit-Resource"] == "graphql"
    assert (await twin.post("/graphql", {})).status == 401


async def test_a_fault_can_be_of_one_call(start: Start) -> None:
    rule = {"call": "issues.list", "on": {"request": 2}, "do": {"kind": "answer", "status": 502}}
    twin = await start(faults=[rule])
    paths = ("/issues", "/commits", "/issues", "/issues")
    assert [(await twin.get(ONE + path)).status for path in paths] == [200, 200, 502, 200]
    stats = await twin.stats()
    assert stats["byFault"] == {"answer": 1}
    assert stats["byStatus"] == {"200": 3, "502": 1}
    assert stats["calls"] == {"issues.list": 3, "commits.list": 1}


async def test_a_fault_can_change_headers_and_lose_answers(start: Start) -> None:
    """Covers H4 H7: a next page at another host, and a 304 nobody asked for."""
    twin = await start()
    link = '<http://elsewhere.example/x>; rel="next"'
    moved = {"kind": "headers", "set": {"Link": link, "ETag": ""}}
    await twin.post("/admin/faults", [{"call": "issues.list", "do": moved}])
    got = await twin.get(f"{ONE}/issues")
    assert got.links == {"next": "http://elsewhere.example/x"}
    assert len(got.body) > 0
    assert "ETag" not in got.headers
    await twin.post("/admin/faults", [{"do": {"kind": "answer", "status": 304}}])
    assert (await twin.get(f"{ONE}/issues")).status == 304
    await twin.post("/admin/faults", [{"do": {"kind": "reset"}}])
    with pytest.raises(ClientError):
        await twin.get(f"{ONE}/issues")
    stats = await twin.stats()  # the client may have tried again by itself
    assert stats["byStatus"]["0"] == stats["byFault"]["reset"] > 0
