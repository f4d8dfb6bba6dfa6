"""Lists that can be asked for by `since`, while they change under the reader."""

from __future__ import annotations

import pytest
from tests.github.conftest import Open
from tests.github.hub import Hub

from headrace.github import lists
from headrace.twin.github.changes import (
    DeleteComment,
    EditIssue,
    EditRelease,
    MakePrivate,
    OpenIssue,
    PublishRelease,
    RenameRepository,
    SayComment,
)
from headrace.twin.github.rows import Issue

REPO = 1001
ISSUES = f"{REPO}/issues"


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LARGEST", "10")


def during(hub: Hub, call: str, n: int, *changes: object) -> None:
    """Changes right before the n-th such call."""
    hub.ask("/admin/during", {"at": {"call": call, "n": n}, "changes": list(changes)})


def edit(number: int) -> dict[str, object]:
    return {"do": "edit_issue", "repo": REPO, "number": number, "title": f"edited {number}"}


async def test_rows_edited_during_the_scan(open_hub: Open) -> None:
    """Covers H1: an edit moves a row to the end and all others up, and no row is passed over."""
    hub = await open_hub({"kinds": ["issues"]}, issues=60)
    for n in range(2, 7):
        during(hub, "issues.list", n, edit(n), edit(n + 10), edit(n + 20))
    await hub.synced()
    assert hub.live() == hub.truth("issues")
    assert len(hub.live()[ISSUES]) == 60


