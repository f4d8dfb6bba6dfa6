"""Whatever happens at GitHub, and whatever fails: after a sync and a sweep, here is what is there.

The suite tries some histories; HEADRACE_HISTORIES says how many (`make histories`: a thousand).
"""

from __future__ import annotations

import asyncio
import os
from itertools import count
from typing import TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from tests.github.conftest import clock_of
from tests.github.hub import NOW_S, Hub

from headrace.github import lists
from headrace.providers.github import GitHub as Provider
from headrace.store.database import Database
from headrace.twin.faults import AnswerWith, On, Truncate
from headrace.twin.github import GitHub, options_from
from headrace.twin.github import changes as do
from headrace.twin.github.rows import Repository
from headrace.twin.github.rules import CallRule
from headrace.twin.server import listening

T = TypeVar("T")

HISTORIES = int(os.environ.get("HEADRACE_HISTORIES", "25"))
FIRST, SECOND = "ada/repo-1", "octo/repo-2"
OLD_S = 1_000_000_000
CALLS = (
    "issues.list",
    "comments.list",
    "review_comments.list",
    "reviews.list",
    "branches.list",
    "commits.list",
    "commits.compare",
    "releases.list",
    "notifications.list",
)

_numbers = count(1)

Step = tuple[str, int, int]
"""What happens, to which of what there is, and how many seconds later."""

WHAT = (
    *("open", "edit", "close", "comment", "edit_comment", "delete_comment", "delete", "move"),
    *("pull", "review", "merge", "notify", "push", "push_old", "branch", "force_push", "set_back"),
    *("release", "edit_release", "delete_release", "rename", "transfer"),
)
happenings = st.tuples(st.sampled_from(WHAT), st.integers(0, 99), st.sampled_from((0, 0, 1, 90)))
syncs = st.tuples(
    st.sampled_from(("sync", "during", "fail", "cut", "limit", "tomorrow")),
    st.integers(0, 99),
    st.just(0),
)
histories = st.lists(st.one_of(happenings, happenings, happenings, happenings, syncs), max_size=30)


def change(twin: GitHub, what: str, which: int) -> do.AnyChange | None:
    """What happens, if there is anything for it to happen to."""
    rows = list(twin.world.repositories.values())
    row = rows[which % 2]
    repo, other = row.id, rows[1 - which % 2].id
    of_row: dict[str, do.AnyChange] = {
        "open": do.OpenIssue(repo=repo, user="ada" if which % 3 else "grace"),
        "push": do.Push(repo=repo),
        "push_old": do.Push(repo=repo, commits=(_old(which), _old(which + 100))),
        "branch": do.Push(repo=repo, branch=f"topic-{which % 3}", commits=(_old(which),)),
        "force_push": do.ForcePush(repo=repo, commits=(_old(which),)),
        "set_back": do.ForcePush(repo=repo, branch=_pick(sorted(row.branches), which)),
        "pull": do.OpenPull(repo=repo),
        "release": do.PublishRelease(repo=repo, tag=f"v{which}"),
        "rename": do.RenameRepository(repo=repo, name=f"name-{next(_numbers)}"),
        "transfer": do.TransferRepository(repo=repo, owner="octo" if row.owner == "ada" else "ada"),
    }
    return of_row.get(what) or _to_part(row, what, which, other)


