"""What every change has, and what they do in the same way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from headrace.twin.github.rows import (
    Comment,
    Event,
    Issue,
    Release,
    Repository,
    Review,
    Thread,
)
from headrace.twin.github.world import World
from headrace.twin.message import Refused

Made = dict[str, Any]
"""What a change has made or touched: `number`, `id`, `sha`, as there is one."""


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """One thing that happens to a repository, now."""

    repo: str | int
    user: str = ""

    def apply(self, world: World) -> Made:
        """Do it. Raises Refused (400) if there is nothing to do it to."""
        raise NotImplementedError

    def who(self, world: World) -> str:
        """Who does it."""
        return self.user or world.people[0]

    def where(self, world: World) -> Repository:
        """The repository it happens to."""
        return find_repository(world, self.repo)


def find_repository(world: World, repo: str | int) -> Repository:
    """By number or by its present name. Raises Refused (400)."""
    found = world.repositories.get(repo) if isinstance(repo, int) else world.named(repo)
    if found is None:
        raise Refused(400, f"There is no repository {repo}.")
    return found


def find_issue(within: Repository, number: int) -> Issue:
    """An issue or pull request. Raises Refused (400)."""
    if number not in within.issues:
        raise Refused(400, f"There is no issue {number} in {within.full_name}.")
    return within.issues[number]


def add_issue(world: World, within: Repository, title: str, body: str | None, user: str) -> Issue:
    """Open an issue, which has the next number of its repository."""
    now = world.clock.now()
    within.last_number += 1
    issue = Issue(world.next_id(), within.last_number, title, body, user, now, now)
    within.issues[issue.number] = issue
    return issue


def happen(
    world: World,
    within: Repository,
    user: str,
    action: str,
    *,
    issue: Issue | None = None,
    comment: Comment | None = None,
    review: Review | None = None,
    release: Release | None = None,
    push: tuple[str, str, str] | None = None,
) -> None:
    """Write an event, with copies: what it is about will change, what it says will not."""
    within.events.append(
        Event(
            world.next_id(),
            action,
            user,
            world.clock.now(),
            # a pull request is one object with its issue, and moves on with it
            issue=issue and replace(issue, pull=issue.pull and replace(issue.pull)),
            comment=comment and replace(comment),
            review=review,
            release=release and replace(release),
            push=push,
        )
    )


def notice(world: World, within: Repository, issue: Issue, reason: str) -> Thread:
    """Make a notification of an issue, or make the one there is unread again."""
    thread = within.threads.get(issue.number)
    if thread is None:
        thread = Thread(world.next_id(), issue.number, reason, True, world.clock.now())
        within.threads[issue.number] = thread
    thread.reason, thread.unread, thread.updated_s = reason, True, world.clock.now()
    return thread
