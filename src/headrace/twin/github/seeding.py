"""What a new repository begins with, made from the seed, all of it before the year 2026."""

from __future__ import annotations

from headrace.twin.github.clock import START_S
from headrace.twin.github.history import make_commit
from headrace.twin.github.rows import (
    Comment,
    Event,
    Issue,
    Pull,
    Release,
    Repository,
    Review,
    ReviewComment,
    Thread,
)
from headrace.twin.github.words import LABELS, draw, sentence, title
from headrace.twin.github.world import World

MOST_ISSUES = 100_000
_ISSUE_EVERY_S = 300
_TOUCHED_EVERY_S = 3_600
_COMMIT_EVERY_S = 10_000
_EVENTS, _THREADS, _RELEASES = 350, 10, 5


def seed_repository(
    world: World, owner: str, name: str, *, private: bool, issues: int, commits: int = 0
) -> Repository:
    """A repository with so many issues, of which every fifth is a pull request."""
    row = Repository(world.next_id(), owner, name, private, START_S, START_S, START_S)
    row.description = f"The {name} of {owner}"
    world.add(row)
    if commits:
        _add_commits(world, row, commits)
    for _ in range(issues):
        _add_issue(world, row)
    if issues and commits:
        _add_activity(world, row)
    return row


def _add_commits(world: World, row: Repository, count: int) -> None:
    tip: tuple[str, ...] = ()
    for number in range(count):
        chance = draw(world.seed, row.id, "commit", number)
        person = (_person(world, chance), START_S + number * _COMMIT_EVERY_S)
        commit = make_commit(title(chance), person, person, tip)
        row.commits[commit.sha] = commit
        tip = (commit.sha,)
        row.pushed_s = commit.committer_s
    row.branches[row.default_branch] = tip[0]


def _add_issue(world: World, row: Repository) -> None:
    """Issues are touched on the hour, so that there are always several in one second."""
    row.last_number += 1
    number = row.last_number
    chance = draw(world.seed, row.id, "issue", number)
    created_s = START_S + number * _ISSUE_EVERY_S
    later = 1 + chance[4] * (chance[5] % 4 == 0)
    updated_s = (created_s // _TOUCHED_EVERY_S + later) * _TOUCHED_EVERY_S
    issue = Issue(
        world.next_id(),
        number,
        title(chance),
        None if chance[6] % 16 == 0 else sentence(chance),
        _person(world, chance),
        created_s,
        updated_s,
        closed_s=updated_s if chance[7] % 2 else None,
        labels=LABELS[: chance[6] % 3],
    )
    row.issues[number] = issue
    if number % 5 == 0 and row.branches:
        _make_pull(world, row, issue, chance)
    if number % 3 == 0:
        comment = Comment(
            world.next_id(),
            number,
            issue.pull is not None,
            sentence(chance[::-1]),
            world.people[-1],
            updated_s,
            updated_s,
        )
        row.comments[comment.id] = comment
        issue.comments += 1


def _make_pull(world: World, row: Repository, issue: Issue, chance: bytes) -> None:
    """Its branch is gone, as after most merges; its commit is not."""
    base = row.branches[row.default_branch]
    person = (issue.user, issue.created_s)
    head = make_commit(issue.title, person, person, (base,))
    row.commits[head.sha] = head
    issue.pull = Pull(f"change-{issue.number}", head.sha, row.default_branch, base)
    if issue.closed_s is None:
        return
    if chance[3] % 3:
        issue.pull.merged_s, issue.pull.merge_sha = issue.closed_s, head.sha
    review = Review(
        world.next_id(),
        issue.number,
        "APPROVED",
        sentence(chance),
        world.people[0],
        issue.updated_s,
        head.sha,
    )
    row.reviews[review.id] = review
    remark = ReviewComment(
        world.next_id(),
        issue.number,
        review.id,
        sentence(chance[::-1]),
        world.people[0],
        head.sha,
        issue.updated_s,
        issue.updated_s,
    )
    row.review_comments[remark.id] = remark
    issue.review_comments += 1


def _add_activity(world: World, row: Repository) -> None:
    for number in range(_RELEASES):
        at_s = START_S + number * _COMMIT_EVERY_S
        release = Release(
            world.next_id(),
            f"v1.{number}",
            f"Version 1.{number}",
            sentence(draw(world.seed, row.id, "release", number)),
            world.people[0],
            at_s,
            at_s,
        )
        row.releases[release.id] = release
    for issue in list(row.issues.values())[-_EVENTS:]:
        row.events.append(
            Event(world.next_id(), "opened", issue.user, issue.created_s, issue=issue)
        )
    for issue in list(row.issues.values())[-_THREADS:]:
        unread = issue.number % 3 != 0
        row.threads[issue.number] = Thread(
            world.next_id(),
            issue.number,
            "mention",
            unread,
            issue.updated_s,
            None if unread else issue.updated_s,
        )


def _person(world: World, chance: bytes) -> str:
    return world.people[chance[0] % len(world.people)]