def _to_part(row: Repository, what: str, which: int, other: int) -> do.AnyChange | None:
    repo = row.id
    if row.issues and what in ("edit", "close", "comment", "notify"):
        number = _pick(sorted(row.issues), which)
        merged = (pull := row.issues[number].pull) and pull.merged_s is not None
        to_any: dict[str, do.AnyChange] = {
            "edit": do.EditIssue(repo=repo, number=number, title=f"edited {which}"),
            "comment": do.SayComment(repo=repo, number=number),
            "notify": do.Notify(repo=repo, number=number),
        }
        if not merged:
            to_any["close"] = do.Close(repo=repo, number=number, reopen=bool(which % 3))
        return to_any.get(what)
    issues = [number for number, one in row.issues.items() if not one.pull]
    if issues and what in ("delete", "move"):
        number = _pick(issues, which)
        if what == "delete":
            return do.DeleteIssue(repo=repo, number=number)
        return do.TransferIssue(repo=repo, number=number, to=other)
    pulls = [number for number, one in row.issues.items() if one.pull]
    if pulls and what == "review":
        return do.SayReview(repo=repo, number=_pick(pulls, which), comments=("a remark",))
    unmerged = [number for number in pulls if row.issues[number].closed_s is None]
    if unmerged and what == "merge":
        return do.Merge(repo=repo, number=_pick(unmerged, which))
    if row.comments and what in ("edit_comment", "delete_comment"):
        comment = _pick(sorted(row.comments), which)
        if what == "delete_comment":
            return do.DeleteComment(repo=repo, comment=comment)
        return do.EditComment(repo=repo, comment=comment, body=f"edited {which}")
    if row.releases and what in ("edit_release", "delete_release"):
        release = _pick(sorted(row.releases), which)
        if what == "delete_release":
            return do.DeleteRelease(repo=repo, release=release)
        return do.EditRelease(repo=repo, release=release, body=f"edited {which}")
    return None


async def sync(hub: Hub, how: str, which: int) -> None:
    """A sync that may meet something: it ends, or says that it goes on later."""
    call = CALLS[which % len(CALLS)]
    if how == "during":
        # It may happen in a later sync, so it happens to what is always there: the pull requests.
        repo = list(hub.twin.world.repositories)[which % 2]
        happening = (
            do.EditIssue(repo=repo, number=5, title=f"edited {which}"),
            do.SayComment(repo=repo, number=10),
            do.Push(repo=repo, commits=(_old(which),)),
        )
        changes = [msgspec.to_builtins(one) for one in happening]
        hub.ask("/admin/during", {"at": {"call": call, "n": 1 + which % 2}, "changes": changes})
    elif how == "fail":
        hub.faults(CallRule(AnswerWith(500), call, On(request=1 + which % 3)))
    elif how == "cut":
        hub.faults(CallRule(Truncate(20), call, On(request=1 + which % 3)))
    elif how == "limit":
        words = {"message": "You have exceeded a secondary rate limit."}
        hub.faults(CallRule(AnswerWith(403, json=words), call, On(request=1 + which % 2)))
    elif how == "tomorrow":
        hub.later(3 * 86_400)
    outcomes = await hub.sync()
    assert {one.state for one in outcomes.values()} <= {"done", "retry"}, outcomes
    hub.faults()


async def live_through(history: list[Step], pool: Database, patch: pytest.MonkeyPatch) -> None:
    options = {"frozen_s": NOW_S, "issues": 12, "repositories": 2, "commits": 8}
    twin = GitHub(options_from(options))
    patch.setattr(Provider, "clock", clock_of(twin))
    async with listening(twin.handle, 0) as url:
        hub = Hub(twin, url, pool, name=f"history {next(_numbers)}")
        for what, which, seconds in history:
            hub.later(seconds)
            if what not in WHAT:
                await sync(hub, what, which)
            elif (found := change(twin, what, which)) is not None:
                hub.change(found)
        hub.later(60)  # a limit that was met last is over
        await hub.synced()
        # Some calls are rare: what still waits for one might happen behind the last sync's back.
        hub.still()
        for _ in range(2):
            hub.later(7 * 86_400)
            await hub.synced()
        assert hub.live() == hub.truth()


def _old(which: int) -> do.NewCommit:
    return do.NewCommit(f"Old {which}", author_s=OLD_S + which, committer_s=OLD_S + which)


def _pick(names: list[T], which: int) -> T:
    return names[which % len(names)]


@settings(
    max_examples=HISTORIES,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories)
@example([("cut", 3, 0), ("tomorrow", 60, 0), ("during", 53, 0)])
def test_any_history(pool: Database, monkeypatch: pytest.MonkeyPatch, history: list[Step]) -> None:
    """Covers H1, H2, H5, H8, H10: edits, deletions, transfers, renames, late and forced pushes,
    before, between and during syncs that fail, are cut off or limited."""
    monkeypatch.setattr(lists, "LARGEST", "5")
    asyncio.run(live_through(history, pool, monkeypatch))