async def test_a_row_that_goes_while_the_next_pages_are_read(open_hub: Open) -> None:
    """Covers H1, R4: what is deleted during a sweep is gone by the next, nothing else is."""
    hub = await open_hub({"kinds": ["comments"]}, issues=90)
    await hub.synced()
    hub.later(8 * 86_400)
    gone = {"do": "delete_comment", "repo": REPO, "comment": min(hub.comments())}
    during(hub, "comments.list", 2, gone)
    before = set(hub.live()[f"{REPO}/comments"])
    await hub.synced()
    assert set(hub.live()[f"{REPO}/comments"]) == before
    hub.later(8 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("comments")


async def test_many_rows_in_one_second(open_hub: Open) -> None:
    """Covers H2: more than fit on a page, and the next page begins in the same second."""
    hub = await open_hub({"kinds": ["issues"]}, issues=3)
    hub.change(*(OpenIssue(repo=REPO) for _ in range(35)))
    hub.later(5)
    hub.change(*(OpenIssue(repo=REPO) for _ in range(3)))
    await hub.synced()
    assert hub.live() == hub.truth("issues")


async def test_one_second_is_read_until_it_holds_still(open_hub: Open) -> None:
    """Covers H1, H2: within one second pages have numbers, and shift when a row leaves it."""
    hub = await open_hub({"kinds": ["issues"]}, issues=0)
    hub.change(*(OpenIssue(repo=REPO) for _ in range(35)))
    hub.later(5)
    during(hub, "issues.list", 4, edit(1), edit(2))  # between the pages of that second
    await hub.synced()
    assert hub.live() == hub.truth("issues")


async def test_a_list_without_since_is_read_until_it_holds_still(open_hub: Open) -> None:
    """Covers H1, R4: a release that goes moves the others up, and none is taken for gone."""
    hub = await open_hub({"kinds": ["releases"]})
    hub.change(*(PublishRelease(repo=REPO, tag=f"v{number}") for number in range(25)))
    await hub.synced()
    gone = max(hub.twin.world.repositories[REPO].releases)
    hub.change(EditRelease(repo=REPO, release=gone, body="soon gone"))
    during(hub, "releases.list", 3, {"do": "delete_release", "repo": REPO, "release": gone})
    await hub.synced()
    stream = f"{REPO}/releases"
    assert hub.truth("releases")[stream].items() <= hub.live()[stream].items()
    await hub.synced()
    assert hub.live() == hub.truth("releases")


async def test_the_boundary_second_is_kept(open_hub: Open) -> None:
    """Covers H2: a row of the second in which the last one was seen."""
    hub = await open_hub({"kinds": ["issues"]}, issues=3)
    hub.change(OpenIssue(repo=REPO))
    await hub.synced()
    hub.change(OpenIssue(repo=REPO), EditIssue(repo=REPO, number=4, title="within the second"))
    await hub.synced()
    assert hub.live() == hub.truth("issues")


async def test_a_row_that_shows_late(open_hub: Open) -> None:
    """Covers H1: the watermark looks back over what a lagging copy of the database showed late."""
    hub = await open_hub({"kinds": ["issues"]}, issues=3)
    hub.change(OpenIssue(repo=REPO))
    await hub.synced()
    then = hub.twin.clock.now() - 50
    hub.twin.world.repositories[REPO].issues[99] = Issue(9, 99, "Late", None, "ada", then, then)
    await hub.synced()
    assert hub.live() == hub.truth("issues")


async def test_a_change_dated_into_the_future_hides_nothing(open_hub: Open) -> None:
    """Covers H1: the watermark is never later than the beginning of the scan."""
    hub = await open_hub({"kinds": ["issues"]}, issues=3)
    ahead = hub.twin.clock.now() + 10_000
    hub.twin.world.repositories[REPO].issues[99] = Issue(9, 99, "Early", None, "ada", ahead, ahead)
    await hub.synced()
    hub.later(100)
    hub.change(OpenIssue(repo=REPO))
    await hub.synced()
    assert hub.live() == hub.truth("issues")


async def test_large_sets_are_followed_by_cursor(open_hub: Open) -> None:
    """Covers H3: GitHub refuses numbers beyond a page; the links that it gives are followed."""
    hub = await open_hub({"kinds": ["issues"]}, issues=60, page_limit=2)
    hub.later(5)
    hub.change(*(OpenIssue(repo=REPO) for _ in range(45)))
    await hub.synced()
    assert hub.live() == hub.truth("issues")
    assert hub.twin.stats.statuses[422] == 0


async def test_a_renamed_repository_is_followed_by_its_number(open_hub: Open) -> None:
    """Covers H3, H8: the name that was given answers 301; the stream goes on, and there is one."""
    config = {"kinds": ["issues", "comments"], "repositories": ["ada/repo-1"]}
    hub = await open_hub(config, issues=12)
    await hub.synced()
    hub.change(RenameRepository(repo=REPO, name="else"), SayComment(repo=REPO, number=3))
    await hub.synced()
    assert hub.live() == hub.truth("issues", "comments")
    assert set(hub.live()) == {ISSUES, f"{REPO}/comments"}
    assert hub.twin.stats.statuses[301] == 1


async def test_an_unchanged_list_costs_nothing(open_hub: Open) -> None:
    """Covers H6: asked with its ETag, once the watermark stands still."""
    hub = await open_hub({"kinds": ["issues", "comments"]}, issues=12)
    for _ in range(3):
        await hub.synced()
    assert hub.twin.stats.not_modified == {"issues.list": 1, "comments.list": 1}
    hub.change(EditIssue(repo=REPO, number=1, title="new"))
    await hub.synced()
    assert hub.live() == hub.truth("issues", "comments")


async def test_a_comment_that_was_deleted_is_gone_at_the_sweep(open_hub: Open) -> None:
    """Covers H8: no list by `since` ever says so."""
    hub = await open_hub({"kinds": ["comments"], "sweep_days": 2}, issues=30)
    await hub.synced()
    hub.change(DeleteComment(repo=REPO, comment=hub.comments()[3]))
    await hub.synced()
    assert hub.live() != hub.truth("comments")
    hub.later(2 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("comments")


async def test_what_is_older_than_the_window_is_left_out(open_hub: Open) -> None:
    """The window's beginning is that of the first run, also for the sweeps."""
    hub = await open_hub({"kinds": ["issues"], "days": 30}, issues=12)
    hub.change(OpenIssue(repo=REPO), OpenIssue(repo=REPO))
    await hub.synced()
    assert len(hub.live()[ISSUES]) == 2
    hub.later(40 * 86_400)
    hub.change(EditIssue(repo=REPO, number=1, title="woken up"))
    await hub.synced()
    assert len(hub.live()[ISSUES]) == 3


async def test_a_private_repository_is_its_own_streams_matter(open_hub: Open) -> None:
    """Covers H8: it ends without an error, what it brought stays, and others go on."""
    tokens = [{"token": "ghp_public", "scopes": ["notifications"]}]
    config = {"kinds": ["issues"], "repositories": ["ada/repo-1", "octo/repo-3"]}
    hub = await open_hub(config, issues=5, repositories=3, tokens=tokens, secret="ghp_public")
    await hub.synced()
    mine = hub.live()[ISSUES]
    hub.change(MakePrivate(repo=REPO), OpenIssue(repo="octo/repo-3"))
    await hub.synced()
    assert hub.live()[ISSUES] == mine
    other = next(stream for stream in hub.live() if stream != ISSUES)
    assert hub.live()[other] == hub.truth("issues")[other]
    hub.change(OpenIssue(repo=REPO), MakePrivate(repo=REPO, private=False))
    await hub.synced()
    assert hub.live()[ISSUES] == hub.truth("issues")[ISSUES]
