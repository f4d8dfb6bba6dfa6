"""Events and notifications: what points at the rest."""

from __future__ import annotations

from headrace.twin.github.clock import stamp, stamp_or_none
from headrace.twin.github.render import code, issues, pulls
from headrace.twin.github.render.people import Json, Site, actor
from headrace.twin.github.render.repositories import address, minimal
from headrace.twin.github.rows import Event, Repository, Thread


def event(site: Site, within: Repository, row: Event) -> Json:
    """`event`."""
    kind, payload = _payload(site, within, row)
    return {
        "id": str(row.id),
        "type": kind,
        "actor": actor(site, row.user),
        "repo": {"id": within.id, "name": within.full_name, "url": address(site, within)},
        "payload": payload,
        "public": not within.private,
        "created_at": stamp(row.created_s),
    }


def thread(site: Site, within: Repository, row: Thread) -> Json:
    """`thread`, which is what GitHub calls a notification."""
    subject = within.issues[row.number]
    kind = "pulls" if subject.pull else "issues"
    url = f"{address(site, within)}/{kind}/{row.number}"
    own = f"{site.base}/notifications/threads/{row.id}"
    return {
        "id": str(row.id),
        "unread": row.unread,
        "reason": row.reason,
        "updated_at": stamp(row.updated_s),
        "last_read_at": stamp_or_none(row.last_read_s),
        "subject": {
            "title": subject.title,
            "url": url,
            "latest_comment_url": url,
            "type": "PullRequest" if subject.pull else "Issue",
        },
        "repository": minimal(site, within),
        "url": own,
        "subscription_url": f"{own}/subscription",
    }


def _payload(site: Site, within: Repository, row: Event) -> tuple[str, Json]:
    """The type of an event and what it says, from the copies it keeps."""
    said: Json = {"action": row.action}
    if row.push:
        ref, before, head = row.push
        own = {"repository_id": within.id, "push_id": row.id}
        return "PushEvent", {**own, "ref": f"refs/heads/{ref}", "head": head, "before": before}
    if row.release:
        return "ReleaseEvent", {**said, "release": code.release(site, within, row.release)}
    assert row.issue is not None
    if row.comment:
        said["issue"] = issues.issue(site, within, row.issue)
        said["comment"] = issues.comment(site, within, row.comment)
        return "IssueCommentEvent", said
    if not row.issue.pull:
        return "IssuesEvent", {**said, "issue": issues.issue(site, within, row.issue)}
    said["pull_request"] = pulls.minimal(site, within, row.issue)
    if row.review:
        said["review"] = issues.review(site, within, row.review)
        return "PullRequestReviewEvent", said
    return "PullRequestEvent", {**said, "number": row.issue.number}
