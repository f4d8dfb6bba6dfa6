"""Changes to branches, pull requests and releases."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.twin.github.changes.change import Change, Made, add_issue, find_issue, happen
from headrace.twin.github.history import make_commit, resolve
from headrace.twin.github.rows import Pull, Release, Repository
from headrace.twin.github.world import World
from headrace.twin.message import Refused


class NewCommit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A commit to push. Dates are Unix seconds, anything one likes; None: now."""

    message: str = "A commit"
    author: str = ""
    author_s: int | None = None
    committer_s: int | None = None


class Push(Change, frozen=True, kw_only=True, tag="push"):
    """Commits on top of a branch, which begins at the default branch if it is new."""

    branch: str = ""
    commits: tuple[NewCommit, ...] = (NewCommit(),)

    def apply(self, world: World) -> Made:
        """Returns the `sha` of the tip, and all `shas` pushed, oldest first."""
        within = self.where(world)
        branch = self.branch or within.default_branch
        return _push(world, within, self.who(world), branch, None, self.commits)


class ForcePush(Change, frozen=True, kw_only=True, tag="force_push"):
    """A branch loses its `drop` latest commits, or all after `to`, and gets others."""

    branch: str = ""
    drop: int = 1
    to: str = ""
    commits: tuple[NewCommit, ...] = ()

    def apply(self, world: World) -> Made:
        """Returns the `sha` of the tip, and all `shas` pushed, oldest first."""
        within = self.where(world)
        branch = self.branch or within.default_branch
        kept = resolve(within, self.to or within.branches.get(branch, ""))
        for _ in range(0 if self.to else self.drop):
            kept = within.commits.get(kept.parents[0]) if kept and kept.parents else None
        if kept is None:
            raise Refused(400, f"{branch} has no such commit to go back to.")
        return _push(world, within, self.who(world), branch, kept.sha, self.commits)


class OpenPull(Change, frozen=True, kw_only=True, tag="open_pull"):
    """A new pull request from branch `head`, which is made with one commit if it is new."""

    title: str = "A pull request"
    body: str | None = None
    head: str = ""
    base: str = ""

    def apply(self, world: World) -> Made:
        """Returns its `number` and `id`."""
        within, user = self.where(world), self.who(world)
        base = self.base or within.default_branch
        if base not in within.branches:
            raise Refused(400, f"There is no branch {base} in {within.full_name}.")
        head = self.head or f"change-{within.last_number + 1}"
        if head not in within.branches:
            _push(world, within, user, head, within.branches[base], (NewCommit(self.title),))
        pull = add_issue(world, within, self.title, self.body, user)
        pull.pull = Pull(head, within.branches[head], base, within.branches[base])
        happen(world, within, user, "opened", issue=pull)
        return {"number": pull.number, "id": pull.id}


class Merge(Change, frozen=True, kw_only=True, tag="merge"):
    """A pull request is merged with a commit of two parents."""

    number: int

    def apply(self, world: World) -> Made:
        """Returns its `number` and the `sha` of the merge."""
        within, user, now = self.where(world), self.who(world), world.clock.now()
        issue = find_issue(within, self.number)
        pull = issue.pull
        if pull is None or issue.closed_s is not None:
            raise Refused(400, f"{self.number} is not an open pull request.")
        tip = within.branches[pull.base]
        message = f"Merge pull request #{issue.number} from {within.owner}/{pull.head}"
        merge = make_commit(message, (user, now), (user, now), (tip, pull.head_sha))
        within.commits[merge.sha] = merge
        within.branches[pull.base] = merge.sha
        within.pushed_s = issue.updated_s = issue.closed_s = pull.merged_s = now
        pull.merge_sha = merge.sha
        happen(world, within, user, "closed", issue=issue)
        happen(world, within, user, "push", push=(pull.base, tip, merge.sha))
        return {"number": issue.number, "sha": merge.sha}


class PublishRelease(Change, frozen=True, kw_only=True, tag="release"):
    """A new release."""

    tag: str
    name: str = ""
    body: str = ""

    def apply(self, world: World) -> Made:
        """Returns its `id`."""
        within, user, now = self.where(world), self.who(world), world.clock.now()
        name = self.name or self.tag
        release = Release(world.next_id(), self.tag, name, self.body, user, now, now)
        within.releases[release.id] = release
        happen(world, within, user, "published", release=release)
        return {"id": release.id}


class EditRelease(Change, frozen=True, kw_only=True, tag="edit_release"):
    """A release says something else. Lists of releases know no `since`."""

    release: int
    body: str

    def apply(self, world: World) -> Made:
        """Returns its `id`."""
        release = _find_release(self.where(world), self.release)
        release.body, release.updated_s = self.body, world.clock.now()
        return {"id": release.id}


class DeleteRelease(Change, frozen=True, kw_only=True, tag="delete_release"):
    """A release is gone."""

    release: int

    def apply(self, world: World) -> Made:
        """Returns its `id`."""
        within = self.where(world)
        del within.releases[_find_release(within, self.release).id]
        return {"id": self.release}


def _push(
    world: World,
    within: Repository,
    user: str,
    branch: str,
    onto: str | None,
    commits: Sequence[NewCommit],
) -> Made:
    """Put commits on top of `onto` (None: the branch as it is) and move the branch there.

    Open pull requests from that branch move with it.
    """
    now = world.clock.now()
    before = within.branches.get(branch, within.branches.get(within.default_branch, ""))
    tip, shas = before if onto is None else onto, []
    for one in commits:
        author = (one.author or user, now if one.author_s is None else one.author_s)
        committer = (one.author or user, now if one.committer_s is None else one.committer_s)
        commit = make_commit(one.message, author, committer, (tip,) if tip else ())
        within.commits[commit.sha] = commit
        tip = commit.sha
        shas.append(tip)
    if not tip:
        raise Refused(400, f"A first push to {within.full_name} needs a commit.")
    within.branches[branch] = tip
    within.pushed_s = now
    for issue in within.issues.values():
        if issue.pull and issue.closed_s is None and issue.pull.head == branch:
            issue.pull.head_sha, issue.updated_s = tip, now
    happen(world, within, user, "push", push=(branch, before or "0" * 40, tip))
    return {"sha": tip, "shas": shas}


def _find_release(within: Repository, number: int) -> Release:
    if number not in within.releases:
        raise Refused(400, f"There is no release {number} in {within.full_name}.")
    return within.releases[number]
