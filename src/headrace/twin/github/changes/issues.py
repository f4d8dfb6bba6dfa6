"""Changes to issues, pull requests and what is said to them."""

from __future__ import annotations

from typing import Literal

from headrace.twin.github.changes.change import (
    Change,
    Made,
    add_issue,
    find_issue,
    find_repository,
    happen,
    notice,
)
from headrace.twin.github.rows import Comment, Repository, Review, ReviewComment
from headrace.twin.github.world import World
from headrace.twin.message import Refused


class OpenIssue(Change, frozen=True, kw_only=True, tag="open_issue"):
    """A new issue."""

    title: str = "An issue"
    body: str | None = None

    def apply(self, world: World) -> Made:
        """Returns its `number` and `id`."""
        within, user = self.where(world), self.who(world)
        issue = add_issue(world, within, self.title, self.body, user)
        happen(world, within, user, "opened", issue=issue)
        return {"number": issue.number, "id": issue.id}


class _ToIssue(Change, frozen=True, kw_only=True):
    """Something that happens to an issue or pull request."""

    number: int


class EditIssue(_ToIssue, frozen=True, kw_only=True, tag="edit_issue"):
    """Another title, body or labels; without any of them it is only touched."""

    title: str | None = None
    body: str | None = None
    labels: tuple[str, ...] | None = None

    def apply(self, world: World) -> Made:
        """Returns its `number`."""
        within = self.where(world)
        issue = find_issue(within, self.number)
        issue.title = issue.title if self.title is None else self.title
        issue.body = issue.body if self.body is None else self.body
        issue.labels = issue.labels if self.labels is None else self.labels
        issue.updated_s = world.clock.now()
        return {"number": issue.number}


class Close(_ToIssue, frozen=True, kw_only=True, tag="close"):
    """Closed, or with `reopen` open again."""

    reopen: bool = False

    def apply(self, world: World) -> Made:
        """Returns its `number`."""
        within = self.where(world)
        issue = find_issue(within, self.number)
        if issue.pull and issue.pull.merged_s is not None:
            raise Refused(400, f"Pull request {issue.number} has been merged.")
        issue.updated_s = world.clock.now()
        issue.closed_s = None if self.reopen else issue.updated_s
        action = "reopened" if self.reopen else "closed"
        happen(world, within, self.who(world), action, issue=issue)
        return {"number": issue.number}


class SayComment(_ToIssue, frozen=True, kw_only=True, tag="comment"):
    """A new comment; its issue is touched by it."""

    body: str = "A comment"

    def apply(self, world: World) -> Made:
        """Returns the comment's `id`."""
        within, user, now = self.where(world), self.who(world), world.clock.now()
        issue = find_issue(within, self.number)
        on_pull = issue.pull is not None
        comment = Comment(world.next_id(), issue.number, on_pull, self.body, user, now, now)
        within.comments[comment.id] = comment
        issue.comments += 1
        issue.updated_s = now
        happen(world, within, user, "created", issue=issue, comment=comment)
        return {"id": comment.id}


class EditComment(Change, frozen=True, kw_only=True, tag="edit_comment"):
    """A comment says something else. Its issue is not touched."""

    comment: int
    body: str

    def apply(self, world: World) -> Made:
        """Returns the comment's `id`."""
        comment = _find_comment(self.where(world), self.comment)
        comment.body, comment.updated_s = self.body, world.clock.now()
        return {"id": comment.id}


class DeleteComment(Change, frozen=True, kw_only=True, tag="delete_comment"):
    """A comment is gone, without a trace but in its issue's count."""

    comment: int

    def apply(self, world: World) -> Made:
        """Returns the comment's `id`."""
        within = self.where(world)
        comment = _find_comment(within, self.comment)
        del within.comments[comment.id]
        issue = within.issues[comment.issue]
        issue.comments -= 1
        issue.updated_s = world.clock.now()
        return {"id": comment.id}


class DeleteIssue(_ToIssue, frozen=True, kw_only=True, tag="delete_issue"):
    """An issue is gone with what was said to it; its address answers 410."""

    def apply(self, world: World) -> Made:
        """Returns its `number`."""
        within = self.where(world)
        if find_issue(within, self.number).pull:
            raise Refused(400, "A pull request cannot be deleted.")
        _take_out(within, self.number)
        within.deleted.add(self.number)
        return {"number": self.number}


class TransferIssue(_ToIssue, frozen=True, kw_only=True, tag="transfer_issue"):
    """An issue moves to repository `to`, under new numbers; its old address leads there."""

    to: str | int

    def apply(self, world: World) -> Made:
        """Returns its new `number` and `id`."""
        source, target = self.where(world), find_repository(world, self.to)
        old = find_issue(source, self.number)
        if old.pull or source is target:
            raise Refused(400, "Only an issue can be transferred, and not to where it is.")
        new = add_issue(world, target, old.title, old.body, old.user)
        new.created_s, new.closed_s = old.created_s, old.closed_s
        for comment in [one for one in source.comments.values() if one.issue == old.number]:
            del source.comments[comment.id]
            comment.issue, comment.id = new.number, world.next_id()
            target.comments[comment.id] = comment
            new.comments += 1
        _take_out(source, self.number)
        source.elsewhere[self.number] = (target.id, new.number)
        return {"number": new.number, "id": new.id}


class Notify(_ToIssue, frozen=True, kw_only=True, tag="notify"):
    """A notification of an issue or pull request, or news of it."""

    reason: str = "mention"

    def apply(self, world: World) -> Made:
        """Returns the `id` of the notification."""
        within = self.where(world)
        thread = notice(world, within, find_issue(within, self.number), self.reason)
        return {"id": thread.id}


class SayReview(_ToIssue, frozen=True, kw_only=True, tag="review"):
    """A verdict over a pull request, with some remarks."""

    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED"] = "COMMENTED"
    body: str = ""
    comments: tuple[str, ...] = ()

    def apply(self, world: World) -> Made:
        """Returns the review's `id`, and those of its `comments`."""
        within, user, now = self.where(world), self.who(world), world.clock.now()
        pull = find_issue(within, self.number)
        if pull.pull is None:
            raise Refused(400, f"{self.number} is not a pull request.")
        sha = pull.pull.head_sha
        review = Review(world.next_id(), pull.number, self.state, self.body, user, now, sha)
        within.reviews[review.id] = review
        made = []
        for text in self.comments:
            made.append(world.next_id())
            within.review_comments[made[-1]] = ReviewComment(
                made[-1], pull.number, review.id, text, user, sha, now, now
            )
        pull.review_comments += len(made)
        pull.updated_s = now
        happen(world, within, user, "created", issue=pull, review=review)
        return {"id": review.id, "comments": made}


def _take_out(within: Repository, number: int) -> None:
    del within.issues[number]
    within.threads.pop(number, None)
    for comment in [one.id for one in within.comments.values() if one.issue == number]:
        del within.comments[comment]


def _find_comment(within: Repository, number: int) -> Comment:
    if number not in within.comments:
        raise Refused(400, f"There is no comment {number} in {within.full_name}.")
    return within.comments[number]
