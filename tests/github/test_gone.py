"""What is deleted, moves away or is closed to the account."""

from __future__ import annotations

import pytest
from tests.github.conftest import Open

from headrace.twin.faults import AnswerWith, On
from headrace.twin.github.changes import (
    AddRepository,
    DeleteIssue,
    DeleteRepository,
    EditIssue,
    OpenIssue,
    RenameRepository,
    SayComment,
    SayReview,
    TransferIssue,
    TransferRepository,
)
from headrace.twin.github.rules import CallRule

REPO = 1001


async def test_rename_transfer_delete(open_hub: Open) -> None:
    """Covers H8: no ghosts and no duplicates, and every repository keeps its streams."""
    hub = await open_hub(issues=20, repositories=3)
    await hub.synced()
    homes = {stream.partition("/")[0] for stream in hub.live()}
    other = next(number for number in hub.twin.world.repositories if number != REPO)
    hub.change(
        RenameRepository(repo=REPO, name="renamed"),
        DeleteIssue(repo=REPO, number=1),
        TransferIssue(repo=REPO, number=3, to=other),
        TransferRepository(repo=REPO, owner="octo"),
        SayReview(repo=REPO, number=5, comments=("a remark",)),
        SayComment(repo=REPO, number=9),
        OpenIssue(repo=REPO),
    )
    await hub.synced()
    hub.later(7 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth()
    assert {stream.partition("/")[0] for stream in hub.live()} == homes


async def test_issues_are_told_from_pull_requests(open_hub: Open) -> None:
    """Covers H8: the list of issues has both."""
    hub = await open_hub({"kinds": ["issues"]}, issues=10)
    await hub.synced()
    kinds = sorted(row["kind"] for row in hub.stage())
    assert kinds == ["issue"] * 8 + ["pull_request"] * 2


@pytest.mark.parametrize("status", [404, 403, 410, 451])
async def test_one_list_that_may_not_be_read(open_hub: Open, status: int) -> None:
    """Covers H8: it says so and brings nothing, what it brought stays, and the others go on."""
    hub = await open_hub({"kinds": ["issues", "comments"]}, issues=6)
    await hub.synced()
    hub.later(8 * 86_400)
    hub.change(SayComment(repo=REPO, number=1))
    before = hub.live()[f"{REPO}/comments"]
    said = {"message": "Not for you"}
    hub.faults(CallRule(AnswerWith(status, json=said), "comments.list"))
    await hub.synced()
    assert hub.live()[f"{REPO}/issues"] == hub.truth("issues")[f"{REPO}/issues"]
    assert hub.live()[f"{REPO}/comments"] == before
    hub.faults()
    await hub.synced()
    assert hub.live() == hub.truth("issues", "comments")


@pytest.mark.parametrize(("status", "kept"), [(403, True), (451, True), (404, False)])
async def test_reviews_that_may_not_be_read(open_hub: Open, status: int, kept: bool) -> None:
    """Covers H8: those of a pull request that is not there are gone; a closed door says nothing."""
    hub = await open_hub({"kinds": ["reviews"]}, issues=30)
    await hub.synced()
    before = hub.live()
    assert before
    hub.later(8 * 86_400)
    hub.faults(CallRule(AnswerWith(status, json={"message": "Not for you"}), "reviews.list"))
    await hub.synced()
    assert hub.live() == (before if kept else {})
    hub.faults()
    hub.later(8 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("reviews")


async def test_a_list_that_is_closed_in_the_middle_of_a_sweep(open_hub: Open) -> None:
    """Covers H8: half a list says of nothing that it is gone; it goes on where it was."""
    hub = await open_hub({"kinds": ["issues"]}, issues=250)
    await hub.synced()
    hub.later(8 * 86_400)
    hub.change(DeleteIssue(repo=REPO, number=200 + 1))
    before = hub.live()
    hub.faults(CallRule(AnswerWith(404), "issues.list", On(request=2)))
    await hub.synced()
    assert hub.live() == before
    hub.faults()
    await hub.synced()
    assert hub.live() == hub.truth("issues")


async def test_a_deleted_repository_keeps_what_it_brought(open_hub: Open) -> None:
    """Covers H8: to have no access is not to know that all of it is gone."""
    hub = await open_hub({"kinds": ["issues"]}, issues=4, repositories=3)
    await hub.synced()
    mine = hub.live()[f"{REPO}/issues"]
    hub.change(DeleteRepository(repo=REPO), AddRepository(repo="octo/new", issues=3))
    await hub.synced()
    assert hub.live() == hub.truth("issues") | {f"{REPO}/issues": mine}


async def test_no_repository_can_be_read(open_hub: Open) -> None:
    hub = await open_hub({"repositories": ["ada/typo"]})
    [ended] = (await hub.sync()).values()
    assert (ended.state, ended.error) == ("human", "None of the repositories can be read.")


async def test_an_edit_that_leaves_no_date(open_hub: Open) -> None:
    """Covers H8, H1: what no list by `since` shows is right again after the sweep."""
    hub = await open_hub({"kinds": ["issues"]}, issues=6)
    hub.change(OpenIssue(repo=REPO))
    await hub.synced()
    row = hub.twin.world.repositories[REPO].issues[2]
    before = row.updated_s
    hub.change(EditIssue(repo=REPO, number=2, title="silently"))
    row.updated_s = before
    await hub.synced()
    assert hub.live() != hub.truth("issues")
    hub.later(7 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("issues")
