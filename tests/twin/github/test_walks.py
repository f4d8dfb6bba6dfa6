"""Walks by links equal the truth, unless the rows move under them: rule H1's hazard, for real."""

from __future__ import annotations

import pytest
from tests.twin.github.twin import NOW_S, Start, Twin

from headrace.twin.github import fingerprint

ONE = "/repos/ada/repo-1"
EDIT = {"do": "edit_issue", "repo": "ada/repo-1"}
LISTS = {
    "issues": "/issues?state=all&per_page=7",
    "comments": "/issues/comments?per_page=7",
    "pulls": "/pulls?state=all&per_page=7",
    "review_comments": "/pulls/comments?per_page=2",
    "commits": "/commits?per_page=7",
    "releases": "/releases?per_page=2",
}


@pytest.mark.parametrize("kind", LISTS)
async def test_a_walk_by_links_equals_the_truth(start: Start, kind: str) -> None:
    """Covers H3: the links lead on below /repositories/{id}, and to nowhere twice."""
    twin = await start(issues=60)
    pages = await twin.walk(ONE + LISTS[kind])
    assert len(pages) > 1
    rows = [row for page in pages for row in page]
    truth = (await twin.truth(1001))[kind]
    assert len(rows) == len(truth)
    assert {row["node_id"]: fingerprint(row) for row in rows} == {
        name: fact["sha256"] for name, fact in truth.items()
    }


async def test_links_tell_first_prev_next_and_last_by_the_repositorys_number(start: Start) -> None:
    """Covers H3."""
    twin = await start(issues=30)
    first = await twin.get(f"{ONE}/issues?state=all&per_page=10")
    base = f"{twin.url}/repositories/1001/issues?state=all&per_page=10&page="
    assert first.links == {"next": f"{base}2", "last": f"{base}3"}
    second = await twin.get(first.links["next"])
    assert second.links == {
        "prev": f"{base}1",
        "next": f"{base}3",
        "last": f"{base}3",
        "first": f"{base}1",
    }
    third = await twin.get(second.links["next"])
    assert third.links == {"prev": f"{base}2", "first": f"{base}1"}
    beyond = await twin.get(f"{base}9")
    assert (beyond.body, beyond.links["prev"]) == ([], f"{base}3")


async def numbers(twin: Twin, path: str) -> set[int]:
    return {row["number"] for page in await twin.walk(ONE + path) for row in page}


@pytest.mark.parametrize("page_limit", [0, 1])
async def test_a_descending_walk_misses_what_moves_to_its_front(
    start: Start, page_limit: int
) -> None:
    """Covers H1: by page number one row is seen twice and another never; by cursor one never."""
    twin = await start(issues=40, page_limit=page_limit)
    path = "/issues?state=all&sort=updated&direction=desc&per_page=10"
    order = [row["number"] for page in await twin.walk(ONE + path) for row in page]
    hidden = [order[25], order[35]]
    edits = [{**EDIT, "number": number} for number in hidden]
    at = {"at": {"call": "issues.list", "n": 2}, "changes": edits}
    assert (await twin.post("/admin/during", at)).body == {"pending": 1}
    assert set(order) - await numbers(twin, path) == set(hidden)


async def test_an_ascending_walk_misses_a_row_that_leaves_a_page_before_it(start: Start) -> None:
    """Covers H1 R4: page numbers count from the front, which has become shorter."""
    twin = await start(issues=40)
    path = "/issues?state=all&sort=updated&direction=asc&per_page=10"
    order = [row["number"] for page in await twin.walk(ONE + path) for row in page]
    at = {"call": "issues.list", "n": 2}
    await twin.post("/admin/during", {"at": at, "changes": [{**EDIT, "number": order[0]}]})
    missed = set(order) - await numbers(twin, path)
    assert missed == {order[10]}


async def test_ascending_with_since_from_the_last_seen_finds_everything(start: Start) -> None:
    """Covers H1 H2: a first page again and again, from the boundary second on, skips nothing."""
    twin = await start(issues=40)
    for call in range(1, 12):
        edits = [{**EDIT, "number": number} for number in (call, call * 3)]
        at = {"call": "issues.list", "n": call}
        await twin.post("/admin/during", {"at": at, "changes": edits})
    seen: dict[str, str] = {}
    since = "2000-01-01T00:00:00Z"
    for _ in range(50):
        await twin.post("/admin/clock", {"advance_s": 1})
        path = f"{ONE}/issues?state=all&sort=updated&direction=asc&per_page=20&since={since}"
        rows = (await twin.get(path)).body
        seen |= {row["node_id"]: row["updated_at"] for row in rows}
        if rows[-1]["updated_at"] == since:
            break
        since = rows[-1]["updated_at"]
    else:
        pytest.fail("the walk did not end")
    truth = (await twin.truth(1001))["issues"]
    assert seen == {name: fact["updated_at"] for name, fact in truth.items()}


async def test_since_is_inclusive_and_many_rows_share_a_second(start: Start) -> None:
    """Covers H2."""
    twin = await start(issues=20)
    await twin.change(*({**EDIT, "number": number} for number in range(1, 8)))
    rows = await twin.walk(f"{ONE}/issues?state=all&per_page=5&since=2027-01-15T08:00:00Z")
    assert NOW_S == 1_800_000_000
    assert sorted(row["number"] for page in rows for row in page) == list(range(1, 8))
    later = await twin.get(f"{ONE}/issues?state=all&since=2027-01-15T08:00:01Z")
    assert later.body == []


async def test_issues_contain_pull_requests_that_say_so(start: Start) -> None:
    """Covers H8."""
    twin = await start(issues=20)
    issues = (await twin.get(f"{ONE}/issues?state=all")).body
    pulls = (await twin.get(f"{ONE}/pulls?state=all")).body
    marked = {row["node_id"] for row in issues if "pull_request" in row}
    assert marked == {row["node_id"] for row in pulls}
    assert len(marked) == 4


async def test_page_numbers_of_large_sets_are_refused_and_cursors_go_on(start: Start) -> None:
    """Covers H3."""
    twin = await start(issues=50, page_limit=2)
    path = f"{ONE}/issues?state=all&per_page=10"
    refused = await twin.get(f"{path}&page=3")
    assert refused.status == 422
    assert "cursor based pagination" in refused.body["message"]
    first = await twin.get(path)
    assert set(first.links) == {"next"}
    assert "after=" in first.links["next"]
    assert len(await numbers(twin, "/issues?state=all&per_page=10")) == 50
    assert (await twin.get(f"{path}&after=nonsense")).status == 422
    # small sets, and lists that have no cursors, are walked by number as ever
    assert (await twin.get(f"{ONE}/issues?state=all&per_page=30&page=3")).status == 200
    assert (await twin.get(f"{ONE}/commits?per_page=5&page=3")).status == 200


@pytest.mark.parametrize(
    "query", ["sort=newest", "state=any", "since=yesterday", "page=0", "per_page=x", "direction=up"]
)
async def test_a_parameter_that_means_nothing_is_refused(start: Start, query: str) -> None:
    twin = await start(issues=1)
    got = await twin.get(f"{ONE}/issues?{query}")
    assert got.status == 422
    assert got.body["errors"][0]["field"] == query.partition("=")[0]


async def test_per_page_is_capped_at_a_hundred_without_a_word(start: Start) -> None:
    twin = await start(issues=120)
    assert len((await twin.get(f"{ONE}/issues?state=all&per_page=500")).body) == 100
