"""What happens at GitHub while somebody reads: moves, deletions, pushes, merges."""

from __future__ import annotations

from typing import Any

import pytest
from tests.twin.github.twin import NOW_S, Start

ONE, THREE = "/repos/ada/repo-1", "/repos/octo/repo-3"
HERE = {"repo": "ada/repo-1"}


async def test_a_renamed_repository_answers_301_with_its_number(start: Start) -> None:
    """Covers H8."""
    twin = await start()
    before = (await twin.get(f"{ONE}/issues?per_page=1")).body
    await twin.change({"do": "rename_repo", "name": "new", **HERE})
    got = await twin.get(f"{ONE}/issues?per_page=1")
    assert got.status == 301
    assert got.headers["Location"] == f"{twin.url}/repositories/1001/issues?per_page=1"
    assert got.body["url"] == got.headers["Location"]
    there = await twin.get(got.headers["Location"])
    assert [row["node_id"] for row in there.body] == [row["node_id"] for row in before]
    assert there.body[0]["repository_url"] == f"{twin.url}/repos/ada/new"
    assert (await twin.get("/repos/ADA/New")).status == 200


async def test_a_transferred_repository_answers_301_until_its_name_is_taken(start: Start) -> None:
    """Covers H8."""
    twin = await start()
    await twin.change({"do": "transfer_repo", "owner": "octo", **HERE})
    assert (await twin.get(ONE)).headers["Location"] == f"{twin.url}/repositories/1001"
    await twin.change({"do": "add_repo", "issues": 2, **HERE})
    taken = await twin.get(ONE)
    assert (taken.status, taken.body["id"] != 1001) == (200, True)
    assert (await twin.get(f"{ONE}/commits")).status == 409


async def test_where_a_private_repository_went_is_not_told_to_strangers(start: Start) -> None:
    twin = await start(tokens=[{"token": "mine"}, {"token": "eve", "login": "eve"}])
    await twin.change({"do": "rename_repo", "name": "new", "repo": "octo/repo-2"})
    assert (await twin.get("/repos/octo/repo-2", token="mine")).status == 301
    assert (await twin.get("/repos/octo/repo-2", token="eve")).status == 404
    await twin.change({"do": "make_private", **HERE})
    assert (await twin.get(ONE, token="mine")).body["private"] is True
    assert (await twin.get(ONE, token="eve")).status == 404


async def test_a_deleted_repository_is_gone_under_every_name(start: Start) -> None:
    twin = await start()
    await twin.change({"do": "rename_repo", "name": "new", **HERE})
    await twin.change({"do": "delete_repo", "repo": 1001})
    for path in (ONE, "/repos/ada/new", "/repositories/1001"):
        assert (await twin.get(path)).status == 404
    assert set((await twin.get("/truth")).body) == {str(n) for n in (await ids(twin))}


async def ids(twin: Any) -> list[int]:
    return [row["id"] for row in (await twin.get("/user/repos")).body]


async def test_a_deleted_issue_answers_410_and_leaves_every_list(start: Start) -> None:
    """Covers H8: `since` says nothing of it."""
    twin = await start()
    since = "2027-01-15T08:00:00Z"
    await twin.change({"do": "delete_issue", "number": 3, **HERE})
    for path in ("/issues/3", "/issues/3/comments"):
        assert (await twin.get(ONE + path)).status == 410
    assert (await twin.get(f"{ONE}/issues/999")).status == 404
    assert (await twin.get(f"{ONE}/issues?state=all&since={since}")).body == []
    comments = (await twin.get(f"{ONE}/issues/comments?per_page=100")).body
    assert comments
    assert not [row for row in comments if row["issue_url"].endswith("/3")]


