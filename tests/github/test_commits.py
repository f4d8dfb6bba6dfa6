"""What branches lead to, whatever dates the commits bear."""

from __future__ import annotations

import pytest
from tests.github.conftest import Open
from tests.github.hub import NOW_S, Hub

from headrace.github import lists
from headrace.twin.github.changes import ForcePush, NewCommit, Push, RenameRepository
from headrace.twin.github.history import make_commit

REPO = 1001
COMMITS = f"{REPO}/commits"
OLD_S = 1_000_000_000
LONG_AGO = NewCommit("From long ago", author_s=OLD_S, committer_s=OLD_S)


@pytest.fixture
async def hub(open_hub: Open, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setattr(lists, "LARGEST", "10")
    hub = await open_hub({"kinds": ["commits"]}, commits=25)
    await hub.synced()
    assert hub.live() == hub.truth("commits")
    return hub


async def test_old_commits_that_are_pushed_late(hub: Hub) -> None:
    """Covers H10: they are found at the next sync, though their dates are long past."""
    hub.change(Push(repo=REPO, commits=(LONG_AGO, NewCommit("On top of it"))))
    await hub.synced()
    assert hub.live() == hub.truth("commits")
    assert hub.calls("commits.compare") == 1


async def test_a_new_branch_is_what_it_has_beside_the_default_one(hub: Hub) -> None:
    """Covers H10: and not everything again."""
    listed = hub.calls("commits.list")
    hub.change(Push(repo=REPO, branch="topic", commits=(LONG_AGO,)), Push(repo=REPO))
    await hub.synced()
    assert hub.live() == hub.truth("commits")
    assert hub.calls("commits.list") == listed


async def test_branches_that_stand_still_cost_nothing(hub: Hub) -> None:
    """Covers H6, H10: one request, answered with 304."""
    before = hub.twin.stats.shape()["requests"]
    await hub.synced()
    assert hub.twin.stats.not_modified == {"branches.list": 1}
    assert hub.twin.stats.shape()["requests"] == before + 3  # who, which repositories, branches


async def test_a_rewritten_branch(hub: Hub) -> None:
    """Covers H10: what is new is here at once; what nothing leads to any more goes at the sweep."""
    hub.change(ForcePush(repo=REPO, drop=3, commits=(LONG_AGO,)))
    await hub.synced()
    truth = hub.truth("commits")[COMMITS]
    assert truth.items() < hub.live()[COMMITS].items()
    hub.later(7 * 86_400)
    await hub.synced()
    assert hub.live()[COMMITS] == truth


async def test_a_branch_that_was_set_back(hub: Hub) -> None:
    """Covers H10: nothing is new, and some are gone."""
    hub.later(7 * 86_400)
    hub.change(ForcePush(repo=REPO, drop=3))
    await hub.synced()
    hub.later(7 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("commits")


async def test_a_deleted_branch(hub: Hub) -> None:
    """Covers H10, H8: what only it led to goes at the sweep."""
    hub.change(Push(repo=REPO, branch="topic", commits=(LONG_AGO,)))
    await hub.synced()
    del hub.twin.world.repositories[REPO].branches["topic"]
    await hub.synced()
    hub.later(7 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("commits")


async def test_where_a_branch_stood_may_be_forgotten(hub: Hub) -> None:
    """Covers H10: GitHub throws old commits away; then the branch is listed from its head."""
    row = hub.twin.world.repositories[REPO]
    head = row.branches["main"]
    hub.change(ForcePush(repo=REPO, drop=1, commits=(LONG_AGO,)))
    del row.commits[head]
    await hub.synced()
    hub.later(7 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("commits")


async def test_a_branch_that_has_nothing_in_common(hub: Hub) -> None:
    """Covers H10: such as one of pages."""
    row = hub.twin.world.repositories[REPO]
    orphan = make_commit("Pages", ("ada", OLD_S), ("ada", OLD_S), ())
    row.commits[orphan.sha] = orphan
    row.branches["gh-pages"] = orphan.sha
    await hub.synced()
    assert hub.live() == hub.truth("commits")


async def test_a_commit_has_one_version(hub: Hub) -> None:
    """A rename changes the addresses in it, and not what it is."""
    before = hub.versions()
    hub.change(RenameRepository(repo=REPO, name="else"), ForcePush(repo=REPO, drop=1))
    await hub.synced()
    hub.later(7 * 86_400)
    await hub.synced()
    assert hub.live() == hub.truth("commits")
    assert hub.versions() == before + 1  # the tombstone


async def test_an_empty_repository(open_hub: Open) -> None:
    hub = await open_hub({"kinds": ["commits"]}, commits=0)
    await hub.synced()
    assert hub.live() == {}
    hub.change(Push(repo=REPO))
    await hub.synced()
    assert hub.live() == hub.truth("commits")


async def test_only_commits_since(open_hub: Open) -> None:
    """The window is of the date that the committer gave, at the first run and at sweeps."""
    hub = await open_hub({"kinds": ["commits"], "days": 30}, commits=25)
    recent = NewCommit("Yesterday", committer_s=NOW_S - 86_400)
    hub.change(Push(repo=REPO, branch="topic", commits=(LONG_AGO, recent)))
    await hub.synced()
    assert len(hub.live()[COMMITS]) == 1
    hub.change(ForcePush(repo=REPO, drop=1, commits=(LONG_AGO,)))
    hub.later(7 * 86_400)
    await hub.synced()
    await hub.synced()
    assert len(hub.live()[COMMITS]) == 1
