"""Issues, pull requests, and what is said to them."""

from __future__ import annotations

from headrace.twin.github.clock import stamp, stamp_or_none
from headrace.twin.github.render.people import Json, Site, account_id, node_id, user
from headrace.twin.github.render.repositories import address, page
from headrace.twin.github.rows import Comment, Issue, Repository, Review, ReviewComment


def issue(site: Site, within: Repository, row: Issue) -> Json:
    """`issue`. A pull request is one too, and says where it is."""
    api = f"{address(site, within)}/issues/{row.number}"
    html = web_address(within, row.number, pull=row.pull is not None)
    shape: Json = {
        "url": api,
        "repository_url": address(site, within),
        "labels_url": f"{api}/labels{{/name}}",
        "comments_url": f"{api}/comments",
        "events_url": f"{api}/events",
        "timeline_url": f"{api}/timeline",
        "html_url": html,
        "id": row.id,
        "node_id": node_id("PR" if row.pull else "I", row.id),
        "number": row.number,
        "title": row.title,
        "user": user(site, row.user),
        "labels": labels(site, within, row),
        "state": row.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": row.comments,
        "created_at": stamp(row.created_s),
        "updated_at": stamp(row.updated_s),
        "closed_at": stamp_or_none(row.closed_s),
        "author_association": association(within, row.user),
        "active_lock_reason": None,
        "body": row.body,
        "performed_via_github_app": None,
        "state_reason": None if row.closed_s is None or row.pull else "completed",
    }
    if row.pull:
        shape["draft"] = False
        shape["pull_request"] = {
            "url": f"{address(site, within)}/pulls/{row.number}",
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "merged_at": stamp_or_none(row.pull.merged_s),
        }
    return shape


def comment(site: Site, within: Repository, row: Comment) -> Json:
    """`issue-comment`."""
    api = f"{address(site, within)}/issues"
    html = web_address(within, row.issue, pull=row.on_pull)
    return {
        "url": f"{api}/comments/{row.id}",
        "html_url": f"{html}#issuecomment-{row.id}",
        "issue_url": f"{api}/{row.issue}",
        "id": row.id,
        "node_id": node_id("IC", row.id),
        "user": user(site, row.user),
        "created_at": stamp(row.created_s),
        "updated_at": stamp(row.updated_s),
        "author_association": association(within, row.user),
        "body": row.body,
        "performed_via_github_app": None,
    }


def review(site: Site, within: Repository, row: Review) -> Json:
    """`pull-request-review`."""
    pull = f"{address(site, within)}/pulls/{row.pull}"
    html = f"{web_address(within, row.pull, pull=True)}#pullrequestreview-{row.id}"
    return {
        "id": row.id,
        "node_id": node_id("PRR", row.id),
        "user": user(site, row.user),
        "body": row.body,
        "state": row.state,
        "html_url": html,
        "pull_request_url": pull,
        "author_association": association(within, row.user),
        "_links": {"html": {"href": html}, "pull_request": {"href": pull}},
        "submitted_at": stamp(row.submitted_s),
        "commit_id": row.commit,
    }


def review_comment(site: Site, within: Repository, row: ReviewComment) -> Json:
    """`pull-request-review-comment`."""
    api = f"{address(site, within)}/pulls"
    html = f"{web_address(within, row.pull, pull=True)}#discussion_r{row.id}"
    links = {"self": f"{api}/comments/{row.id}", "html": html, "pull_request": f"{api}/{row.pull}"}
    return {
        "url": links["self"],
        "pull_request_review_id": row.review,
        "id": row.id,
        "node_id": node_id("PRRC", row.id),
        "diff_hunk": "@@ -1 +1 @@",
        "path": "README.md",
        "position": 1,
        "original_position": 1,
        "commit_id": row.commit,
        "original_commit_id": row.commit,
        "user": user(site, row.user),
        "body": row.body,
        "created_at": stamp(row.created_s),
        "updated_at": stamp(row.updated_s),
        "html_url": html,
        "pull_request_url": links["pull_request"],
        "author_association": association(within, row.user),
        "_links": {name: {"href": link} for name, link in links.items()},
        "line": 1,
        "side": "RIGHT",
        "subject_type": "line",
    }


def labels(site: Site, within: Repository, row: Issue) -> list[Json]:
    """The labels an issue or pull request carries."""
    return [
        {
            "id": account_id(name),
            "node_id": node_id("LA", within.id, name),
            "url": f"{address(site, within)}/labels/{name.replace(' ', '%20')}",
            "name": name,
            "description": "",
            "color": "ededed",
            "default": False,
        }
        for name in row.labels
    ]


def web_address(within: Repository, number: int, *, pull: bool) -> str:
    """Where people look at an issue or a pull request."""
    return f"{page(within)}/{'pull' if pull else 'issues'}/{number}"


def association(within: Repository, login: str) -> str:
    """What somebody is to a repository."""
    return "OWNER" if login == within.owner else "CONTRIBUTOR"