async def test_a_transferred_issue_answers_301_with_its_new_number(start: Start) -> None:
    """Covers H8."""
    twin = await start()
    old = (await twin.get(f"{ONE}/issues/3")).body
    move = {"do": "transfer_issue", "number": 3, "to": "octo/repo-3", **HERE}
    (made,) = await twin.change(move)
    got = await twin.get(f"{ONE}/issues/3/comments")
    assert got.status == 301
    comments = (await twin.get(got.headers["Location"])).body
    assert len(comments) == old["comments"] == 1
    new = (await twin.get(f"{THREE}/issues/{made['number']}")).body
    assert (new["title"], new["created_at"]) == (old["title"], old["created_at"])
    assert new["node_id"] != old["node_id"]


async def test_a_comment_touches_its_issue_and_an_edit_of_it_does_not(start: Start) -> None:
    twin = await start()
    await twin.post("/admin/clock", {"advance_s": 10})
    (made,) = await twin.change({"do": "comment", "number": 1, "body": "a", **HERE})
    await twin.post("/admin/clock", {"advance_s": 10})
    await twin.change({"do": "edit_comment", "comment": made["id"], "body": "b", **HERE})
    issue = (await twin.get(f"{ONE}/issues/1")).body
    comment = (await twin.get(f"{ONE}/issues/1/comments")).body[-1]
    assert (issue["comments"], issue["updated_at"]) == (1, "2027-01-15T08:00:10Z")
    assert (comment["body"], comment["updated_at"]) == ("b", "2027-01-15T08:00:20Z")
    since = f"{ONE}/issues/comments?since=2027-01-15T08:00:20Z"
    assert [row["id"] for row in (await twin.get(since)).body] == [made["id"]]
    await twin.change({"do": "delete_comment", "comment": made["id"], **HERE})
    assert (await twin.get(since)).body == []


async def test_a_push_with_old_dates_is_not_in_since(start: Start) -> None:
    """Covers H10."""
    twin = await start(commits=10)
    tip = (await twin.get(f"{ONE}/git/ref/heads/main")).body["object"]["sha"]
    old = {"message": "late", "author_s": NOW_S - 9_999_999, "committer_s": NOW_S - 9_999_999}
    (made,) = await twin.change({"do": "push", "commits": [old, {"message": "now"}], **HERE})
    late, now = made["shas"]
    since = (await twin.get(f"{ONE}/commits?since=2027-01-01T00:00:00Z")).body
    assert [row["sha"] for row in since] == [now]
    walked = [row["sha"] for row in (await twin.get(f"{ONE}/commits?per_page=3")).body]
    assert walked == [now, late, tip]
    ahead = (await twin.get(f"{ONE}/compare/{tip}...main")).body
    assert [row["sha"] for row in ahead["commits"]] == [late, now]
    assert (ahead["status"], ahead["ahead_by"], ahead["behind_by"]) == ("ahead", 2, 0)
    until = (await twin.get(f"{ONE}/commits?until=2025-01-02T00:00:00Z")).body
    assert len(until) == 9


async def test_a_force_push_leaves_commits_that_no_branch_leads_to(start: Start) -> None:
    """Covers H10."""
    twin = await start(commits=10)
    (lost,) = await twin.change({"do": "push", "commits": [{}, {"message": "two"}], **HERE})
    (new,) = await twin.change(
        {"do": "force_push", "drop": 2, "commits": [{"message": "x"}], **HERE}
    )
    shas = [row["sha"] for page in await twin.walk(f"{ONE}/commits") for row in page]
    assert shas[0] == new["sha"]
    assert not set(lost["shas"]) & set(shas)
    assert (await twin.get(f"{ONE}/commits/{lost['sha']}")).status == 200
    compared = (await twin.get(f"{ONE}/compare/{lost['sha']}...main")).body
    told = [compared[name] for name in ("status", "ahead_by", "behind_by")]
    assert told == ["diverged", 1, 2]
    assert len((await twin.truth(1001))["commits"]) == len(shas) == 11
    assert (await twin.get(f"{ONE}/commits?sha=nowhere")).status == 404


async def test_a_merge_closes_the_pull_request_and_moves_the_branch(start: Start) -> None:
    twin = await start()
    (pull,) = await twin.change({"do": "open_pull", "head": "feature/x", **HERE})
    path = f"{ONE}/pulls/{pull['number']}"
    assert (await twin.get(path)).body["commits"] == 1
    assert (await twin.get(f"{ONE}/git/ref/heads/feature/x")).status == 200
    await twin.change({"do": "push", "branch": "feature/x", **HERE})
    opened = (await twin.get(path)).body
    assert (opened["commits"], opened["merged"], opened["state"]) == (2, False, "open")
    (made,) = await twin.change({"do": "merge", "number": pull["number"], **HERE})
    merged = (await twin.get(path)).body
    assert (merged["merged"], merged["state"]) == (True, "closed")
    tip = (await twin.get(f"{ONE}/commits/main")).body
    assert tip["sha"] == made["sha"] == merged["merge_commit_sha"]
    assert len(tip["parents"]) == 2
    branches = {row["name"] for row in (await twin.get(f"{ONE}/branches")).body}
    assert branches == {"main", "feature/x"}


async def test_releases_change_without_a_since_to_tell(start: Start) -> None:
    twin = await start()
    (made,) = await twin.change({"do": "release", "tag": "v9", "body": "a", **HERE})
    await twin.change({"do": "edit_release", "release": made["id"], "body": "b", **HERE})
    first = (await twin.get(f"{ONE}/releases")).body[0]
    assert (first["tag_name"], first["body"]) == ("v9", "b")
    await twin.change({"do": "delete_release", "release": made["id"], **HERE})
    assert (await twin.get(f"{ONE}/releases")).body[0]["tag_name"] == "v1.4"


async def test_what_is_to_happen_waits_for_its_call(start: Start) -> None:
    twin = await start(issues=5)
    late = {"at": {"call": "issues.list", "n": 2}, "changes": [{"do": "open_issue", **HERE}]}
    await twin.post("/admin/during", late)
    counts = []
    for path in ("/issues", "/commits", "/issues", "/issues"):
        await twin.get(ONE + path)
        counts.append(len((await twin.truth(1001))["issues"]))
    assert counts == [5, 5, 6, 6]


@pytest.mark.parametrize(
    "change",
    [
        {"do": "nothing", **HERE},
        {"do": "close", "number": 1, "repo": "ada/none"},
        {"do": "close", "number": 999, **HERE},
        {"do": "merge", "number": 1, **HERE},
        {"do": "review", "number": 1, **HERE},
        {"do": "delete_issue", "number": 5, **HERE},
        {"do": "transfer_issue", "number": 1, "to": "ada/repo-1", **HERE},
        {"do": "edit_comment", "comment": 1, "body": "", **HERE},
        {"do": "force_push", "drop": 99, **HERE},
        {"do": "open_pull", "base": "none", **HERE},
        {"do": "rename_repo", "name": "repo-1", **HERE},
        {"do": "add_repo", "repo": "noslash"},
        {"do": "open_issue", "titel": "x", **HERE},
    ],
)
async def test_a_change_that_cannot_be_is_refused_with_a_reason(
    start: Start, change: dict[str, Any]
) -> None:
    twin = await start()
    before = (await twin.get("/truth")).body
    got = await twin.post("/admin/change", [change])
    assert (got.status, set(got.body)) == (400, {"error", "code"})
    assert (await twin.get("/truth")).body == before


async def test_the_same_seed_and_changes_make_the_same_world(start: Start) -> None:
    changes = [{"do": "open_issue", **HERE}, {"do": "push", **HERE}]
    truths = []
    for seed in (4, 4, 5):
        twin = await start(seed=seed)
        await twin.change(*changes)
        truths.append((await twin.get("/truth")).body)
    assert truths[0] == truths[1] != truths[2]
